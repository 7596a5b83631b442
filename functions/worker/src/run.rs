//! One call of the worker, from its payload to its outcome: what every step has in common.
//!
//! A step that waits is looked at again inside the call while the expected moment is near, because a second of the worker
//! is cheaper than a state transition; otherwise the state machine waits. Before every look the record is loaded anew:
//! a failure elsewhere or a delete ends provisioning here, cooperatively, and nothing is cut off.

use std::time::Duration;

use berth_domain::environment::StepState;
use berth_domain::operation::{Identity, Outcome, StepInput};
use berth_domain::rate_limit::RateLimit;
use berth_domain::{Environment, Error, Status, Step, usual};

use crate::context::Context;
use crate::record;
use crate::step_error::StepError;
use crate::steps::{self, Progress};

/// The longest time between two looks that is spent inside the call, in AWS time.
const SHORT_WAIT: Duration = Duration::from_secs(5);
/// Between two tries of a removal that AWS puts off.
const PUT_OFF: Duration = Duration::from_secs(10);
/// The least time between two tries of a call that AWS throttles; up to twice as long, so that not all come at once.
const THROTTLED: Duration = Duration::from_secs(3);
/// How long a call may go on looking, in AWS time: with one last look of 30 s still within the worker's time limit.
const LONGEST_CALL: Duration = Duration::from_secs(25);

/// Runs one step.
///
/// # Errors
/// [`StepError`], by which the state machine tries again or gives the step up.
#[tracing::instrument(name = "step", skip_all, fields(step = %input.step, environment = %input.identity.environment, operation = %input.identity.operation))]
pub async fn run(context: &Context, input: StepInput) -> Result<Outcome, StepError> {
    let outcome = one(context, &input).await;
    match &outcome {
        Ok(outcome) => tracing::info!(?outcome, "step"),
        Err(error) => tracing::warn!(error = error.public(), cause = error.cause(), "step failed"),
    }
    Ok(outcome?)
}

async fn one(context: &Context, input: &StepInput) -> Result<Outcome, Error> {
    let StepInput { step, identity, caught } = input;
    match step {
        Step::Begin => record::begin(context, identity).await,
        Step::RecordFailure => record::record_failure(context, identity, caught.as_ref()).await,
        Step::BeginRemoval => record::begin_removal(context, identity).await,
        Step::MarkReady => record::mark_ready(context, identity).await,
        Step::MarkGone => record::mark_gone(context, identity).await,
        Step::EnsureLoadBalancer
        | Step::EnsureTargetGroup
        | Step::EnsureListener
        | Step::EnsureService
        | Step::EnsureTargetHealth
        | Step::EnsureLoadBalancerActive
        | Step::EnsureVpcLink
        | Step::EnsureRestApi
        | Step::EnsureDeployment
        | Step::EnsureReachable => forward(context, *step, identity).await,
        Step::UndoRestApi
        | Step::UndoVpcLink
        | Step::UndoService
        | Step::UndoListener
        | Step::UndoTargetGroup
        | Step::UndoLoadBalancer => backward(context, *step, identity).await,
    }
}

async fn forward(context: &Context, step: Step, identity: &Identity) -> Result<Outcome, Error> {
    let began = context.clock.now();
    loop {
        let environment = moves(context, identity, step, StepState::Running, None).await?;
        if environment.must_stop(&identity.operation) {
            return Ok(Outcome::Stop);
        }
        let result = match Box::pin(steps::ensure(context, step, &environment)).await {
            Err(Error::Throttled { message, cause }) => throttled(context, &environment, step, &message, &cause).await,
            other => other,
        };
        let progress = told(context, &environment, identity, step, result).await?;
        if let Some(outcome) = settle(context, environment, identity, step, progress, began).await? {
            return Ok(outcome);
        }
    }
}

async fn backward(context: &Context, step: Step, identity: &Identity) -> Result<Outcome, Error> {
    let began = context.clock.now();
    loop {
        let environment = moves(context, identity, step, StepState::Running, None).await?;
        if environment.status != Status::Deleting || environment.operation.id != identity.operation {
            return Ok(Outcome::Ended);
        }
        if let Some(kind) = step.needs_gone().iter().find(|kind| environment.resources.get(**kind).is_some()) {
            let why = format!("not tried: the {} is still there", kind.word());
            moves_from(context, environment, identity, step, StepState::Failed, Some(why)).await?;
            return Ok(Outcome::Done);
        }
        // What may pass is waited for within the step's own limit, however long it takes: a removal that gives up leaves
        // something behind (DeleteRestApi alone is allowed once per 30 s for the whole account, docs/aws.md#rates).
        let progress = match Box::pin(steps::undo(context, step, &environment)).await {
            Err(Error::Throttled { message, cause }) => {
                throttled(context, &environment, step, &message, &cause).await?
            }
            Err(Error::Unavailable { message, cause }) => {
                tracing::warn!(cause, "to be tried again");
                Progress::Waiting { retry_after: PUT_OFF, why: format!("to be tried again: {message}") }
            }
            other => told(context, &environment, identity, step, other).await?,
        };
        if let Some(outcome) = settle(context, environment, identity, step, progress, began).await? {
            return Ok(outcome);
        }
    }
}

/// AWS throttles: the step waits and keeps its turn, as long as its limit allows. Somebody else uses the account's rate
/// as well, so nobody new comes before there is something to have again.
async fn throttled(
    context: &Context,
    environment: &Environment,
    step: Step,
    message: &str,
    cause: &str,
) -> Result<Progress, Error> {
    tracing::info!(cause, "throttled");
    if let Some(rate_limit) = RateLimit::of(step).filter(|rate_limit| message.starts_with(rate_limit.name())) {
        context.store.bucket_exhausted(rate_limit).await?;
    }
    let chance =
        u64::from(context.clock.now().subsec_nanosecond().unsigned_abs()).wrapping_add(environment.version) % 1_000;
    let retry_after = THROTTLED + THROTTLED.mul_f64(chance as f64 / 1_000.0);
    Ok(Progress::Waiting { retry_after, why: format!("to be tried again: {message}") })
}

/// Writes an error into the step's record before it goes on to the state machine, so that the status never lies.
async fn told(
    context: &Context,
    environment: &Environment,
    identity: &Identity,
    step: Step,
    progress: Result<Progress, Error>,
) -> Result<Progress, Error> {
    if let Err(error) = &progress {
        let (state, why) = match error {
            Error::Unavailable { message, .. } | Error::Throttled { message, .. } => {
                (StepState::Waiting, format!("to be tried again: {message}"))
            }
            other => (StepState::Failed, other.public().to_owned()),
        };
        moves_from(context, environment.clone(), identity, step, state, Some(why)).await?;
    }
    progress
}

/// What to do with a step's progress: `None` means to look again now.
async fn settle(
    context: &Context,
    environment: Environment,
    identity: &Identity,
    step: Step,
    progress: Progress,
    began: jiff::Timestamp,
) -> Result<Option<Outcome>, Error> {
    let (retry_after, why) = match progress {
        Progress::Ready => {
            moves_from(context, environment, identity, step, StepState::Done, None).await?;
            return Ok(Some(Outcome::Done));
        }
        Progress::Waiting { retry_after, why } => (retry_after, why),
    };
    let environment = moves_from(context, environment, identity, step, StepState::Waiting, Some(why.clone())).await?;
    let since = environment.at_work_since(step).unwrap_or(began);
    if context.clock.limit_passed(since, usual::limit(step)) {
        let message = format!("{step} gave up after {} s: {why}", usual::limit(step).as_secs());
        return told(context, &environment, identity, step, Err(Error::Failed { code: "timed_out", message }))
            .await
            .map(|_| None);
    }
    if retry_after <= SHORT_WAIT && context.clock.since(began) + retry_after <= LONGEST_CALL {
        context.clock.sleep(retry_after).await;
        return Ok(None);
    }
    // Rounded down: what is left of a second is waited for inside the next call, so that a turn is met exactly.
    Ok(Some(Outcome::Wait { seconds: retry_after.as_secs().max(1) }))
}

async fn moves(
    context: &Context,
    identity: &Identity,
    step: Step,
    state: StepState,
    why: Option<String>,
) -> Result<Environment, Error> {
    let environment = context.store.environment_get(&identity.team, &identity.environment).await?;
    moves_from(context, environment, identity, step, state, why).await
}

/// The same for an environment that was loaded at the beginning of this look.
async fn moves_from(
    context: &Context,
    environment: Environment,
    identity: &Identity,
    step: Step,
    state: StepState,
    why: Option<String>,
) -> Result<Environment, Error> {
    let change = |environment: &mut Environment, now| {
        // A step whose operation was stopped, has ended or was taken over leaves no mark any more.
        let marks = if Step::ENSURE.contains(&step) {
            !environment.must_stop(&identity.operation)
        } else {
            environment.operation.id == identity.operation && environment.status == Status::Deleting
        };
        if marks {
            environment.step_moves(step, state, why.clone(), now);
        }
        Ok(())
    };
    context.store.environment_change_from(environment, change).await
}
