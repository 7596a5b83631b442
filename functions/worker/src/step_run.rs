//! One call of the worker for one step that acts on AWS: load the record, look, say how far the step has come.
//!
//! A step that waits looks again inside the call while the expected time is near, because a second of the worker is cheaper
//! than a state transition; otherwise the state machine waits. Every look begins by loading the record: so a failure elsewhere
//! or a delete stops the step cooperatively, and nothing is cut off. What each step does is in `steps`.

use std::time::Duration;

use berth_domain::environment::{StepState, StepUpdate};
use berth_domain::failure::Observation;
use berth_domain::names::{ResourceName, Tags};
use berth_domain::operation::{Identity, Outcome};
use berth_domain::step::Direction;
use berth_domain::{Environment, Error, ResourceKind, Step, timing};
use jiff::Timestamp;

use crate::context::Context;
use crate::ledger_writer::LedgerWriter;
use crate::steps;

/// The longest time between two looks that is spent inside the call, in AWS time.
const SHORT_WAIT: Duration = Duration::from_secs(5);
/// Between two tries of a removal after a temporary error of AWS.
const RETRY_REMOVAL: Duration = Duration::from_secs(10);
/// The least time between two tries of a call that AWS throttles; up to twice as long, so that callers spread out.
const RETRY_THROTTLED: Duration = Duration::from_secs(3);
/// How long a call may go on looking, in AWS time: one last look of 30 s still ends within the worker's time limit.
const LONGEST_CALL: Duration = Duration::from_secs(25);
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
    fn waiting(retry_after: Duration, why: impl Into<String>) -> Self {
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
    /// Runs `step` until it is done, has to wait for long, or may no longer act.
    ///
    /// # Errors
    /// What the step could not do.
    pub(crate) async fn run(context: &'a Context, step: Step, identity: &'a Identity) -> Result<Outcome, Error> {
        let called_at = context.clock.now();
        let environment = context.store.environment_get(&identity.team, &identity.environment).await?;
        let mut run = Self { context, step, environment, identity, called_at };
        loop {
            run.mark(StepUpdate::to(StepState::Running, None)).await?;
            if !run.environment.may_act(&identity.operation, step.direction()) {
                return Ok(match step.direction() {
                    Direction::Forward => Outcome::Stop,
                    Direction::Backward | Direction::Record => Outcome::Ended,
                });
            }
            if let Some(kind) = step.waits_for().iter().find(|kind| run.environment.ledger().get(**kind).is_some()) {
                let why = format!("not tried: the {kind} is still there");
                run.mark(StepUpdate::to(StepState::Failed, Some(why))).await?;
                return Ok(Outcome::Done);
            }
            let progress = run.look().await?;
            if let Some(outcome) = run.next_outcome(progress).await? {
                return Ok(outcome);
            }
            run.environment = context.store.environment_get(&identity.team, &identity.environment).await?;
        }
    }

    /// Looks once. An error goes into the step's record before it goes on to the state machine, so that the status does not
    /// lie. Throttling is no error: the step waits. A removal also waits out temporary errors, within the step's own limit,
    /// because a removal that gives up leaves something behind.
    async fn look(&mut self) -> Result<Progress, Error> {
        let looked = match self.step.direction() {
            Direction::Backward => Box::pin(steps::undo(self)).await,
            Direction::Forward | Direction::Record => Box::pin(steps::ensure(self)).await,
        };
        let result = match looked {
            Err(Error::Throttled { rate_limit, message, cause }) => {
                tracing::info!(cause, "throttled");
                // Another client uses the account's rate as well: no new slot is handed out until the bucket has refilled.
                if let Some(rate_limit) = rate_limit.filter(|limit| self.step.rate_limit() == Some(*limit)) {
                    self.context.store.bucket_exhausted(rate_limit).await?;
                }
                let retry_after = RETRY_THROTTLED + RETRY_THROTTLED.mul_f64(fastrand::f64());
                Ok(Progress::waiting(retry_after, format!("to be tried again: {message}")))
            }
            Err(Error::Unavailable { message, cause }) if self.step.direction() == Direction::Backward => {
                tracing::warn!(cause, "to be tried again");
                Ok(Progress::waiting(RETRY_REMOVAL, format!("to be tried again: {message}")))
            }
            other => other,
        };
        if let Err(error) = &result {
            self.record_error(error).await?;
        }
        result
    }

    /// Writes an error into the step's record.
    async fn record_error(&mut self, error: &Error) -> Result<(), Error> {
        let update = match error {
            Error::Unavailable { message, .. } | Error::Throttled { message, .. } => {
                StepUpdate::to(StepState::Waiting, Some(format!("to be tried again: {message}")))
            }
            other => StepUpdate::to(StepState::Failed, Some(other.public().to_owned())),
        };
        self.mark(update).await
    }

    /// What the call answers after a look; `None` when the step looks again in this call.
    async fn next_outcome(&mut self, progress: Progress) -> Result<Option<Outcome>, Error> {
        let Progress::Waiting { retry_after, why, observation } = progress else {
            self.mark(StepUpdate::to(StepState::Done, None)).await?;
            return Ok(Some(Outcome::Done));
        };
        self.mark(StepUpdate { state: StepState::Waiting, why: Some(why.clone()), observation }).await?;
        let clock = &self.context.clock;
        let since = self.environment.working_since(self.step).unwrap_or(self.called_at);
        if clock.limit_passed(since, self.step.limit()) {
            let message = format!("{} gave up after {} s: {why}", self.step, self.step.limit().as_secs());
            let error = Error::Failed { code: "timed_out", message };
            self.record_error(&error).await?;
            return Err(error);
        }
        if retry_after <= SHORT_WAIT && clock.since(self.called_at) + retry_after <= LONGEST_CALL {
            clock.sleep(retry_after).await;
            return Ok(None);
        }
        // Rounded down: the next call waits for the rest of a second, so that a slot is met exactly.
        Ok(Some(Outcome::Wait { seconds: retry_after.as_secs().max(1) }))
    }

    /// Marks the step in the record, beginning from the record that the last look loaded.
    async fn mark(&mut self, update: StepUpdate) -> Result<(), Error> {
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

    /// Waits while a resource of `kind` that was not found may still appear: its creation was announced or answered within the
    /// consistency window. `None` when the window has passed.
    pub(crate) fn wait_for_late_creation(&self, kind: ResourceKind) -> Option<Progress> {
        let resource = self.environment.ledger().get(kind).filter(|resource| !resource.refused)?;
        let created = resource.recorded_at.unwrap_or(resource.announced_at);
        let left = CONSISTENCY_WINDOW.checked_sub(self.context.clock.since(created)).filter(|left| !left.is_zero())?;
        let why = format!("making sure that no {kind} appears from a call whose reply was lost");
        Some(Progress::waiting(left.min(timing::LONGEST_WAIT), why))
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

    /// An undo that found nothing of `kind`: done when nothing can appear late any more.
    pub(crate) async fn close_unless_late(&self, kind: ResourceKind) -> Result<Progress, Error> {
        if let Some(waiting) = self.wait_for_late_creation(kind) {
            return Ok(waiting);
        }
        self.ledger().close(kind).await?;
        Ok(Progress::Done)
    }
}
