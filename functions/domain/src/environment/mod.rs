//! The environment: the record that is the truth. Everything the workflow knows stands here, and every change goes
//! through the methods of this folder, which keep the rules: which status may follow which, what a stop is, when
//! nothing is left.

mod ledger;
mod life;
mod spec;
mod status;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::causes::Who;
use crate::error::Error;
use crate::ids::{EnvironmentId, OperationId, Team};
use crate::lifetime::Lifetime;
use crate::operation::{Identity, Kind};
use crate::settings::Settings;
use crate::step::Step;

use life::MAX_ATTEMPTS;

pub use ledger::{Ledger, Resource, ResourceKind};
pub use spec::{Api, ApiKind, Container, HealthCheck, Network, Spec, Topology};
pub use status::Status;
pub use steps::{StepRecord, StepState};

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
    pub status: Status,
    /// The record's version; every write adds one, and is refused when another came between.
    pub version: u64,
    /// What was asked for, resolved and pinned.
    pub spec: Spec,
    /// The caller's own marks.
    pub labels: BTreeMap<String, String>,
    /// The operation under way, or the last one.
    pub operation: Operation,
    /// The steps of that operation.
    pub steps: Vec<StepRecord>,
    /// Every resource it has or had.
    pub resources: Ledger,
    /// Why provisioning failed, if it did.
    pub failure: Option<Failure>,
    /// How often it has been provisioned, this time included.
    pub attempt: u32,
    /// Recorded resources that an audit did not find, since when; only while `ready`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<ResourceKind, Timestamp>,
    /// How often the removal could not be finished.
    #[serde(default)]
    pub cleanup_attempts: u32,
    /// When the removal is tried again by itself.
    pub next_attempt_at: Option<Timestamp>,
    /// When its lifetime is over.
    pub expires_at: Option<Timestamp>,
    /// When somebody asked for its deletion, or its lifetime was over.
    pub delete_requested_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the record last changed.
    pub updated_at: Timestamp,
    /// What happened since the record was loaded; kept as events beside it, not in it.
    #[serde(skip)]
    pub pending_events: Vec<EventKind>,
}

/// One run of the workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its identity, also the execution's name.
    pub id: OperationId,
    /// What for.
    pub kind: Kind,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When its execution may begin, if it was taken up again after an earlier execution was cut off: a step of that one may
    /// still be running until then.
    pub not_before: Option<Timestamp>,
    /// When its execution last began: time limits count from here, so that a system that was down does not time out.
    pub execution_started_at: Option<Timestamp>,
    /// How often it was taken up again because its execution was cut off.
    #[serde(default)]
    pub recoveries: u32,
}

impl Operation {
    /// An operation that is asked for at `now`.
    fn new(id: OperationId, kind: Kind, now: Timestamp) -> Self {
        Self { id, kind, started_at: now, not_before: None, execution_started_at: None, recoveries: 0 }
    }
}

/// Why provisioning failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// A stable word for programs.
    pub code: String,
    /// The step that failed.
    pub step: Step,
    /// What happened and what to do.
    pub message: String,
    /// What was seen before anything was undone.
    pub evidence: Vec<Evidence>,
    /// The cause, where it is known: a stable word of the table in `docs/failures.md`.
    pub cause: Option<String>,
    /// What to do next.
    #[serde(default)]
    #[schema(required = true)]
    pub what_to_do: String,
    /// Who can do it.
    #[serde(default)]
    #[schema(required = true)]
    pub who: Who,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Where: `service`, `stopped_task`, `service_event`, `target_health`, `log`, `load_balancer`, `vpc_link`, `gateway`.
    pub source: String,
    /// What, in AWS's words; in the program's own where the source is `log`.
    pub detail: String,
}

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

/// What a new environment is made from.
pub struct New {
    /// Its identity.
    pub id: EnvironmentId,
    /// The provisioning's identity.
    pub operation: OperationId,
    /// Whose it is.
    pub team: Team,
    /// Its name.
    pub name: String,
    /// Who asked.
    pub created_by: String,
    /// What for.
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
        Self {
            id: new.id,
            team: new.team,
            name: new.name,
            created_by: new.created_by,
            status: Status::Queued,
            version: 1,
            spec: new.spec,
            labels: new.labels,
            operation: Operation::new(new.operation, Kind::Provision, now),
            steps: Step::ENSURE.into_iter().map(StepRecord::pending).collect(),
            resources: Ledger::default(),
            failure: None,
            attempt: 1,
            missing: BTreeMap::new(),
            cleanup_attempts: 0,
            next_attempt_at: None,
            expires_at: new.lifetime.map(|lifetime| lifetime.end(now)),
            delete_requested_at: None,
            created_at: now,
            updated_at: now,
            pending_events: vec![EventKind::Status { status: Status::Queued }],
        }
    }

    /// Moves to `next`.
    ///
    /// # Errors
    /// `Internal` when `next` may not follow: a defect of the workflow, never shown as a success.
    pub fn become_status(&mut self, next: Status) -> Result<(), Error> {
        if self.status == next {
            return Ok(());
        }
        if !self.status.may_become(next) {
            return Err(Error::internal(format!("{}: {} may not become {next}", self.id, self.status)));
        }
        self.status = next;
        self.pending_events.push(EventKind::Status { status: next });
        Ok(())
    }

    /// Whether provisioning by `operation` has to end: something failed, a delete arrived, or another operation took over.
    #[must_use]
    pub fn must_stop(&self, operation: &OperationId) -> bool {
        self.operation.id != *operation || self.status != Status::Provisioning || self.failure.is_some()
    }

    /// Saves why provisioning failed; the first failure stays, and what breaks while a requested delete cuts provisioning
    /// short is no failure. What to do after the last attempt is no retry.
    /// From now on the status says `deleting`: what has failed is not being provisioned any more.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn fail(&mut self, mut failure: Failure) -> Result<(), Error> {
        if self.failure.is_some() || self.delete_requested_at.is_some() {
            return Ok(());
        }
        if self.attempt >= MAX_ATTEMPTS {
            failure.what_to_do = format!(
                "This was the last of {MAX_ATTEMPTS} attempts: where a retry is named, delete this environment and create it again instead. {}",
                failure.what_to_do
            );
        }
        self.pending_events.push(EventKind::Failed { code: failure.code.clone(), message: failure.message.clone() });
        self.failure = Some(failure);
        self.operation.recoveries = 0;
        self.become_status(Status::Deleting)
    }

    /// From here on everything is taken away: `deleting`, and the undo steps join the list.
    ///
    /// # Errors
    /// `Internal` when the status rules are broken.
    pub fn begin_removal(&mut self, now: Timestamp) -> Result<(), Error> {
        self.become_status(Status::Deleting)?;
        let unfinished = |record: &&StepRecord| matches!(record.state, StepState::Running | StepState::Waiting);
        let cut_short: Vec<Step> = self.steps.iter().filter(unfinished).map(|record| record.name).collect();
        for step in cut_short.into_iter().filter(|step| Step::ENSURE.contains(step)) {
            let why = "cut short: the environment is being taken away".to_owned();
            self.step_moves(step, StepState::Failed, Some(why), now);
        }
        for undo in Step::UNDO {
            if self.steps.iter().all(|record| record.name != undo) {
                self.steps.push(StepRecord::pending(undo));
            }
        }
        Ok(())
    }

    /// Where the service answers: proven, as long as the environment is ready.
    #[must_use]
    pub fn url(&self, settings: &Settings) -> Option<String> {
        let api = self.resources.id(ResourceKind::RestApi).filter(|_| self.status == Status::Ready)?;
        Some(settings.url_of(api, &self.spec.api.stage))
    }

    /// The identity of the operation: the input of its execution.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            team: self.team.clone(),
            environment: self.id.clone(),
            operation: self.operation.id.clone(),
            kind: self.operation.kind,
        }
    }

    /// Since when `step` has been at work in this execution.
    #[must_use]
    pub fn at_work_since(&self, step: Step) -> Option<Timestamp> {
        let started = self.step(step)?.started_at?;
        let at_work = self.operation.execution_started_at.map_or(started, |begun| started.max(begun));
        // Waiting for one's turn is no work.
        Some(self.step(step)?.slot_at.map_or(at_work, |turn| turn.max(at_work)))
    }

    /// The record of `step`, if it belongs to this operation.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&StepRecord> {
        self.steps.iter().find(|record| record.name == step)
    }

    /// Gives `step` its turn in the queue for a paced operation; the first one stays.
    pub fn step_reserve_slot(&mut self, step: Step, slot_at: Timestamp) {
        if let Some(record) = self.steps.iter_mut().find(|record| record.name == step) {
            record.slot_at.get_or_insert(slot_at);
        }
    }

    /// Notes which recorded resources an audit did not find.
    pub fn note_missing(&mut self, missing: &BTreeSet<ResourceKind>, now: Timestamp) {
        for kind in missing.iter().filter(|kind| !self.missing.contains_key(kind)) {
            self.pending_events.push(EventKind::Missing { resource: *kind });
        }
        for kind in self.missing.keys().filter(|kind| !missing.contains(kind)) {
            self.pending_events.push(EventKind::Found { resource: *kind });
        }
        self.missing = missing.iter().map(|kind| (*kind, self.missing.get(kind).copied().unwrap_or(now))).collect();
    }

    /// Moves `step` to `state`; what really changes becomes an event.
    pub fn step_moves(&mut self, step: Step, state: StepState, why: Option<String>, now: Timestamp) {
        if let Some(record) = self.steps.iter_mut().find(|record| record.name == step)
            && record.moves(state, why.clone(), now)
        {
            self.pending_events.push(EventKind::Step { step, state, why });
        }
    }
}
