//! What passes between the API, the state machine and the worker: identity in, an outcome out.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::ids::{EnvironmentId, OperationId, Team};
use crate::step::Step;

/// The state machine's time limit for one call of the worker (`TimeoutSeconds`), which is above the worker's own: after
/// it, no interrupted call is still running.
pub const CALL_LIMIT: Duration = Duration::from_secs(75);

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// From a request to `ready`.
    Provision,
    /// From whatever resources there are to none.
    Delete,
}

/// The input of an execution: identity only. The record is the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Whose environment it is.
    pub team: Team,
    /// Which environment.
    pub environment: EnvironmentId,
    /// Which run; also the execution's name.
    pub operation: OperationId,
}

/// The payload of one call of the worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepInput {
    /// The step to run.
    pub step: Step,
    /// The operation that it belongs to.
    pub identity: Identity,
    /// For [`Step::RecordFailure`]: what the state machine caught.
    #[serde(default)]
    pub caught: Option<Caught>,
}

/// An error as the state machine caught it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Caught {
    /// The step that failed.
    pub step: Step,
    /// `{"Error": …, "Cause": …}`.
    pub error: Value,
}

/// What a step answers; the state machine's Choice states decide by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Go on.
    Done,
    /// Come back after this many seconds.
    Wait {
        /// Whole seconds, at least 1.
        seconds: u64,
    },
    /// The way forward ends here: a step failed elsewhere, or a delete arrived.
    Stop,
    /// From [`Step::Begin`]: run the steps of a provisioning.
    Provision,
    /// From [`Step::Begin`] and [`Step::BeginRemoval`]: run the steps of a removal.
    Remove,
    /// Nothing is left to do for this operation.
    Ended,
}
