//! A state's data: what its expressions see, what they produce, and the limits of both.

use serde_json::{Map, Value, json};

use super::arns::ROLE;
use super::jsonata::{Failed, Scope, Variables};
use super::retry::{DATA_LIMIT, QUERY, StateError};
use super::run::{Run, StateTransition, Visit};

/// Step Functions' limit for a state's data, in bytes of JSON.
pub(super) const LARGEST_DATA: usize = 256 * 1024;

/// A state's `Output` and `Assign`, and what they are evaluated with.
pub(super) struct Shape<'a> {
    pub output: Option<&'a Value>,
    pub assign: &'a Map<String, Value>,
    /// The path of the two in the state: empty, or `Catch[1]/`.
    pub at: &'a str,
    /// The additional member of `$states`: the result or the error.
    pub extra: Option<(&'static str, &'a Value)>,
    /// The output when there is no `Output`.
    pub default: &'a Value,
}

impl Run {
    /// Evaluates `Assign` and `Output`, both with the variables as they were before the state.
    pub(super) fn leave<'a>(
        &self,
        visit: &mut Visit<'_>,
        variables: &Variables,
        shape: Shape<'_>,
        next: Option<&'a str>,
    ) -> Result<StateTransition<'a>, StateError> {
        let scope = self.scope(visit, variables, shape.extra);
        let filled = scope.fill_members(shape.assign, &format!("{}Assign", shape.at)).and_then(|assigned| {
            let output = match shape.output {
                None => shape.default.clone(),
                Some(output) => scope.fill(output, &format!("{}Output", shape.at))?,
            };
            Ok((assigned, output))
        });
        let (assigned, output) = filled.map_err(|failed| self.query_failed(visit, failed))?;
        for value in assigned.values().chain([&output]) {
            fits(value, visit.name)?;
        }
        Ok(StateTransition { output, assigned: assigned.into_iter().collect(), next })
    }

    /// The scope of the state's expressions.
    pub(super) fn scope<'v>(
        &self,
        visit: &Visit<'_>,
        variables: &'v Variables,
        extra: Option<(&'static str, &Value)>,
    ) -> Scope<'v> {
        let mut states = json!({
            "input": visit.input,
            "context": {
                "Execution": {
                    "Id": self.arn,
                    "Input": self.input,
                    "Name": self.name,
                    "RoleArn": ROLE,
                    "StartTime": format!("{:.3}", self.start),
                    "RedriveCount": 0,
                },
                "State": {
                    "Name": visit.name,
                    "EnteredTime": format!("{:.3}", visit.entered),
                    "RetryCount": visit.retries,
                },
                "StateMachine": {"Id": self.machine_arn, "Name": self.machine},
            },
        });
        if let (Some((name, value)), Some(states)) = (extra, states.as_object_mut()) {
            states.insert(name.to_owned(), value.clone());
        }
        Scope { states, variables, now: self.clock.now() }
    }

    pub(super) fn unexpected(
        &self,
        visit: &mut Visit<'_>,
        text: &str,
        field: &str,
        expected: &str,
        value: &Value,
    ) -> StateError {
        let expression = super::jsonata::expression(text).unwrap_or(text);
        let was = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let cause = format!(
            "The JSONata expression '{expression}' specified for the field '{field}' returned an unexpected result \
             type. Expected '{expected}', but was '{was}' for value: {value}"
        );
        self.query_failed(visit, Failed { cause, location: field.to_owned() })
    }

    pub(super) fn query_failed(&self, visit: &mut Visit<'_>, failed: Failed) -> StateError {
        let cause = said_in(visit, &failed.cause);
        let details = json!({"error": QUERY, "cause": cause, "location": failed.location, "state": visit.name});
        match self.note(visit, "EvaluationFailed", Some(("evaluationFailedEventDetails", details))) {
            Ok(()) => StateError { error: QUERY.to_owned(), cause: Some(cause) },
            Err(full) => full,
        }
    }
}

pub(super) fn said_in(visit: &Visit<'_>, what: &str) -> String {
    format!(
        "An error occurred while executing the state '{}' (entered at the event id #{}). {what}",
        visit.name, visit.event
    )
}

/// Refuses data beyond the limit.
pub(super) fn fits(data: &Value, whose: &str) -> Result<(), StateError> {
    if data.to_string().len() <= LARGEST_DATA {
        return Ok(());
    }
    Err(StateError {
        error: DATA_LIMIT.to_owned(),
        cause: Some(format!(
            "The state/task '{whose}' returned a result with a size exceeding the maximum number of bytes service limit."
        )),
    })
}
