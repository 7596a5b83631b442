//! The steps that only touch the record: where an operation begins, turns round and ends.

use berth_domain::failure::Failure;
use berth_domain::operation::{Caught, Identity, Kind, Outcome};
use berth_domain::{Environment, Error, Status};
use serde_json::Value;

use crate::context::Context;
use crate::evidence;
use crate::step_error::Report;

/// How much of an unknown cause is shown, in characters.
const LONGEST_CAUSE: usize = 500;

/// Reads the record and says where to go. An execution that is started again finds its way from here.
pub(crate) async fn begin(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    let seen = context.store.environment_get(&identity.team, &identity.environment).await?;
    let not_before = seen.operation().not_before.filter(|_| seen.operation().id == identity.operation);
    if let Some(left) = not_before.and_then(|at| context.clock.left_until(at)) {
        return Ok(Outcome::Wait { seconds: left.as_secs_f64().ceil().max(1.0) as u64 });
    }
    let begin =
        |environment: &mut Environment, now| environment.begin_execution(&identity.operation, &context.clock, now);
    let environment = change(context, identity, begin).await?;
    if !environment.must_stop(&identity.operation) && environment.operation().kind == Kind::Provision {
        return Ok(Outcome::Provision);
    }
    Ok(if environment.is_under_way(&identity.operation) { Outcome::Remove } else { Outcome::Ended })
}

/// Saves why provisioning failed, with what can be seen of it, before anything is undone. The first failure stays.
pub(crate) async fn record_failure(
    context: &Context,
    identity: &Identity,
    caught: Option<&Caught>,
) -> Result<Outcome, Error> {
    let caught = caught.ok_or_else(|| Error::internal("RecordFailure without what was caught"))?;
    let environment = context.store.environment_get(&identity.team, &identity.environment).await?;
    if environment.must_stop(&identity.operation) {
        return Ok(Outcome::Stop);
    }
    let Report { code, message } = report(caught);
    let evidence = evidence::collect(context, &environment, caught.step).await;
    let failure = Failure::diagnosed(&environment.id, caught.step, code, message, evidence);
    let record =
        |environment: &mut Environment, now| environment.record_failure(&identity.operation, failure.clone(), now);
    change(context, identity, record).await?;
    Ok(Outcome::Stop)
}

/// What the state machine caught: the step's own report, or what became of a call that could not report.
fn report(caught: &Caught) -> Report {
    let cause = caught.error["Cause"].as_str().unwrap_or_default();
    let function_error: Value = serde_json::from_str(cause).unwrap_or_default();
    if let Some(report) = function_error["errorMessage"].as_str().and_then(|text| serde_json::from_str(text).ok()) {
        return report;
    }
    let name = caught.error["Error"].as_str().unwrap_or("an unknown error");
    let code = if name == "States.Timeout" { "step_timed_out" } else { "step_crashed" };
    let cause: String = cause.chars().take(LONGEST_CAUSE).collect();
    let message =
        format!("{} ended with {name}: {cause}. Try again; if it happens again, tell your operators.", caught.step);
    Report { code: code.to_owned(), message }
}

/// Begins the removal, unless the operation has ended after all: a `MarkReady` that took effect although its call failed must
/// not be followed by an unwinding.
pub(crate) async fn begin_removal(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    let begin = |environment: &mut Environment, now| environment.begin_removal(&identity.operation, now);
    let environment = change(context, identity, begin).await?;
    Ok(if environment.is_removing(&identity.operation) { Outcome::Remove } else { Outcome::Ended })
}

/// Commits `ready`, unless a failure or a delete came first. What comes later is another operation's.
pub(crate) async fn mark_ready(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    let mark = |environment: &mut Environment, _| environment.mark_ready(&identity.operation);
    let environment = change(context, identity, mark).await?;
    let is_ready = environment.operation().id == identity.operation && environment.status() == Status::Ready;
    Ok(if is_ready { Outcome::Done } else { Outcome::Stop })
}

/// Ends the removal: `deleted` or `failed` when the ledger has nothing left, `cleanup_failed` otherwise.
pub(crate) async fn mark_gone(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    let mark = |environment: &mut Environment, _| environment.mark_gone(&identity.operation, &context.clock);
    change(context, identity, mark).await?;
    Ok(Outcome::Done)
}

async fn change(
    context: &Context,
    identity: &Identity,
    change: impl FnMut(&mut Environment, jiff::Timestamp) -> Result<(), Error>,
) -> Result<Environment, Error> {
    context.store.environment_change(&identity.team, &identity.environment, change).await
}
