//! What happens to an environment. The store keeps each as an event beside the record; the API lists them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Status, StepState};
use crate::ids::OperationId;
use crate::resource::ResourceKind;
use crate::step::Step;

/// Something that happened to an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The status changed.
    Status {
        /// To this.
        status: Status,
    },
    /// A step moved.
    Step {
        /// Which.
        step: Step,
        /// To where.
        state: StepState,
        /// Why, where there is something to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Provisioning failed.
    Failed {
        /// The failure's code.
        code: String,
        /// The failure's message.
        message: String,
    },
    /// The execution of an operation ended before its work was done; the operation goes on under another name.
    Interrupted {
        /// The operation as it was called.
        operation: OperationId,
    },
    /// The lifetime was extended.
    Extended {
        /// To this moment.
        expires_at: Timestamp,
    },
    /// The lifetime was over.
    Expired,
    /// A recorded resource is not there any more although nobody asked Berth to remove it.
    Missing {
        /// What.
        resource: ResourceKind,
    },
    /// It is there again.
    Found {
        /// What.
        resource: ResourceKind,
    },
}
