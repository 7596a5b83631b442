//! The ARNs of state machines and executions.

use crate::stand_in::identity::arn;

/// The role that replies name for machines and executions.
pub(super) const ROLE: &str = "arn:aws:iam::000000000000:role/berth-local";

/// The ARN of a state machine.
#[must_use]
pub fn machine_arn(machine: &str) -> String {
    arn("states", &format!("stateMachine:{machine}"))
}

/// The ARN of an execution.
#[must_use]
pub fn execution_arn(machine: &str, name: &str) -> String {
    arn("states", &format!("execution:{machine}:{name}"))
}
