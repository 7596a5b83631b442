//! The Task state: `lambda:invoke`. `interpreter` retries it and catches its errors.
//!
//! An invocation is a separate tokio task, because a Lambda keeps running when its execution has timed out, stopped or
//! moved on.

use std::time::Duration;

use serde_json::{Value, json};

use super::asl::TaskState;
use super::data::{Shape, fits};
use super::function::{Invocation, Invoke};
use super::history::error_details;
use super::jsonata::{Failed, Variables};
use super::retry::{StateError, TIMEOUT};
use super::run::{Run, StateTransition, Visit};
use crate::stand_in::identity::REGION;

impl Run {
    /// One attempt.
    pub(super) async fn task<'a>(
        &self,
        visit: &mut Visit<'_>,
        task: &'a TaskState,
        variables: &Variables,
    ) -> Result<StateTransition<'a>, StateError> {
        let scope = self.scope(visit, variables, None);
        let function = scope.fill(&Value::String(task.arguments.function_name.clone()), "Arguments/FunctionName");
        let payload = scope.fill(&task.arguments.payload, "Arguments/Payload");
        let function = function.map_err(|failed| self.query_failed(visit, failed))?;
        let payload = payload.map_err(|failed| self.query_failed(visit, failed))?;
        fits(&payload, visit.name)?;
        let function = match function {
            Value::String(function) => function,
            other => {
                let cause = format!(
                    "The JSONata expression for the field 'Arguments/FunctionName' must evaluate to a string, not {other}"
                );
                return Err(self.query_failed(visit, Failed { cause, location: "Arguments/FunctionName".to_owned() }));
            }
        };
        let mut scheduled = json!({
            "resourceType": "lambda", "resource": "invoke", "region": REGION,
            "parameters": json!({"FunctionName": function, "Payload": payload}).to_string(),
        });
        if let (Some(seconds), Some(scheduled)) = (task.timeout_seconds, scheduled.as_object_mut()) {
            scheduled.insert("timeoutInSeconds".to_owned(), seconds.into());
        }
        self.note(visit, "TaskScheduled", Some(("taskScheduledEventDetails", scheduled)))?;
        let invoke = self.functions().await;
        self.note(visit, "TaskStarted", Some(("taskStartedEventDetails", lambda(json!({})))))?;
        match self.invoke(invoke, Invocation { function, payload }, task.timeout_seconds).await {
            Ok(result) => {
                fits(&result, "lambda")?;
                let details = json!({"output": result.to_string(), "outputDetails": {"truncated": false}});
                self.note(visit, "TaskSucceeded", Some(("taskSucceededEventDetails", lambda(details))))?;
                let shape = Shape {
                    output: task.output.as_ref(),
                    assign: &task.assign,
                    at: "",
                    extra: Some(("result", &result)),
                    default: &result,
                };
                self.leave(visit, variables, shape, task.next.as_deref())
            }
            Err(failure) => {
                let (kind, member) = match failure.error.as_str() {
                    TIMEOUT => ("TaskTimedOut", "taskTimedOutEventDetails"),
                    _ => ("TaskFailed", "taskFailedEventDetails"),
                };
                self.note(
                    visit,
                    kind,
                    Some((member, lambda(error_details(Some(&failure.error), failure.cause.as_deref())))),
                )?;
                Err(failure)
            }
        }
    }

    /// Waits until the functions are set.
    async fn functions(&self) -> Invoke {
        let mut given = self.invoke.clone();
        loop {
            if let Some(invoke) = given.borrow_and_update().clone() {
                return invoke;
            }
            if given.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn invoke(&self, invoke: Invoke, call: Invocation, limit: Option<u32>) -> Result<Value, StateError> {
        let invocation = tokio::spawn(invoke(call));
        let answer = match limit {
            None => invocation.await,
            Some(seconds) => tokio::select! {
                biased;
                answer = invocation => answer,
                () = self.clock.sleep_limit(Duration::from_secs(seconds.into())) => {
                    return Err(StateError { error: TIMEOUT.to_owned(), cause: None });
                }
            },
        };
        match answer {
            Ok(Ok(payload)) => Ok(json!({"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200})),
            Ok(Err(error)) => Err(StateError {
                // The cause of Lambda's own errors is a sentence; that of a function's error is what the runtime
                // reported.
                cause: Some(if error.error_type.starts_with("Lambda.") {
                    error.message
                } else {
                    json!({"errorMessage": error.message, "errorType": error.error_type}).to_string()
                }),
                error: error.error_type,
            }),
            // Functions are built to abort when they panic, which Lambda sees as an exit.
            Err(panicked) => Err(StateError {
                error: "Runtime.ExitError".to_owned(),
                cause: Some(
                    json!({"errorMessage": panicked.to_string(), "errorType": "Runtime.ExitError"}).to_string(),
                ),
            }),
        }
    }
}

fn lambda(mut details: Value) -> Value {
    if let Some(details) = details.as_object_mut() {
        details.insert("resourceType".to_owned(), "lambda".into());
        details.insert("resource".to_owned(), "invoke".into());
    }
    details
}
