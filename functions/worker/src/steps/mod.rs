//! One file per resource, each with `ensure` and, where it creates something, `undo`. The rules, which the fault suite
//! checks:
//!
//! - `ensure` finds by recorded id, else by derived name or tag, else announces in the record, creates, and records the id
//!   at once; then it looks whether the resource is ready. Calling it again is always safe.
//! - A call that AWS creates something new for every time (VPC link, REST API, deployment) is not repeated while a lost reply
//!   may still have created one: see [`StepRun::wait_for_late_creation`].
//! - A call whose rate the account shares waits for its slot before AWS is asked anything: see [`StepRun::reserve_slot`].
//! - `undo` finds the same way; absent is success, and done means that the absence was seen.
//! - A resource that was never announced needs no look.

mod listener;
mod load_balancer;
mod reachable;
mod rest_api;
mod service;
mod stage;
mod target_group;
mod vpc_link;

use berth_domain::{Error, Step};

use crate::step_run::{Progress, StepRun};

/// Looks once at a step that goes forward.
pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    match run.step {
        Step::EnsureLoadBalancer => load_balancer::ensure(run).await,
        Step::EnsureTargetGroup => target_group::ensure(run).await,
        Step::EnsureListener => listener::ensure(run).await,
        Step::EnsureService => service::ensure(run).await,
        Step::EnsureTargetHealth => service::ensure_target_health(run).await,
        Step::EnsureLoadBalancerActive => load_balancer::ensure_active(run).await,
        Step::EnsureVpcLink => vpc_link::ensure(run).await,
        Step::EnsureRestApi => rest_api::ensure(run).await,
        Step::EnsureStage => stage::ensure(run).await,
        Step::EnsureReachable => reachable::ensure(run).await,
        other => Err(Error::internal(format!("{other} does not go forward"))),
    }
}

/// Looks once at a step that goes backward.
pub(crate) async fn undo(run: &StepRun<'_>) -> Result<Progress, Error> {
    match run.step.resource() {
        // A resource that was never announced, or is verified absent, needs no look.
        Some(kind) if run.environment.ledger().get(kind).is_none() => Ok(Progress::Done),
        _ => match run.step {
            Step::UndoRestApi => rest_api::undo(run).await,
            Step::UndoVpcLink => vpc_link::undo(run).await,
            Step::UndoLoadBalancer => load_balancer::undo(run).await,
            Step::UndoService => service::undo(run).await,
            Step::UndoListener => listener::undo(run).await,
            Step::UndoTargetGroup => target_group::undo(run).await,
            other => Err(Error::internal(format!("{other} does not go backward"))),
        },
    }
}
