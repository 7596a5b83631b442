//! One call of the worker, from its payload to its outcome: which step it is, and what the state machine is answered.

use berth_domain::operation::{Outcome, StepInput};
use berth_domain::step::Direction;
use berth_domain::{Error, Step};

use crate::context::Context;
use crate::record;
use crate::step_error::StepError;
use crate::step_run::StepRun;

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
        step => match step.direction() {
            Direction::Forward | Direction::Backward => StepRun::run(context, *step, identity).await,
            Direction::Record => Err(Error::internal(format!("{step} is no step of the record"))),
        },
    }
}
