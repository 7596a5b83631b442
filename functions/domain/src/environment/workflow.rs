//! What the workflow's steps do to the record: an execution begins, steps move, a failure turns the operation round, the
//! operation ends. Every method ignores or refuses a call of an operation that has stopped, ended or been superseded.
//!
//! What comes from outside the workflow is in `lifecycle`.

use jiff::Timestamp;

use super::{Environment, EventKind, Resource, Status, StepRecord, StepState};
use crate::clock::Clock;
use crate::error::Error;
use crate::failure::{Failure, Observation};
use crate::ids::OperationId;
use crate::masking::masked;
use crate::operation::{CALL_LIMIT, Kind};
use crate::plan::{OnFailure, on_failure, plan};
use crate::resource::ResourceKind;
use crate::step::{Direction, Step};
use crate::timing;

/// How often one environment can be provisioned. Every attempt's resources stay in the record, which DynamoDB does not let
/// grow above 400 kB (docs/aws.md#dynamodb); an attempt takes up to 2.
pub(super) const MAX_ATTEMPTS: u32 = 20;

impl Environment {
    /// Moves to `next`.
    pub(super) fn become_status(&mut self, next: Status) -> Result<(), Error> {
        if self.status == next {
            return Ok(());
        }
        if !self.status.may_become(next) {
            return Err(Error::internal(format!("{}: {} may not become {next}", self.id, self.status)));
        }
        self.status = next;
        self.note(EventKind::Status { status: next });
        Ok(())
    }

    /// The status while an operation of `kind` runs.
    fn status_under_way(kind: Kind) -> Status {
        match kind {
            Kind::Provision => Status::Provisioning,
            Kind::Delete => Status::Deleting,
        }
    }

    /// Whether `operation` is this environment's, and under way or waiting to begin.
    #[must_use]
    pub fn is_under_way(&self, operation: &OperationId) -> bool {
        self.operation.id == *operation && self.status.is_moving()
    }

    /// Whether `operation` must go no further forward: a step failed, a delete arrived, or another operation took over.
    #[must_use]
    pub fn must_stop(&self, operation: &OperationId) -> bool {
        self.operation.id != *operation
            || self.status != Self::status_under_way(self.operation.kind)
            || self.failure.is_some()
    }

    /// Whether `operation` is removing this environment's resources.
    #[must_use]
    pub fn is_removing(&self, operation: &OperationId) -> bool {
        self.operation.id == *operation && self.status == Status::Deleting
    }

    /// Whether a step that goes in `direction` may still act for `operation`.
    #[must_use]
    pub fn may_act(&self, operation: &OperationId, direction: Direction) -> bool {
        match direction {
            Direction::Forward => !self.must_stop(operation),
            Direction::Backward => self.is_removing(operation),
            Direction::Record => self.is_under_way(operation),
        }
    }

    /// The execution of `operation` begins. Time limits count from here.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn begin_execution(&mut self, operation: &OperationId, clock: &Clock, now: Timestamp) -> Result<(), Error> {
        if !self.is_under_way(operation) {
            return Ok(());
        }
        // A call that is repeated because its reply was lost must not set progress back. Two calls' time is less than any
        // step's limit, so a system that was down for longer than that does not time out by it either.
        let started = self.operation.execution_started_at;
        if started.is_none_or(|at| clock.limit_passed(at, CALL_LIMIT * 2)) {
            self.operation.execution_started_at = Some(now);
        }
        if self.status == Status::Queued {
            self.become_status(Status::Provisioning)?;
        }
        Ok(())
    }

    /// Moves `step` to `state` for `operation`; a real change becomes an event. Updates from an operation that has stopped,
    /// ended or been superseded are ignored.
    pub fn mark_step(&mut self, operation: &OperationId, step: Step, update: StepUpdate, now: Timestamp) {
        if self.may_act(operation, step.direction()) {
            self.update_step(step, update, now);
        }
    }

    fn update_step(&mut self, step: Step, update: StepUpdate, now: Timestamp) {
        let StepUpdate { state, why, observation } = update;
        // It may carry what AWS or the service itself answered.
        let why = why.map(|why| masked(&why));
        if let Some(record) = self.steps.iter_mut().find(|record| record.name == step)
            && record.update(state, why.clone(), now)
        {
            record.observation = observation;
            self.note(EventKind::Step { step, state, why });
        }
    }

    /// Keeps the slot that `step` reserved; the first one stays.
    pub fn keep_slot(&mut self, step: Step, slot: Timestamp) {
        if let Some(record) = self.steps.iter_mut().find(|record| record.name == step) {
            record.slot_at.get_or_insert(slot);
        }
    }

    /// Saves why `operation` failed, and marks the step. What follows depends on the kind of operation: a provisioning is
    /// unwound from here on, so its status becomes `deleting`. The first failure stays. Errors after a delete was requested
    /// are ignored.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn record_failure(&mut self, operation: &OperationId, failure: Failure, now: Timestamp) -> Result<(), Error> {
        if self.must_stop(operation) {
            return Ok(());
        }
        let why = Some(failure.message.clone());
        self.update_step(failure.step, StepUpdate::to(StepState::Failed, why), now);
        self.fail(failure)
    }

    pub(super) fn fail(&mut self, mut failure: Failure) -> Result<(), Error> {
        if self.failure.is_some() || self.delete_requested_at.is_some() {
            return Ok(());
        }
        match on_failure(self.operation.kind) {
            // What could not be removed is in the ledger, and each step says why.
            OnFailure::Continue => Ok(()),
            OnFailure::Unwind => {
                if self.attempt >= MAX_ATTEMPTS {
                    failure.advise_without_retry(&self.id, MAX_ATTEMPTS);
                }
                let (code, message) = (failure.code.clone(), failure.message.clone());
                self.note(EventKind::Failed { code, message });
                self.failure = Some(failure);
                self.operation.recoveries = 0;
                self.become_status(Status::Deleting)
            }
        }
    }

    /// Whether the operation may remove what the environment has. Only a delete, a requested one or a retried one, and the
    /// unwinding of what failed may: an operation whose failures do not unwind leaves a serving service alone.
    fn may_remove(&self) -> bool {
        self.delete_requested_at.is_some()
            || match on_failure(self.operation.kind) {
                OnFailure::Continue => self.operation.kind == Kind::Delete,
                OnFailure::Unwind => self.failure.is_some(),
            }
    }

    /// The removal of `operation` begins: `deleting`, and the steps that remove join the list. A failure that could not be
    /// recorded is recorded now.
    ///
    /// # Errors
    /// `Internal` when the operation may not remove anything.
    pub fn begin_removal(&mut self, operation: &OperationId, now: Timestamp) -> Result<(), Error> {
        if !self.is_under_way(operation) {
            return Ok(());
        }
        if self.failure.is_none() && self.delete_requested_at.is_none() {
            let message = "Provisioning failed, and its cause could not be recorded; the execution's history has it.";
            let (code, message) = ("step_crashed".to_owned(), message.to_owned());
            self.fail(Failure::diagnosed(&self.id, Step::RecordFailure, code, message, Vec::new()))?;
        }
        self.list_removal(now)
    }

    pub(super) fn list_removal(&mut self, now: Timestamp) -> Result<(), Error> {
        if !self.may_remove() {
            let kind = self.operation.kind;
            return Err(Error::internal(format!("{}: an operation {kind:?} may not remove anything", self.id)));
        }
        self.become_status(Status::Deleting)?;
        let unfinished = |record: &&StepRecord| matches!(record.state, StepState::Running | StepState::Waiting);
        let forward = |record: &&StepRecord| record.name.direction() == Direction::Forward;
        let interrupted: Vec<Step> =
            self.steps.iter().filter(unfinished).filter(forward).map(|record| record.name).collect();
        for step in interrupted {
            let why = "stopped: the environment is being removed".to_owned();
            self.update_step(step, StepUpdate::to(StepState::Failed, Some(why)), now);
        }
        for undo in plan(Kind::Delete, &self.spec).steps() {
            if self.steps.iter().all(|record| record.name != undo) {
                self.steps.push(StepRecord::pending(undo));
            }
        }
        Ok(())
    }

    /// Commits `ready` for `operation`, unless it must stop: then nothing changes.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn mark_ready(&mut self, operation: &OperationId) -> Result<(), Error> {
        if self.must_stop(operation) {
            return Ok(());
        }
        self.become_status(Status::Ready)
    }

    /// The removal of `operation` is over: `deleted` or `failed` when nothing is left, `cleanup_failed` otherwise.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn mark_gone(&mut self, operation: &OperationId, clock: &Clock) -> Result<(), Error> {
        if self.is_removing(operation) { self.end_removal(clock) } else { Ok(()) }
    }

    /// Ends the removal. A step whose call was cut off before it could report has failed.
    pub(super) fn end_removal(&mut self, clock: &Clock) -> Result<(), Error> {
        let now = clock.now_ms();
        for undo in plan(Kind::Delete, &self.spec).steps() {
            let state = self.step(undo).map(|record| (record.state, record.why.clone()));
            if let Some((StepState::Running | StepState::Waiting | StepState::Pending, why)) = state {
                let why = why.map_or_else(
                    || "its call was cut off before it could report".to_owned(),
                    |why| format!("given up: {why}"),
                );
                self.update_step(undo, StepUpdate::to(StepState::Failed, Some(why)), now);
            }
        }
        if self.ledger.left().next().is_some() {
            let wait = timing::cleanup_retry(self.cleanup_attempts);
            self.next_attempt_at = wait.map(|wait| clock.deadline(clock.scale(wait)));
            self.cleanup_attempts += 1;
            return self.become_status(Status::CleanupFailed);
        }
        self.cleanup_attempts = 0;
        self.become_status(if self.delete_requested_at.is_some() { Status::Deleted } else { Status::Failed })
    }

    /// Announces that a resource is about to be created, before AWS is called. This is the fence: only the call that still
    /// sees the entry `seen` may create, so of two calls of one step only one does.
    ///
    /// # Errors
    /// `Unavailable` when another call came first, or the operation must stop: the step looks again.
    pub fn announce(
        &mut self,
        operation: &OperationId,
        kind: ResourceKind,
        seen: Option<&Resource>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if self.must_stop(operation) || self.ledger.get(kind) != seen {
            return Err(changed_meanwhile(kind, "creation"));
        }
        self.ledger.announce(kind, now);
        Ok(())
    }

    /// AWS refused the announced creation before it had any effect, so nothing can appear late. Ignored when the entry is no
    /// longer `announced`.
    pub fn record_refused(&mut self, kind: ResourceKind, announced: Option<&Resource>) {
        if self.ledger.get(kind) == announced {
            self.ledger.refused(kind);
        }
    }

    /// Records the id of a resource that was created or found, with the address that others reach it by.
    pub fn record_id(&mut self, kind: ResourceKind, id: &str, address: Option<&str>, now: Timestamp) {
        self.ledger.record(kind, id, address, now);
    }

    /// AWS has accepted the deletion of `kind`. Ignored when the entry is no longer the one that this call looked up (`seen`).
    pub fn record_deletion(&mut self, kind: ResourceKind, seen: Option<&Resource>) {
        if self.ledger.get(kind) == seen {
            self.ledger.deletion_accepted(kind);
        }
    }

    /// Closes the entry of a resource that was seen to be gone. A call closes only the entry that it looked up (`seen`), and
    /// only while its removal runs: a stale call must not close a newer entry.
    ///
    /// # Errors
    /// `Unavailable` when another call came first: the step looks again.
    pub fn close(
        &mut self,
        operation: &OperationId,
        kind: ResourceKind,
        seen: Option<&Resource>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(entry) = self.ledger.get(kind) else { return Ok(()) };
        if !self.is_removing(operation) || Some(entry) != seen {
            return Err(changed_meanwhile(kind, "its end"));
        }
        self.ledger.verify_absent(kind, now);
        Ok(())
    }
}

/// A new state of a step.
#[derive(Clone, Debug)]
pub struct StepUpdate {
    /// What it is doing.
    pub state: StepState,
    /// Why it waits or failed.
    pub why: Option<String>,
    /// What was concluded from what was seen.
    pub observation: Option<Observation>,
}

impl StepUpdate {
    /// A move to `state`, with the reason.
    #[must_use]
    pub fn to(state: StepState, why: Option<String>) -> Self {
        Self { state, why, observation: None }
    }
}

fn changed_meanwhile(kind: ResourceKind, before: &str) -> Error {
    let cause = format!("{kind}: the record changed between look and {before}");
    Error::unavailable("The record changed meanwhile; the step looks again.", cause)
}
