//! The steps that only touch the record: where an operation begins, turns round and ends.

use berth_domain::environment::Failure;
use berth_domain::operation::{CALL_LIMIT, Caught, Identity, Outcome};
use berth_domain::{Environment, Error, Status, Step};
use serde_json::Value;

use crate::context::Context;
use crate::evidence;
use crate::step_error::Report;

/// How much of an unknown cause is shown, in characters.
const LONGEST_CAUSE: usize = 500;

/// Reads the record and says where to go. An execution that was started anew from the beginning finds its way here.
pub(crate) async fn begin(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    let before = context.store.environment_get(&identity.team, &identity.environment).await?;
    let early = before.operation.not_before.filter(|_| before.operation.id == identity.operation);
    if let Some(left) = early.and_then(|at| context.clock.left_until(at)) {
        return Ok(Outcome::Wait { seconds: left.as_secs_f64().ceil().max(1.0) as u64 });
    }
    let environment = change(context, identity, |environment, now| {
        if environment.operation.id == identity.operation && environment.status.is_moving() {
            // Made again because its reply was lost, it has begun already: progress must not go back. Two calls' time is
            // less than any step's limit, so that a system that was down so long does not time out by it either.
            let begun = environment.operation.execution_started_at;
            if begun.is_none_or(|at| context.clock.limit_passed(at, CALL_LIMIT * 2)) {
                environment.operation.execution_started_at = Some(now);
            }
            if environment.status == Status::Queued {
                environment.become_status(Status::Provisioning)?;
            }
        }
        Ok(())
    })
    .await?;
    if environment.operation.id != identity.operation {
        return Ok(Outcome::Ended);
    }
    Ok(match environment.status {
        Status::Provisioning if environment.failure.is_none() => Outcome::Provision,
        Status::Queued | Status::Provisioning | Status::Deleting => Outcome::Remove,
        Status::Ready | Status::Deleted | Status::Failed | Status::CleanupFailed => Outcome::Ended,
    })
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
    let evidence = evidence::gather(context, &environment, caught.step).await;
    let failure = Failure::diagnosed(&environment.id, caught.step, code, message, evidence);
    change(context, identity, |environment, now| {
        if !environment.must_stop(&identity.operation) {
            let why = Some(failure.message.clone());
            environment.step_moves(failure.step, berth_domain::environment::StepState::Failed, why, now);
            environment.fail(failure.clone())?;
        }
        Ok(())
    })
    .await?;
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
        format!("{} ended with {name}: {cause}. Try again; if it happens again, tell the operators.", caught.step);
    Report { code: code.to_owned(), message }
}

/// From here on everything is taken away, unless the operation has ended after all: a `MarkReady` that took effect although
/// its call failed must not be followed by an unwinding.
pub(crate) async fn begin_removal(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    let environment = change(context, identity, |environment, now| {
        if environment.operation.id != identity.operation || !environment.status.is_moving() {
            return Ok(());
        }
        if environment.failure.is_none() && environment.delete_requested_at.is_none() {
            // Nobody could write down what went wrong (RecordFailure itself failed); say at least that.
            let message = "Provisioning failed, and its cause could not be recorded; the execution's history has it.";
            let (code, message) = ("step_crashed".to_owned(), message.to_owned());
            environment.fail(Failure::diagnosed(&environment.id, Step::RecordFailure, code, message, Vec::new()))?;
        }
        environment.begin_removal(now)
    })
    .await?;
    let removes = environment.operation.id == identity.operation && environment.status == Status::Deleting;
    Ok(if removes { Outcome::Remove } else { Outcome::Ended })
}

/// `ready`, unless something came between. This is the commit point: what comes later is another operation's.
pub(crate) async fn mark_ready(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    let environment = change(context, identity, |environment, _| {
        if environment.must_stop(&identity.operation) {
            return Ok(());
        }
        environment.become_status(Status::Ready)
    })
    .await?;
    let is_ready = environment.operation.id == identity.operation && environment.status == Status::Ready;
    Ok(if is_ready { Outcome::Done } else { Outcome::Stop })
}

/// `deleted` or `failed` when the ledger has nothing left, `cleanup_failed` otherwise.
pub(crate) async fn mark_gone(context: &Context, identity: &Identity) -> Result<Outcome, Error> {
    change(context, identity, |environment, _| {
        if environment.operation.id == identity.operation && environment.status == Status::Deleting {
            environment.end_removal(&context.clock)?;
        }
        Ok(())
    })
    .await?;
    Ok(Outcome::Done)
}

async fn change(
    context: &Context,
    identity: &Identity,
    change: impl FnMut(&mut Environment, jiff::Timestamp) -> Result<(), Error>,
) -> Result<Environment, Error> {
    context.store.environment_change(&identity.team, &identity.environment, change).await
}
