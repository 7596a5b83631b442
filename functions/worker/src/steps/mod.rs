//! One file per resource, each with `ensure` and, where it makes something, `undo`. The rules, which the fault suite
//! checks:
//!
//! - `ensure` finds by recorded id, else by derived name or tag, else announces in the record, creates, and records the id
//!   at once; then it looks whether the resource is ready. Calling it again is always safe.
//! - What AWS creates anew on every call (VPC link, REST API, deployment) is not created again while a lost reply may
//!   still have made one: see [`may_turn_up`].
//! - What the account may do only at a rate waits for its [`reserve_slot`] before anything is asked of AWS.
//! - `undo` finds the same way; absent is success, and done means that the absence was seen.
//! - A resource that was never announced needs no look.

mod deployment;
mod listener;
mod load_balancer;
mod reachable;
mod rest_api;
mod service;
mod target_group;
mod vpc_link;

use std::time::Duration;

use berth_domain::environment::ResourceKind;
use berth_domain::rate_limit::RateLimit;
use berth_domain::{Environment, Error, Step, usual};

use crate::context::Context;

/// Waits for the turn of `step`, whose operation AWS allows the whole account at a rate only; `None` when it has come. The
/// turn is taken once and kept in the record, whatever happens to the call.
pub(crate) async fn reserve_slot(context: &Context, environment: &Environment, step: Step) -> Result<Option<Progress>, Error> {
    let Some(rate_limit) = RateLimit::of(step) else { return Ok(None) };
    let mut slot_at = environment.step(step).and_then(|record| record.slot_at);
    if slot_at.is_none() {
        let taken = context.store.slot_reserve(rate_limit).await?;
        let queue = |environment: &mut Environment, _| {
            environment.step_reserve_slot(step, taken);
            Ok(())
        };
        let queued = context.store.environment_change_from(environment.clone(), queue).await?;
        slot_at = queued.step(step).and_then(|record| record.slot_at);
    }
    let left = slot_at.and_then(|at| context.clock.left_until(at));
    let why = || format!("waiting for its slot: {rate_limit}");
    // A removal has nothing to notice meanwhile.
    let longest = if Step::UNDO.contains(&step) { LONGEST_IN_A_QUEUE } else { usual::LONGEST_WAIT };
    Ok(left.map(|left| Progress::Waiting { retry_after: left.min(longest), why: why() }))
}

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// What the step is for is so.
    Ready,
    /// Not yet.
    Waiting {
        /// When to look again, in AWS time.
        retry_after: Duration,
        /// What is being waited for.
        why: String,
    },
}

/// The longest single wait of a removal for its turn.
const LONGEST_IN_A_QUEUE: Duration = Duration::from_secs(300);
/// How long AWS may take to show what a call whose reply was lost has made: what it still needs when the caller has given up
/// after 20 s, and what reads lag behind.
const SETTLING: Duration = Duration::from_secs(60);

/// Goes forward.
pub(crate) async fn ensure(context: &Context, step: Step, environment: &Environment) -> Result<Progress, Error> {
    match step {
        Step::EnsureLoadBalancer => load_balancer::ensure(context, environment).await,
        Step::EnsureTargetGroup => target_group::ensure(context, environment).await,
        Step::EnsureListener => listener::ensure(context, environment).await,
        Step::EnsureService => service::ensure(context, environment).await,
        Step::EnsureTargetHealth => service::ensure_target_health(context, environment).await,
        Step::EnsureLoadBalancerActive => load_balancer::ensure_active(context, environment).await,
        Step::EnsureVpcLink => vpc_link::ensure(context, environment).await,
        Step::EnsureRestApi => rest_api::ensure(context, environment).await,
        Step::EnsureDeployment => deployment::ensure(context, environment).await,
        Step::EnsureReachable => reachable::ensure(context, environment).await,
        other => Err(Error::internal(format!("{other} does not go forward"))),
    }
}

/// Goes backward.
pub(crate) async fn undo(context: &Context, step: Step, environment: &Environment) -> Result<Progress, Error> {
    match step {
        Step::UndoRestApi => rest_api::undo(context, environment).await,
        Step::UndoVpcLink => vpc_link::undo(context, environment).await,
        Step::UndoService => service::undo(context, environment).await,
        Step::UndoListener => listener::undo(context, environment).await,
        Step::UndoTargetGroup => target_group::undo(context, environment).await,
        Step::UndoLoadBalancer => load_balancer::undo(context, environment).await,
        other => Err(Error::internal(format!("{other} does not go backward"))),
    }
}

/// Waits as long as `step` usually still takes.
pub(crate) fn waiting(context: &Context, environment: &Environment, step: Step, why: impl Into<String>) -> Progress {
    let elapsed = environment.at_work_since(step).map_or(Duration::ZERO, |since| context.clock.since(since));
    Progress::Waiting { retry_after: usual::next_look(step, elapsed), why: why.into() }
}

/// How long a resource of `kind` that cannot be found may still turn up: its creation was announced or answered a moment
/// ago, and reads may lag behind.
pub(crate) fn may_turn_up(context: &Context, environment: &Environment, kind: ResourceKind) -> Option<Progress> {
    let resource = environment.resources.get(kind).filter(|resource| !resource.refused)?;
    let made = resource.recorded_at.unwrap_or(resource.announced_at);
    let left = SETTLING.checked_sub(context.clock.since(made)).filter(|left| !left.is_zero())?;
    let why = format!("making sure that no {} turns up from a call whose reply was lost", kind.word());
    Some(Progress::Waiting { retry_after: left.min(usual::LONGEST_WAIT), why })
}

/// A resource whose id is recorded cannot be found: its reads may lag behind its creation, but not for long.
///
/// # Errors
/// `Failed` when it has been gone for longer than that: somebody else deleted it.
pub(crate) fn lost(
    context: &Context,
    environment: &Environment,
    step: Step,
    kind: ResourceKind,
) -> Result<Progress, Error> {
    let recorded = environment.resources.get(kind).and_then(|resource| resource.recorded_at);
    if recorded.is_some_and(|at| context.clock.limit_passed(at, SETTLING)) {
        return Err(Error::Failed {
            code: "resource_lost",
            message: format!("The {} was deleted by somebody else.", kind.word()),
        });
    }
    Ok(waiting(context, environment, step, format!("the {} does not show yet", kind.word())))
}

/// The recorded id of what an earlier step made.
pub(crate) fn recorded(environment: &Environment, kind: ResourceKind) -> Result<&str, Error> {
    environment
        .resources
        .id(kind)
        .ok_or_else(|| Error::internal(format!("{}: the {} is not in the record", environment.id, kind.word())))
}
