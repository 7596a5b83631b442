//! What happens to an environment from outside the workflow: somebody asks for its deletion, for another try, for more
//! time; its lifetime ends; its execution was cut off. The workflow's own transitions are in `mod.rs`.

use jiff::Timestamp;

use super::{Environment, Failure, EventKind, Operation, Status, StepRecord, StepState};
use crate::clock::Clock;
use crate::error::Error;
use crate::ids::OperationId;
use crate::lifetime::Lifetime;
use crate::operation::{CALL_LIMIT, Kind};
use crate::step::Step;
use crate::usual;

/// How often an operation whose execution was cut off is taken up again: then a provisioning is unwound, which is taken up
/// as often again, and a removal ends with what is left.
const MAX_RECOVERIES: u32 = 3;
/// How often one environment can be provisioned. Every attempt's resources stay in the record, which DynamoDB does not let
/// grow above 400 kB; an attempt takes up to 2.
pub(super) const MAX_ATTEMPTS: u32 = 20;

impl Environment {
    /// A delete arrives. A provisioning under way sees it at its next look and unwinds; a settled environment gets a new
    /// operation, named `operation`.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn request_delete(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        self.delete_requested_at.get_or_insert(now);
        match self.status {
            Status::Queued | Status::Provisioning => {
                self.operation.recoveries = 0;
                self.become_status(Status::Deleting)
            }
            Status::Deleting | Status::Deleted => Ok(()),
            // Nothing is left behind by a failure, so there is nothing to run.
            Status::Failed => self.become_status(Status::Deleted),
            Status::Ready => self.begin(operation, Kind::Delete, now),
            Status::CleanupFailed => self.retry_removal(operation, now),
        }
    }

    /// Somebody asks for another try: of the provisioning when it `failed`, of the removal when that could not be finished.
    /// While an operation is under way nothing changes.
    ///
    /// # Errors
    /// `Conflict` when there is nothing to try again, or it was tried `MAX_ATTEMPTS` times.
    pub fn request_retry(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        match self.status {
            Status::Queued | Status::Provisioning | Status::Deleting => Ok(()),
            Status::Failed if self.attempt >= MAX_ATTEMPTS => Err(Error::Conflict {
                code: "too_many_attempts",
                message: format!(
                    "{} has failed {MAX_ATTEMPTS} times; that is all its record keeps. Delete it and ask for a new one.",
                    self.id
                ),
            }),
            Status::Failed => {
                self.attempt += 1;
                self.failure = None;
                self.begin(operation, Kind::Provision, now)
            }
            Status::CleanupFailed => {
                self.cleanup_attempts = 0;
                self.retry_removal(operation, now)
            }
            Status::Ready | Status::Deleted => Err(Error::Conflict {
                code: "nothing_to_retry",
                message: format!(
                    "{} is {}: there is nothing to try again. Only what is failed or cleanup_failed can be retried.",
                    self.id, self.status
                ),
            }),
        }
    }

    /// Takes away once more what could not be removed.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn retry_removal(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        self.resources.reopen(now);
        self.begin(operation, Kind::Delete, now)
    }

    /// A new operation begins.
    fn begin(&mut self, operation: OperationId, kind: Kind, now: Timestamp) -> Result<(), Error> {
        // A call of an execution that was cut off may still be running.
        let not_before = self.operation.not_before.filter(|at| *at > now);
        self.operation = Operation { not_before, ..Operation::new(operation, kind, now) };
        self.next_attempt_at = None;
        match kind {
            Kind::Provision => {
                self.steps = Step::ENSURE.into_iter().map(StepRecord::pending).collect();
                self.become_status(Status::Queued)
            }
            Kind::Delete => {
                self.steps.clear();
                self.missing.clear();
                self.become_status(Status::Deleting)
            }
        }
    }

    /// The environment shall live for `lifetime` from now on; never for less than it was going to.
    ///
    /// # Errors
    /// `Conflict` when it is going away, or has no lifetime that could be extended.
    pub fn extend(&mut self, lifetime: Lifetime, now: Timestamp) -> Result<(), Error> {
        let conflict = |code, message| Err(Error::Conflict { code, message });
        if self.delete_requested_at.is_some()
            || matches!(self.status, Status::Deleting | Status::Deleted | Status::CleanupFailed)
        {
            let message = format!("{} is {}: it cannot be kept. Create another one.", self.id, self.status);
            return conflict("going_away", message);
        }
        let Some(expires_at) = self.expires_at else {
            let message = format!("{} has no lifetime: it lives until it is deleted.", self.id);
            return conflict("no_lifetime", message);
        };
        let extended = lifetime.end(now);
        if extended > expires_at {
            self.expires_at = Some(extended);
            self.pending_events.push(EventKind::Extended { expires_at: extended });
        }
        Ok(())
    }

    /// Whether its lifetime is over and nobody has acted on it.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.delete_requested_at.is_none() && self.expires_at.is_some_and(|at| at <= now)
    }

    /// Its lifetime is over: the same as a delete.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn expire(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        self.pending_events.push(EventKind::Expired);
        self.request_delete(operation, now)
    }

    /// The execution of the operation was cut off: the operation goes on under the name `next`, once no step of the old
    /// execution can be running any more, later each time. What was cut off too often is not tried for ever: a
    /// provisioning is unwound, a removal ends with what is left.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn recover(&mut self, next: OperationId, clock: &Clock) -> Result<(), Error> {
        self.operation.recoveries += 1;
        self.pending_events.push(EventKind::Interrupted { operation: self.operation.id.clone() });
        if self.operation.recoveries > MAX_RECOVERIES {
            if self.status == Status::Deleting {
                if self.resources.left().next().is_some() {
                    self.begin_removal(clock.now_ms())?;
                }
                self.operation.not_before = Some(clock.deadline(clock.limit(CALL_LIMIT)));
                return self.end_removal(clock);
            }
            let message = format!(
                "The workflow was cut off again after {MAX_RECOVERIES} new beginnings; the executions' histories in Step Functions say why."
            );
            let code = "workflow_interrupted".to_owned();
            self.fail(Failure::diagnosed(&self.id, Step::Begin, code, message, Vec::new()))?;
        }
        let wait = clock.limit(CALL_LIMIT) * 2_u32.pow(self.operation.recoveries.saturating_sub(1));
        self.operation.id = next;
        self.operation.not_before = Some(clock.deadline(wait));
        self.operation.execution_started_at = None;
        Ok(())
    }

    /// The removal is over: `deleted` or `failed`, as was wanted, when nothing is left, `cleanup_failed` otherwise. An undo
    /// step that never said how it ended (its call was cut off) has failed.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn end_removal(&mut self, clock: &Clock) -> Result<(), Error> {
        let now = clock.now_ms();
        for undo in Step::UNDO {
            let state = self.step(undo).map(|record| (record.state, record.why.clone()));
            if let Some((StepState::Running | StepState::Waiting | StepState::Pending, why)) = state {
                let why = why.map_or_else(
                    || "its call was cut off before it could say how it went".to_owned(),
                    |why| format!("given up: {why}"),
                );
                self.step_moves(undo, StepState::Failed, Some(why), now);
            }
        }
        if self.resources.left().next().is_some() {
            let again = usual::cleanup_again(self.cleanup_attempts);
            self.next_attempt_at = again.map(|wait| clock.deadline(clock.scale(wait)));
            self.cleanup_attempts += 1;
            return self.become_status(Status::CleanupFailed);
        }
        self.cleanup_attempts = 0;
        self.become_status(if self.delete_requested_at.is_some() { Status::Deleted } else { Status::Failed })
    }

    /// When the janitor has to look after it at the latest; `None` when it is deleted and never will be looked after again.
    #[must_use]
    pub fn due_at(&self, clock: &Clock) -> Option<Timestamp> {
        let work = match self.status {
            Status::Deleted => return None,
            Status::Queued | Status::Provisioning | Status::Deleting => {
                let began = self.operation.execution_started_at.unwrap_or(self.operation.started_at);
                clock.add(began, usual::CHECKED_AFTER)
            }
            Status::CleanupFailed => self.next_attempt_at.unwrap_or(Timestamp::MAX),
            Status::Ready | Status::Failed => Timestamp::MAX,
        };
        let end = self.expires_at.filter(|_| self.delete_requested_at.is_none()).unwrap_or(Timestamp::MAX);
        Some(work.min(end))
    }
}
