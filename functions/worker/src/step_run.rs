//! One step run: the step, the environment as its last look loaded it, and what the steps ask of it: names, waits, slots, the
//! consistency window, the ledger. How often a step looks is in `run`; what each step does is in `steps`.

use std::time::Duration;

use berth_domain::environment::StepUpdate;
use berth_domain::error::PERMISSION_DENIED;
use berth_domain::failure::Observation;
use berth_domain::names::{ResourceName, Tags};
use berth_domain::operation::Identity;
use berth_domain::step::Direction;
use berth_domain::{Environment, Error, ResourceKind, Step, timing};
use jiff::Timestamp;

use crate::context::Context;
use crate::ledger_writer::LedgerWriter;

/// The longest single wait of a removal for its slot: it has no stop to notice meanwhile.
const LONGEST_SLOT_WAIT: Duration = Duration::from_secs(300);
/// How long AWS may take to show what a call has created whose reply was lost: the rest of that call after the caller gave up
/// at 20 s, and the time that reads lag behind (docs/aws.md#reads-lag-behind-writes).
const CONSISTENCY_WINDOW: Duration = Duration::from_secs(60);

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// What the step is for is the case.
    Done,
    /// Not yet.
    Waiting {
        /// When to look again, in AWS time.
        retry_after: Duration,
        /// What the step waits for.
        why: String,
        /// What was concluded from what was seen.
        observation: Option<Observation>,
    },
}

impl Progress {
    pub(crate) fn waiting(retry_after: Duration, why: impl Into<String>) -> Self {
        Self::Waiting { retry_after, why: why.into(), observation: None }
    }

    /// The same, with what was concluded from what was seen.
    pub(crate) fn observed(self, concluded: Observation) -> Self {
        match self {
            Self::Done => Self::Done,
            Self::Waiting { retry_after, why, .. } => Self::Waiting { retry_after, why, observation: Some(concluded) },
        }
    }
}

/// One step run: the step, and the environment as its last look loaded it.
pub(crate) struct StepRun<'a> {
    pub(crate) context: &'a Context,
    pub(crate) step: Step,
    pub(crate) environment: Environment,
    identity: &'a Identity,
    called_at: Timestamp,
}

impl<'a> StepRun<'a> {
    /// A run of `step`, with the record as it is now.
    ///
    /// # Errors
    /// `NotFound` when there is no such environment.
    pub(crate) async fn load(context: &'a Context, step: Step, identity: &'a Identity) -> Result<Self, Error> {
        let called_at = context.clock.now();
        let environment = context.store.environment_get(&identity.team, &identity.environment).await?;
        Ok(Self { context, step, environment, identity, called_at })
    }

    /// Loads the record again.
    pub(crate) async fn reload(&mut self) -> Result<(), Error> {
        let Identity { team, environment, .. } = self.identity;
        self.environment = self.context.store.environment_get(team, environment).await?;
        Ok(())
    }

    /// Whether the step may still act for its operation.
    pub(crate) fn may_act(&self) -> bool {
        self.environment.may_act(&self.identity.operation, self.step.direction())
    }

    /// Whether the step has been working for longer than its limit.
    pub(crate) fn is_over_limit(&self) -> bool {
        let since = self.environment.working_since(self.step).unwrap_or(self.called_at);
        self.context.clock.limit_passed(since, self.step.limit())
    }

    /// How long this call has been running, in AWS time.
    pub(crate) fn elapsed(&self) -> Duration {
        self.context.clock.since(self.called_at)
    }

    /// Marks the step in the record, beginning from the record that the last look loaded.
    pub(crate) async fn mark(&mut self, update: StepUpdate) -> Result<(), Error> {
        let (step, operation) = (self.step, &self.identity.operation);
        let mark = |environment: &mut Environment, now| {
            environment.mark_step(operation, step, update.clone(), now);
            Ok(())
        };
        self.environment = self.context.store.environment_change_from(self.environment.clone(), mark).await?;
        Ok(())
    }

    /// A writer for the ledger of the environment as this look loaded it.
    pub(crate) fn ledger(&self) -> LedgerWriter<'_> {
        LedgerWriter::new(&self.context.store, &self.identity.operation, &self.environment)
    }

    /// The name in AWS of everything that belongs to the environment.
    pub(crate) fn name(&self) -> ResourceName {
        ResourceName::of(&self.environment.id)
    }

    /// The tags of everything that belongs to the environment.
    pub(crate) fn tags(&self) -> Tags {
        Tags::of(&self.environment)
    }

    /// The recorded id of what an earlier step created.
    ///
    /// # Errors
    /// `Internal` when it is not recorded: the plan ran the steps in a wrong order.
    pub(crate) fn recorded(&self, kind: ResourceKind) -> Result<&str, Error> {
        let missing = || Error::internal(format!("{}: the {kind} is not in the record", self.environment.id));
        self.environment.ledger().id(kind).ok_or_else(missing)
    }

    /// Waits as long as the step usually still takes.
    pub(crate) fn waiting(&self, why: impl Into<String>) -> Progress {
        let working = self.environment.working_since(self.step);
        let elapsed = working.map_or(Duration::ZERO, |since| self.context.clock.since(since));
        Progress::waiting(timing::next_look(self.step, elapsed), why)
    }

    /// Waits for the slot of the step, whose AWS operation the whole account shares a rate for; `None` when it has come. The
    /// slot is reserved once and kept in the record, whatever happens to the call.
    pub(crate) async fn reserve_slot(&self) -> Result<Option<Progress>, Error> {
        let Some(rate_limit) = self.step.rate_limit() else { return Ok(None) };
        let mut slot = self.environment.step(self.step).and_then(|record| record.slot_at);
        if slot.is_none() {
            let reserved = self.context.store.slot_reserve(rate_limit).await?;
            let keep = |environment: &mut Environment, _| {
                environment.keep_slot(self.step, reserved);
                Ok(())
            };
            let kept = self.context.store.environment_change_from(self.environment.clone(), keep).await?;
            slot = kept.step(self.step).and_then(|record| record.slot_at);
        }
        let longest = match self.step.direction() {
            Direction::Backward => LONGEST_SLOT_WAIT,
            Direction::Forward | Direction::Record => timing::LONGEST_WAIT,
        };
        let left = slot.and_then(|at| self.context.clock.left_until(at));
        Ok(left.map(|left| Progress::waiting(left.min(longest), format!("waiting for its slot: {rate_limit}"))))
    }

    /// Waits while a resource of `kind` that was not found may still appear, within the consistency window after
    ///
    /// - a creation whose reply is not known, or
    /// - a creation that was answered, unless AWS has accepted the deletion since.
    pub(crate) fn wait_for_late_creation(&self, kind: ResourceKind) -> Option<Progress> {
        let resource = self.environment.ledger().get(kind)?;
        let answered = resource.recorded_at.filter(|_| !resource.deletion_accepted).zip(resource.id.as_ref());
        let shown =
            answered.and_then(|(at, id)| self.wait_within_window(at, || format!("{kind} {id} does not show late")));
        self.wait_for_unanswered_creation(kind).or(shown)
    }

    /// Waits while a resource of `kind` may still appear from a creation whose reply is not known.
    pub(crate) fn wait_for_unanswered_creation(&self, kind: ResourceKind) -> Option<Progress> {
        let at = self.environment.ledger().get(kind)?.unanswered_at()?;
        self.wait_within_window(at, || format!("no {kind} appears from a call whose reply was lost"))
    }

    fn wait_within_window(&self, since: Timestamp, what: impl FnOnce() -> String) -> Option<Progress> {
        let left = CONSISTENCY_WINDOW.checked_sub(self.context.clock.since(since)).filter(|left| !left.is_zero())?;
        Some(Progress::waiting(left.min(timing::LONGEST_WAIT), format!("making sure that {}", what())))
    }

    /// A change of a resource of `kind` was refused. IAM permits such a change by the resource's tags, and may see them late: a
    /// denial within the consistency window after the creation is tried again.
    ///
    /// # Errors
    /// `error`, if it is anything else.
    pub(crate) fn wait_for_tags(&self, kind: ResourceKind, error: Error) -> Result<Progress, Error> {
        let recorded = self.environment.ledger().get(kind).and_then(|resource| resource.recorded_at);
        // Without a moment it was created by this very call.
        let is_new = recorded.is_none_or(|at| !self.context.clock.limit_passed(at, CONSISTENCY_WINDOW));
        match error {
            Error::Refused { code: PERMISSION_DENIED, message, cause } if is_new => {
                tracing::info!(cause, "denied, while IAM may not see the tags yet");
                Ok(self.waiting(format!("to be tried again, because tags may show late: {message}")))
            }
            error => Err(error),
        }
    }

    /// A resource whose id is recorded cannot be found: reads may lag behind its creation, for the consistency window.
    ///
    /// # Errors
    /// `Failed` when it is gone for longer than that: it was deleted outside of Berth.
    pub(crate) fn missing_after_create(&self, kind: ResourceKind) -> Result<Progress, Error> {
        let recorded = self.environment.ledger().get(kind).and_then(|resource| resource.recorded_at);
        if recorded.is_some_and(|at| self.context.clock.limit_passed(at, CONSISTENCY_WINDOW)) {
            let message = format!("The {kind} was deleted outside of Berth.");
            return Err(Error::Failed { code: "resource_lost", message });
        }
        Ok(self.waiting(format!("the {kind} does not show yet")))
    }

    /// An undo that has deleted the resource of `kind` and sees that it is gone: done when no other one can appear.
    ///
    /// # Errors
    /// What the table refuses.
    pub(crate) async fn close_deleted(&self, ledger: &LedgerWriter<'_>, kind: ResourceKind) -> Result<Progress, Error> {
        if let Some(waiting) = self.wait_for_unanswered_creation(kind) {
            return Ok(waiting);
        }
        ledger.close(kind).await?;
        Ok(Progress::Done)
    }

    /// An undo that found nothing of `kind`: done when nothing can appear late any more.
    pub(crate) async fn close_unless_late(&self, kind: ResourceKind) -> Result<Progress, Error> {
        if let Some(waiting) = self.wait_for_late_creation(kind) {
            return Ok(waiting);
        }
        self.ledger().close(kind).await?;
        Ok(Progress::Done)
    }
}
