//! The events of an environment. The store keeps each as an event beside the record; the API lists them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Status, StepState};
use crate::ids::OperationId;
use crate::resource::ResourceKind;
use crate::step::Step;

/// An event of an environment; `type` names its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The status changed.
    Status {
        /// The new status.
        status: Status,
    },
    /// The state of a step changed.
    Step {
        /// The name of the step's state in the state machine.
        step: Step,
        /// The new state.
        state: StepState,
        /// Why the step waits or failed, or the result that it found; left out when there is nothing to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Provisioning failed.
    Failed {
        /// The `code` of the environment's `failure`: a stable word for programs.
        code: String,
        /// The `message` of the environment's `failure`, for people.
        message: String,
    },
    /// The execution of an operation ended before its work was done; Berth continues the operation under a new id.
    Interrupted {
        /// The id that the operation had until then.
        operation: OperationId,
    },
    /// A caller extended the lifetime.
    Extended {
        /// When the lifetime ends now.
        expires_at: Timestamp,
    },
    /// A caller requested a delete while Berth was removing the environment after a failure: it ends `deleted` instead of
    /// `failed`.
    DeleteRequested,
    /// The lifetime ended; Berth deletes the environment.
    Expired,
    /// An audit found that another client removed a recorded resource.
    Missing {
        /// The kind of AWS resource.
        resource: ResourceKind,
    },
    /// A newer version of Berth wrote this event, and the version that answers cannot read it.
    Unreadable,
    /// An audit found a missing resource again.
    Found {
        /// The kind of AWS resource.
        resource: ResourceKind,
    },
}
