//! What the janitor is called with: a schedule's constant input, or EventBridge's event about an execution.

use serde::{Deserialize, Serialize};

/// One call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Call {
    /// From a schedule, with its input.
    Scheduled {
        /// What to do.
        task: Task,
    },
    /// EventBridge's "Step Functions Execution Status Change" (docs/aws.md#status-events): best effort, in any order, twice or never.
    Event {
        /// What happened.
        detail: Ended,
    },
}

/// What a schedule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Look after what is due.
    Sweep,
    /// Compare records and AWS.
    Audit,
}

/// The event's detail, as far as it is needed: which operation it was. What has become of it is looked up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The execution's status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE.
    pub status: String,
    /// The execution's input: the operation's identity. Left out by AWS when it is large, which ours is not.
    pub input: Option<String>,
}
