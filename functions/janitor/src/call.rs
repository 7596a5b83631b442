//! What the janitor is called with: a schedule's constant input, or EventBridge's event about an execution.

use serde::{Deserialize, Serialize};

/// One call of the janitor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JanitorCall {
    /// From a schedule, with its input.
    Scheduled {
        /// The task of the schedule.
        task: ScheduledTask,
    },
    /// EventBridge's "Step Functions Execution Status Change" (docs/aws.md#status-events): best effort, in any order, twice or
    /// never.
    Event {
        /// The execution that it is about.
        detail: ExecutionStatus,
    },
}

/// What a schedule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduledTask {
    /// Look after every environment that is due.
    Sweep,
    /// Compare records and AWS.
    Audit,
}

/// The event's detail, as far as it is needed: which operation it was. The record says what has become of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionStatus {
    /// The execution's status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE.
    pub status: String,
    /// The execution's input: the operation's identity. AWS leaves out a large input, which ours is not.
    pub input: Option<String>,
}
