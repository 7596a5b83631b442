//! What happens to an environment from outside the workflow: a delete, a retry or an extension is requested; its lifetime
//! ends; its execution is interrupted; an audit misses a resource. The workflow's own transitions are in `workflow`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::workflow::MAX_ATTEMPTS;
use super::{Environment, EventKind, Operation, Status, StepRecord};
use crate::clock::Clock;
use crate::error::Error;
use crate::failure::Failure;
use crate::ids::OperationId;
use crate::lifetime::Lifetime;
use crate::operation::{CALL_LIMIT, Kind};
use crate::plan::plan;
use crate::resource::ResourceKind;
use crate::step::Step;
use crate::timing;

/// How often an operation is recovered. A provisioning is unwound then, which is recovered as often again; a removal ends
/// with what is left.
const MAX_RECOVERIES: u32 = 3;

impl Environment {
    /// The subject `by` requests a delete. A provisioning under way sees it at its next look and unwinds; otherwise a new
    /// operation begins, named `operation`.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn request_delete(&mut self, operation: OperationId, by: &str, now: Timestamp) -> Result<(), Error> {
        let first = self.pending_events.len();
        // What unwinds after a failure is `deleting` already, and will be `deleted` instead of `failed`.
        if self.status == Status::Deleting && self.delete_requested_at.is_none() {
            self.note(EventKind::DeleteRequested);
        }
        self.remove(operation, now)?;
        self.sign(first, by);
        Ok(())
    }

    /// A delete begins, for whatever reason.
    fn remove(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        self.delete_requested_at.get_or_insert(now);
        match self.status {
            Status::Queued | Status::Provisioning => {
                self.operation.recoveries = 0;
                self.become_status(Status::Deleting)
            }
            Status::Deleting | Status::Deleted => Ok(()),
            // A failed environment has nothing left, so there is nothing to run.
            Status::Failed => self.become_status(Status::Deleted),
            Status::Ready => self.begin(operation, Kind::Delete, now),
            Status::CleanupFailed => self.retry_removal(operation, now),
        }
    }

    /// Writes into the events from the `first` on that the subject `by` requested them.
    fn sign(&mut self, first: usize, by: &str) {
        for event in self.pending_events.iter_mut().skip(first) {
            event.by = Some(by.to_owned());
        }
    }

    /// The subject `by` requests a retry: of the provisioning when it `failed`, of the removal when that could not be finished.
    /// While an operation is under way nothing changes.
    ///
    /// # Errors
    /// `Conflict` when there is nothing to retry, or `MAX_ATTEMPTS` are used.
    pub fn request_retry(&mut self, operation: OperationId, by: &str, now: Timestamp) -> Result<(), Error> {
        let first = self.pending_events.len();
        self.retry(operation, now)?;
        self.sign(first, by);
        Ok(())
    }

    fn retry(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        match self.status {
            Status::Queued | Status::Provisioning | Status::Deleting => Ok(()),
            Status::Failed if self.attempt >= MAX_ATTEMPTS => Err(Error::Conflict {
                code: "too_many_attempts",
                message: format!(
                    "All {MAX_ATTEMPTS} attempts of {} are used. Delete this environment and create a new one.",
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
                    "{} is {}: there is nothing to retry. Only a failed or cleanup_failed environment can be retried.",
                    self.id, self.status
                ),
            }),
        }
    }

    /// Removes once more what could not be removed.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn retry_removal(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        self.ledger.reopen(now);
        self.begin(operation, Kind::Delete, now)
    }

    /// A new operation begins.
    fn begin(&mut self, operation: OperationId, kind: Kind, now: Timestamp) -> Result<(), Error> {
        // A call of an execution that was interrupted may still be running.
        let not_before = self.operation.not_before.filter(|at| *at > now);
        self.operation = Operation { not_before, ..Operation::new(operation, kind, now) };
        self.next_attempt_at = None;
        self.steps = plan(kind, &self.spec).steps().map(StepRecord::pending).collect();
        match kind {
            Kind::Provision => self.become_status(Status::Queued),
            Kind::Delete => {
                self.missing.clear();
                self.become_status(Status::Deleting)
            }
        }
    }

    /// The subject `by` lets the environment live for `lifetime` from `now` on; never for less than it was going to.
    ///
    /// # Errors
    /// `Conflict` when it is being removed, or has no lifetime that could be extended.
    pub fn extend(&mut self, lifetime: Lifetime, by: &str, now: Timestamp) -> Result<(), Error> {
        let conflict = |code, message| Err(Error::Conflict { code, message });
        if self.delete_requested_at.is_some()
            || matches!(self.status, Status::Deleting | Status::Deleted | Status::CleanupFailed)
        {
            let message = format!("{} is {} and cannot be extended. Create a new environment.", self.id, self.status);
            return conflict("going_away", message);
        }
        let Some(expires_at) = self.expires_at else {
            let message =
                format!("{} has no lifetime, so it cannot be extended. It lives until you delete it.", self.id);
            return conflict("no_lifetime", message);
        };
        let extended = lifetime.end(now);
        if extended > expires_at {
            self.expires_at = Some(extended);
            let first = self.pending_events.len();
            self.note(EventKind::Extended { expires_at: extended });
            self.sign(first, by);
        }
        Ok(())
    }

    /// Whether its lifetime has ended and no delete is recorded yet.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.delete_requested_at.is_none() && self.expires_at.is_some_and(|at| at <= now)
    }

    /// Its lifetime ends: the same as a delete.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn expire(&mut self, operation: OperationId, now: Timestamp) -> Result<(), Error> {
        self.note(EventKind::Expired);
        self.remove(operation, now)
    }

    /// The execution of the operation was interrupted: the operation goes on under the name `next`, when no step of the old
    /// execution can be running any more. The wait doubles each time. After `MAX_RECOVERIES` a provisioning is unwound and a
    /// removal ends with what is left.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn recover(&mut self, next: OperationId, clock: &Clock) -> Result<(), Error> {
        self.operation.recoveries += 1;
        self.note(EventKind::Interrupted { operation: self.operation.id.clone() });
        if self.operation.recoveries > MAX_RECOVERIES {
            if self.status == Status::Deleting {
                if self.ledger.left().next().is_some() {
                    self.list_removal(clock.now_ms())?;
                }
                self.operation.not_before = Some(clock.deadline(clock.limit(CALL_LIMIT)));
                return self.end_removal(clock);
            }
            let message = format!(
                "The workflow was interrupted again after {MAX_RECOVERIES} recoveries; the executions' histories in Step Functions say why."
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

    /// Keeps a deleted environment's record and history until `until`; the first moment stays. Every other environment is kept
    /// for as long as it is not deleted.
    pub fn keep_until(&mut self, until: Timestamp) {
        if self.status == Status::Deleted {
            self.kept_until.get_or_insert(until);
        }
    }

    /// When the janitor must look after it at the latest. A deleted environment is due at once: its history has to end with it.
    #[must_use]
    pub fn due_at(&self, clock: &Clock) -> Timestamp {
        let work = match self.status {
            Status::Deleted => return self.updated_at,
            Status::Queued | Status::Provisioning | Status::Deleting => {
                let started = self.operation.execution_started_at.unwrap_or(self.operation.started_at);
                clock.add(started, timing::CHECK_EXECUTION_AFTER)
            }
            Status::CleanupFailed => self.next_attempt_at.unwrap_or(Timestamp::MAX),
            Status::Ready | Status::Failed => Timestamp::MAX,
        };
        let end = self.expires_at.filter(|_| self.delete_requested_at.is_none()).unwrap_or(Timestamp::MAX);
        work.min(end)
    }

    /// Notes which recorded resources an audit did not find.
    pub fn note_missing(&mut self, missing: &BTreeSet<ResourceKind>, now: Timestamp) {
        let lost = missing.iter().filter(|kind| !self.missing.contains_key(kind));
        let lost = lost.map(|kind| EventKind::Missing { resource: *kind });
        let found = self.missing.keys().filter(|kind| !missing.contains(kind));
        let found = found.map(|kind| EventKind::Found { resource: *kind });
        for kind in lost.chain(found).collect::<Vec<_>>() {
            self.note(kind);
        }
        self.missing = missing.iter().map(|kind| (*kind, self.missing.get(kind).copied().unwrap_or(now))).collect();
    }
}
