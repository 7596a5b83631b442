//! One call of the worker, from its payload to its outcome.
//!
//! A step that waits looks again inside the call while the expected time is near, because a second of the worker is cheaper
//! than a state transition; otherwise the state machine waits. Every look begins by loading the record: so a failure elsewhere
//! or a delete stops the step cooperatively, and nothing is cut off. What each step does is in `steps` and `record`.

use std::time::Duration;

use berth_domain::environment::{StepState, StepUpdate};
use berth_domain::operation::{Outcome, StepInput};
use berth_domain::step::Direction;
use berth_domain::{Error, Step};

use crate::context::Context;
use crate::record;
use crate::step_error::StepError;
use crate::step_run::{Progress, StepRun};
use crate::steps;

/// The longest time between two looks that is spent inside the call, in AWS time.
const SHORT_WAIT: Duration = Duration::from_secs(5);
/// Between two tries of a removal after a temporary error of AWS.
const RETRY_REMOVAL: Duration = Duration::from_secs(10);
/// The least time between two tries of a call that AWS throttles; up to twice as long, so that callers spread out.
const RETRY_THROTTLED: Duration = Duration::from_secs(3);
/// How long a call may go on looking, in AWS time: one last look of 30 s still ends within the worker's time limit.
const LONGEST_CALL: Duration = Duration::from_secs(25);

/// Runs one step.
///
/// # Errors
/// [`StepError`], by which the state machine tries again or gives the step up.
#[tracing::instrument(name = "step", skip_all, fields(step = %input.step, environment = %input.identity.environment, operation = %input.identity.operation))]
pub async fn run(context: &Context, input: StepInput) -> Result<Outcome, StepError> {
    let outcome = run_step(context, &input).await;
    match &outcome {
        Ok(outcome) => tracing::info!(?outcome, "step"),
        Err(error) => tracing::warn!(error = error.public(), cause = error.cause(), "step failed"),
    }
    Ok(outcome?)
}

async fn run_step(context: &Context, input: &StepInput) -> Result<Outcome, Error> {
    let StepInput { step, identity, caught } = input;
    match step {
        Step::Begin => record::begin(context, identity).await,
        Step::RecordFailure => record::record_failure(context, identity, caught.as_ref()).await,
        Step::BeginRemoval => record::begin_removal(context, identity).await,
        Step::MarkReady => record::mark_ready(context, identity).await,
        Step::MarkGone => record::mark_gone(context, identity).await,
        step => look_until_done(StepRun::load(context, *step, identity).await?).await,
    }
}

/// Looks until the step is done, has to wait for long, or may no longer act.
async fn look_until_done(mut run: StepRun<'_>) -> Result<Outcome, Error> {
    loop {
        run.mark(StepUpdate::to(StepState::Running, None)).await?;
        if !run.may_act() {
            return Ok(match run.step.direction() {
                Direction::Forward => Outcome::Stop,
                Direction::Backward | Direction::Record => Outcome::Ended,
            });
        }
        let blocker = run.step.waits_for().iter().find(|kind| run.environment.ledger().get(**kind).is_some());
        if let Some(kind) = blocker {
            let why = format!("not tried: the {kind} is still there");
            run.mark(StepUpdate::to(StepState::Failed, Some(why))).await?;
            return Ok(Outcome::Done);
        }
        let progress = look(&mut run).await?;
        if let Some(outcome) = next_outcome(&mut run, progress).await? {
            return Ok(outcome);
        }
        run.reload().await?;
    }
}

/// Looks once. An error goes into the step's record before it goes on to the state machine, so that the status does not lie.
/// Throttling is no error: the step waits. A removal also waits out temporary errors, within the step's own limit, because a
/// removal that gives up leaves something behind.
async fn look(run: &mut StepRun<'_>) -> Result<Progress, Error> {
    let direction = run.step.direction();
    let looked = match direction {
        Direction::Backward => Box::pin(steps::undo(run)).await,
        Direction::Forward | Direction::Record => Box::pin(steps::ensure(run)).await,
    };
    let result = match looked {
        Err(Error::Throttled { rate_limit, message, cause }) => {
            tracing::info!(cause, "throttled");
            // Another client uses the account's rate as well: no new slot is handed out until the bucket has refilled.
            if let Some(rate_limit) = rate_limit.filter(|limit| run.step.rate_limit() == Some(*limit)) {
                run.context.store.bucket_exhausted(rate_limit).await?;
            }
            let retry_after = RETRY_THROTTLED + RETRY_THROTTLED.mul_f64(fastrand::f64());
            Ok(Progress::waiting(retry_after, format!("to be tried again: {message}")))
        }
        Err(Error::Unavailable { message, cause }) if direction == Direction::Backward => {
            tracing::warn!(cause, "to be tried again");
            Ok(Progress::waiting(RETRY_REMOVAL, format!("to be tried again: {message}")))
        }
        other => other,
    };
    if let Err(error) = &result {
        record_error(run, error).await?;
    }
    result
}

/// Writes an error into the step's record.
async fn record_error(run: &mut StepRun<'_>, error: &Error) -> Result<(), Error> {
    let update = match error {
        Error::Unavailable { message, .. } | Error::Throttled { message, .. } => {
            StepUpdate::to(StepState::Waiting, Some(format!("to be tried again: {message}")))
        }
        other => StepUpdate::to(StepState::Failed, Some(other.public().to_owned())),
    };
    run.mark(update).await
}

/// What the call answers after a look; `None` when the step looks again in this call.
async fn next_outcome(run: &mut StepRun<'_>, progress: Progress) -> Result<Option<Outcome>, Error> {
    let Progress::Waiting { retry_after, why, observation } = progress else {
        run.mark(StepUpdate::to(StepState::Done, None)).await?;
        return Ok(Some(Outcome::Done));
    };
    run.mark(StepUpdate { state: StepState::Waiting, why: Some(why.clone()), observation }).await?;
    if run.is_over_limit() {
        let message = format!("{} gave up after {} s: {why}", run.step, run.step.limit().as_secs());
        run.mark(StepUpdate { state: StepState::Failed, why: Some(message.clone()), observation }).await?;
        return Err(Error::Failed { code: "timed_out", message });
    }
    if retry_after <= SHORT_WAIT && run.elapsed() + retry_after <= LONGEST_CALL {
        run.context.clock.sleep(retry_after).await;
        return Ok(None);
    }
    // Rounded down: the next call waits for the rest of a second, so that a slot is met exactly.
    Ok(Some(Outcome::Wait { seconds: retry_after.as_secs().max(1) }))
}
