//! The Parallel state. `interpreter` retries it and catches its errors.

use std::future::poll_fn;
use std::task::Poll;

use serde_json::Value;

use super::asl::ParallelState;
use super::data::{Shape, fits};
use super::jsonata::Variables;
use super::retry::StateError;
use super::run::{Run, StateTransition, Visit, Walk};

impl Run {
    /// One attempt.
    pub(super) async fn parallel<'a>(
        &self,
        visit: &mut Visit<'_>,
        parallel: &'a ParallelState,
        variables: &Variables,
    ) -> Result<StateTransition<'a>, StateError> {
        let input = match &parallel.arguments {
            None => visit.input.clone(),
            Some(arguments) => self
                .scope(visit, variables, None)
                .fill(arguments, "Arguments")
                .map_err(|failed| self.query_failed(visit, failed))?,
        };
        self.note(visit, "ParallelStateStarted", None)?;
        let walks = parallel
            .branches
            .iter()
            .map(|branch| self.walk(&branch.start_at, &branch.states, input.clone(), variables.clone(), *visit.last))
            .collect();
        let (last, outputs) = side_by_side(walks).await;
        *visit.last = last.max(*visit.last);
        match outputs {
            Ok(outputs) => {
                let result = Value::Array(outputs);
                fits(&result, visit.name)?;
                self.note(visit, "ParallelStateSucceeded", None)?;
                let shape = Shape {
                    output: parallel.output.as_ref(),
                    assign: &parallel.assign,
                    at: "",
                    extra: Some(("result", &result)),
                    default: &result,
                };
                self.leave(visit, variables, shape, parallel.next.as_deref())
            }
            Err(failure) => {
                self.note(visit, "ParallelStateFailed", None)?;
                Err(failure)
            }
        }
    }
}

/// Runs branches in one task, so that their order is deterministic. The first error ends the other branches.
async fn side_by_side(walks: Vec<Walk<'_>>) -> (u64, Result<Vec<Value>, StateError>) {
    let mut last = 0;
    let mut outputs = vec![Value::Null; walks.len()];
    let mut walks: Vec<_> = walks.into_iter().map(Some).collect();
    let ended = poll_fn(|context| {
        let mut open = false;
        for (walk, output) in walks.iter_mut().zip(&mut outputs) {
            let Some(future) = walk else { continue };
            let Poll::Ready((event, result)) = future.as_mut().poll(context) else {
                open = true;
                continue;
            };
            *walk = None;
            last = event;
            match result {
                Ok(value) => *output = value,
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
        if open { Poll::Pending } else { Poll::Ready(Ok(())) }
    })
    .await;
    (last, ended.map(|()| outputs))
}
