//! Walks one execution through its states, with AWS's rules for data, errors and time.
//!
//! Here: the walk, retrying and catching, and the small states. `task` and `parallel` are the two others, `data`
//! evaluates expressions, `retry` matches errors, `run` holds what they share. Executions are started, kept and ended
//! in `step_functions` itself.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::arns::ROLE;
use super::asl::{Catcher, ChoiceState, FailState, ParallelState, State, TaskState, WaitState};
use super::check::LONGEST_WAIT;
use super::data::{Shape, said_in};
use super::jsonata::Variables;
use super::retry::{Attempts, RUNTIME, StateError, means};
use super::run::{Run, StateTransition, Visit, Walk, Walked};

/// The states that retry.
#[derive(Clone, Copy)]
enum Work<'a> {
    Task(&'a TaskState),
    Parallel(&'a ParallelState),
}

impl Run {
    /// Walks from `StartAt` to the end.
    pub(super) async fn execute(&self) -> Walked {
        let text = self.input.to_string();
        let details = json!({"input": text, "inputDetails": {"truncated": false}, "roleArn": ROLE});
        let started =
            self.history.add(self.clock.now(), 0, "ExecutionStarted", Some(("executionStartedEventDetails", details)));
        let last = started.unwrap_or_default();
        let definition = &self.definition;
        self.walk(&definition.start_at, &definition.states, self.input.clone(), Variables::new(), last).await
    }

    /// Walks the states of the machine or of a branch; `previous` is the event that led to them.
    pub(super) fn walk<'a>(
        &'a self,
        start_at: &'a str,
        states: &'a BTreeMap<String, State>,
        input: Value,
        variables: Variables,
        previous: u64,
    ) -> Walk<'a> {
        Box::pin(async move {
            let mut last = previous;
            let result = self.walk_on(start_at, states, input, variables, &mut last).await;
            (last, result)
        })
    }

    async fn walk_on(
        &self,
        start_at: &str,
        states: &BTreeMap<String, State>,
        mut input: Value,
        mut variables: Variables,
        last: &mut u64,
    ) -> Result<Value, StateError> {
        let mut name = start_at;
        loop {
            let Some(state) = states.get(name) else {
                return Err(StateError {
                    error: RUNTIME.to_owned(),
                    cause: Some(format!("There is no state '{name}'")),
                });
            };
            let mut visit = Visit { name, input, entered: self.clock.now(), event: 0, retries: 0, last: &mut *last };
            let entry = json!({
                "name": name, "input": visit.input.to_string(), "inputDetails": {"truncated": false},
            });
            self.note(&mut visit, format!("{}StateEntered", state.kind()), Some(("stateEnteredEventDetails", entry)))?;
            visit.event = *visit.last;
            let StateTransition { output, assigned, next } = self.visit(&mut visit, state, &variables).await?;
            let mut exit = json!({
                "name": name, "output": output.to_string(), "outputDetails": {"truncated": false},
            });
            if let Some(exit) = exit.as_object_mut().filter(|_| !assigned.is_empty()) {
                let texts = assigned.iter().map(|(name, value)| (name.clone(), value.to_string().into())).collect();
                exit.insert("assignedVariables".to_owned(), Value::Object(texts));
                exit.insert("assignedVariablesDetails".to_owned(), json!({"truncated": false}));
            }
            self.note(&mut visit, format!("{}StateExited", state.kind()), Some(("stateExitedEventDetails", exit)))?;
            variables.extend(assigned);
            match next {
                Some(next) => (name, input) = (next, output),
                None => return Ok(output),
            }
        }
    }

    async fn visit<'a>(
        &self,
        visit: &mut Visit<'_>,
        state: &'a State,
        variables: &Variables,
    ) -> Result<StateTransition<'a>, StateError> {
        let input = visit.input.clone();
        match state {
            State::Task(task) => self.persist(visit, state, Work::Task(task), variables).await,
            State::Parallel(parallel) => self.persist(visit, state, Work::Parallel(parallel), variables).await,
            State::Pass(pass) => {
                let shape =
                    Shape { output: pass.output.as_ref(), assign: &pass.assign, at: "", extra: None, default: &input };
                self.leave(visit, variables, shape, pass.next.as_deref())
            }
            State::Succeed(succeed) => {
                let none = Map::new();
                let shape =
                    Shape { output: succeed.output.as_ref(), assign: &none, at: "", extra: None, default: &input };
                self.leave(visit, variables, shape, None)
            }
            State::Choice(choice) => self.choose(visit, choice, variables),
            State::Wait(wait) => {
                self.clock.sleep(self.how_long(visit, wait, variables)?).await;
                Ok(StateTransition { output: input, assigned: Variables::new(), next: wait.next.as_deref() })
            }
            State::Fail(fail) => Err(self.fail(visit, fail, variables)),
        }
    }

    /// Runs a Task or a Parallel, and retries it as its retriers say; then its catchers decide.
    async fn persist<'a>(
        &self,
        visit: &mut Visit<'_>,
        state: &'a State,
        work: Work<'a>,
        variables: &Variables,
    ) -> Result<StateTransition<'a>, StateError> {
        let mut attempts = Attempts::new(state.retry());
        loop {
            let tried = match work {
                Work::Task(task) => self.task(visit, task, variables).await,
                Work::Parallel(parallel) => self.parallel(visit, parallel, variables).await,
            };
            let failure = match tried {
                Ok(step) => return Ok(step),
                Err(failure) => failure,
            };
            let delay = {
                let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
                attempts.next(&failure.error, &mut *chance)
            };
            let Some(delay) = delay else {
                return self.catch(visit, state.catch(), variables, failure);
            };
            self.clock.sleep(delay).await;
            visit.retries += 1;
        }
    }

    fn catch<'a>(
        &self,
        visit: &mut Visit<'_>,
        catchers: &'a [Catcher],
        variables: &Variables,
        failure: StateError,
    ) -> Result<StateTransition<'a>, StateError> {
        let caught = catchers.iter().enumerate().find(|(_, catcher)| means(&catcher.error_equals, &failure.error));
        let Some((index, catcher)) = caught else {
            return Err(failure);
        };
        // AWS gives an error without a cause the cause `""`, so that `$states.errorOutput.Cause` always exists.
        let error = json!({"Error": failure.error, "Cause": failure.cause.unwrap_or_default()});
        let shape = Shape {
            output: catcher.output.as_ref(),
            assign: &catcher.assign,
            at: &format!("Catch[{index}]/"),
            extra: Some(("errorOutput", &error)),
            default: &error,
        };
        self.leave(visit, variables, shape, Some(&catcher.next))
    }

    fn choose<'a>(
        &self,
        visit: &mut Visit<'_>,
        choice: &'a ChoiceState,
        variables: &Variables,
    ) -> Result<StateTransition<'a>, StateError> {
        let input = visit.input.clone();
        for (index, rule) in choice.choices.iter().enumerate() {
            let field = format!("Choices[{index}]/Condition");
            let holds = self.scope(visit, variables, None).fill(&Value::String(rule.condition.clone()), &field);
            match holds.map_err(|failed| self.query_failed(visit, failed))? {
                Value::Bool(false) => {}
                Value::Bool(true) => {
                    let at = format!("Choices[{index}]/");
                    let shape = Shape {
                        output: rule.output.as_ref(),
                        assign: &rule.assign,
                        at: &at,
                        extra: None,
                        default: &input,
                    };
                    return self.leave(visit, variables, shape, Some(&rule.next));
                }
                other => return Err(self.unexpected(visit, &rule.condition, &field, "boolean", &other)),
            }
        }
        match &choice.default {
            Some(next) => Ok(StateTransition { output: input, assigned: Variables::new(), next: Some(next) }),
            None => {
                let why = "Failed to transition out of the state. The state does not point to a next state.";
                Err(StateError { error: RUNTIME.to_owned(), cause: Some(said_in(visit, why)) })
            }
        }
    }

    fn how_long(&self, visit: &mut Visit<'_>, wait: &WaitState, variables: &Variables) -> Result<Duration, StateError> {
        let seconds = self
            .scope(visit, variables, None)
            .fill(&wait.seconds, "Seconds")
            .map_err(|failed| self.query_failed(visit, failed))?;
        match seconds.as_u64() {
            Some(seconds) if seconds <= LONGEST_WAIT => Ok(Duration::from_secs(seconds)),
            _ => {
                let expression = wait.seconds.as_str().unwrap_or_default();
                Err(self.unexpected(visit, expression, "Seconds", "integer from 0 to 99999999", &seconds))
            }
        }
    }

    fn fail(&self, visit: &mut Visit<'_>, fail: &FailState, variables: &Variables) -> StateError {
        let scope = self.scope(visit, variables, None);
        let text = |template: &String, field: &str| {
            scope.fill(&Value::String(template.clone()), field).map(|value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            })
        };
        let filled = text(&fail.error, "Error").and_then(|error| {
            let cause = fail.cause.as_ref().map(|cause| text(cause, "Cause")).transpose()?;
            Ok(StateError { error, cause })
        });
        filled.unwrap_or_else(|failed| self.query_failed(visit, failed))
    }
}
