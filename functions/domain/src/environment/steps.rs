//! What each step of the operation is doing, since when, and why it waits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::failure::Observation;
use crate::step::Step;

/// What a step is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// At work.
    Running,
    /// Waiting for AWS, or to try again; `why` says for what.
    Waiting,
    /// Finished.
    Done,
    /// Gave up; `why` says on what.
    Failed,
}

/// One step of the operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepRecord {
    /// The step, as the state machine calls it.
    pub name: Step,
    /// What it is doing.
    pub state: StepState,
    /// Why it waits, failed, or what it found.
    pub why: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What was concluded from what it saw last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// Its slot for an AWS operation whose rate the account shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_at: Option<Timestamp>,
}

impl StepRecord {
    /// A step that has not begun.
    #[must_use]
    pub fn pending(name: Step) -> Self {
        Self {
            name,
            state: StepState::Pending,
            why: None,
            started_at: None,
            finished_at: None,
            observation: None,
            slot_at: None,
        }
    }

    /// Moves to `state`; answers whether anything changed. A finished step that only looks again stays finished.
    pub(super) fn update(&mut self, state: StepState, why: Option<String>, now: Timestamp) -> bool {
        let looked_at_again = state == StepState::Running
            && matches!(self.state, StepState::Done | StepState::Running | StepState::Waiting);
        if looked_at_again || (self.state == state && self.why == why) {
            return false;
        }
        self.state = state;
        self.why = why;
        if self.started_at.is_none() {
            self.started_at = Some(now);
        }
        self.finished_at = match state {
            StepState::Done | StepState::Failed => Some(now),
            StepState::Pending | StepState::Running | StepState::Waiting => None,
        };
        true
    }
}
