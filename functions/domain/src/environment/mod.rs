//! The environment: the record that is the truth. Everything the workflow knows stands here. Its fields that carry rules are
//! private to this folder, so every change goes through the methods that keep the rules:
//!
//! - `lifecycle`: what comes from outside the workflow (delete, retry, extend, expiry, recovery);
//! - `workflow`: what the workflow's own steps do;
//! - `ledger`: which AWS resources it has, and which call may create or close one;
//! - `status`, `steps`, `event`: the words that the API shows.

mod event;
mod ledger;
mod lifecycle;
mod status;
mod steps;
mod workflow;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::ids::{EnvironmentId, OperationId, Team};
use crate::lifetime::Lifetime;
use crate::operation::{Identity, Kind};
use crate::plan::plan;
use crate::resource::ResourceKind;
use crate::settings::Settings;
use crate::spec::Spec;
use crate::step::{Direction, Step};

pub use event::EventKind;
pub use ledger::{Ledger, Resource};
pub use status::Status;
pub use steps::{StepRecord, StepState};
pub use workflow::StepUpdate;

/// One environment of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Its identity.
    pub id: EnvironmentId,
    /// Whose it is.
    pub team: Team,
    /// Its name, unique in the team while the environment is not deleted.
    pub name: String,
    /// Who asked for it: the subject of the token.
    pub created_by: String,
    /// Where it stands.
    status: Status,
    /// The record's version; every write adds one, and is refused when another came between.
    version: u64,
    /// What was asked for, resolved and pinned.
    pub spec: Spec,
    /// The caller's own marks.
    pub labels: BTreeMap<String, String>,
    /// The operation under way, or the last one.
    operation: Operation,
    /// The steps of that operation.
    steps: Vec<StepRecord>,
    /// Every resource it has or had.
    ledger: Ledger,
    /// Why provisioning failed, if it did.
    failure: Option<Failure>,
    /// How often it has been provisioned, this time included.
    attempt: u32,
    /// Recorded resources that an audit did not find, since when; only while `ready`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    missing: BTreeMap<ResourceKind, Timestamp>,
    /// How often the removal could not be finished.
    #[serde(default)]
    cleanup_attempts: u32,
    /// When the removal is tried again by itself.
    next_attempt_at: Option<Timestamp>,
    /// When its lifetime is over.
    expires_at: Option<Timestamp>,
    /// When a delete was requested, or its lifetime ended.
    delete_requested_at: Option<Timestamp>,
    /// Until when a deleted environment's record and history are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept_until: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the record last changed.
    updated_at: Timestamp,
    /// What happened since the record was loaded; kept as events beside it, not in it.
    #[serde(skip)]
    pending_events: Vec<PendingEvent>,
}

/// Something that happened since the record was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingEvent {
    /// What happened.
    pub kind: EventKind,
    /// The subject of the caller whose request did it; `None` when Berth did it without a request.
    pub by: Option<String>,
}

/// One run of the workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its identity, also the execution's name.
    pub id: OperationId,
    /// What it does; decides its plan and what a failure does.
    pub kind: Kind,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When its execution may begin, if it was recovered after an earlier execution was interrupted: a step of that one may
    /// still be running until then.
    pub not_before: Option<Timestamp>,
    /// When its execution last began: time limits count from here, so that a system that was down does not time out.
    pub execution_started_at: Option<Timestamp>,
    /// How often it was recovered because its execution was interrupted.
    #[serde(default)]
    pub recoveries: u32,
}

impl Operation {
    /// An operation that is asked for at `now`.
    fn new(id: OperationId, kind: Kind, now: Timestamp) -> Self {
        Self { id, kind, started_at: now, not_before: None, execution_started_at: None, recoveries: 0 }
    }
}

/// What a new environment is made from.
pub struct New {
    /// Its identity.
    pub id: EnvironmentId,
    /// The provisioning's identity.
    pub operation: OperationId,
    /// The team that owns it.
    pub team: Team,
    /// Its name.
    pub name: String,
    /// The subject of the caller's token.
    pub created_by: String,
    /// What it runs and how it is reached.
    pub spec: Spec,
    /// The caller's own marks.
    pub labels: BTreeMap<String, String>,
    /// How long it may live.
    pub lifetime: Option<Lifetime>,
}

impl Environment {
    /// A new environment, `queued`.
    #[must_use]
    pub fn queued(new: New, now: Timestamp) -> Self {
        let created =
            PendingEvent { kind: EventKind::Status { status: Status::Queued }, by: Some(new.created_by.clone()) };
        Self {
            steps: plan(Kind::Provision, &new.spec).steps().map(StepRecord::pending).collect(),
            id: new.id,
            team: new.team,
            name: new.name,
            created_by: new.created_by,
            status: Status::Queued,
            version: 1,
            spec: new.spec,
            labels: new.labels,
            operation: Operation::new(new.operation, Kind::Provision, now),
            ledger: Ledger::default(),
            failure: None,
            attempt: 1,
            missing: BTreeMap::new(),
            cleanup_attempts: 0,
            next_attempt_at: None,
            expires_at: new.lifetime.map(|lifetime| lifetime.end(now)),
            delete_requested_at: None,
            kept_until: None,
            created_at: now,
            updated_at: now,
            pending_events: vec![created],
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The record's version, 1 for a new one.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When the record last changed.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The operation under way, or the last one.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The steps of that operation, as they are shown.
    #[must_use]
    pub fn steps(&self) -> &[StepRecord] {
        &self.steps
    }

    /// Every resource it has or had.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Why provisioning failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// How often it has been provisioned, this time included.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Recorded resources that an audit did not find, and since when.
    #[must_use]
    pub fn missing(&self) -> &BTreeMap<ResourceKind, Timestamp> {
        &self.missing
    }

    /// When Berth retries the removal by itself.
    #[must_use]
    pub fn next_attempt_at(&self) -> Option<Timestamp> {
        self.next_attempt_at
    }

    /// When its lifetime ends.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether a delete was requested, or its lifetime has ended.
    #[must_use]
    pub fn delete_requested(&self) -> bool {
        self.delete_requested_at.is_some()
    }

    /// Until when record and history are kept; only a deleted environment's ever end.
    #[must_use]
    pub fn kept_until(&self) -> Option<Timestamp> {
        self.kept_until.filter(|_| self.status == Status::Deleted)
    }

    /// What happened since the record was loaded, for the store to write as events.
    #[must_use]
    pub fn pending_events(&self) -> &[PendingEvent] {
        &self.pending_events
    }

    /// Notes that something happened, without a request so far.
    fn note(&mut self, kind: EventKind) {
        self.pending_events.push(PendingEvent { kind, by: None });
    }

    /// Makes the next version of the record, for the store to write at `now`.
    pub fn next_version(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    /// Forgets the pending events: the store has written them.
    pub fn events_written(&mut self) {
        self.pending_events.clear();
    }

    /// Where the service answers; only while the environment is ready, which means that this was proven.
    #[must_use]
    pub fn url(&self, settings: &Settings) -> Option<String> {
        let api = self.ledger.id(ResourceKind::RestApi).filter(|_| self.status == Status::Ready)?;
        Some(settings.url_of(api, &self.spec.api.stage))
    }

    /// The identity of the operation: the input of its execution.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { team: self.team.clone(), environment: self.id.clone(), operation: self.operation.id.clone() }
    }

    /// The record of `step`, if the operation has that step.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&StepRecord> {
        self.steps.iter().find(|record| record.name == step)
    }

    /// The steps of the direction in which the operation goes now: after a failure, those that remove.
    pub fn steps_under_way(&self) -> impl Iterator<Item = &StepRecord> {
        let direction = if self.status == Status::Deleting { Direction::Backward } else { Direction::Forward };
        self.steps.iter().filter(move |record| record.name.direction() == direction)
    }

    /// Whether one of its steps waits for a slot at `now`.
    #[must_use]
    pub fn waits_for_slot(&self, now: Timestamp) -> bool {
        let waits =
            |record: &StepRecord| record.state == StepState::Waiting && record.slot_at.is_some_and(|slot| slot > now);
        self.status.is_moving() && self.steps_under_way().any(waits)
    }

    /// Since when `step` has been working in this execution; waiting for a slot does not count.
    #[must_use]
    pub fn working_since(&self, step: Step) -> Option<Timestamp> {
        let record = self.step(step)?;
        let started = record.started_at?;
        let working = self.operation.execution_started_at.map_or(started, |execution| started.max(execution));
        Some(record.slot_at.map_or(working, |slot| slot.max(working)))
    }
}
