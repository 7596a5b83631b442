//! The network load balancer: `EnsureLoadBalancer` creates it, `EnsureLoadBalancerActive` waits for it,
//! `UndoLoadBalancer` removes it.

use berth_aws::resources::LoadBalancerState;
use berth_domain::environment::ResourceKind;
use berth_domain::{Environment, Error, Step};

use super::{Progress, lost, may_turn_up, recorded, reserve_slot, waiting};
use crate::context::Context;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let kind = ResourceKind::LoadBalancer;
    if environment.resources.id(kind).is_none()
        && let Some(waiting) = reserve_slot(context, environment, Step::EnsureLoadBalancer).await?
    {
        return Ok(waiting);
    }
    let load_balancer = match context.resources.load_balancer_find(environment).await? {
        Some(load_balancer) => load_balancer,
        None => {
            context.announce(environment, kind).await?;
            context.resources.load_balancer_create(environment).await?
        }
    };
    let (arn, dns_name) = (&load_balancer.arn, &load_balancer.dns_name);
    context.found(environment, kind, arn, Some(dns_name)).await?;
    Ok(Progress::Ready)
}

pub(crate) async fn ensure_active(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let step = Step::EnsureLoadBalancerActive;
    let arn = recorded(environment, ResourceKind::LoadBalancer)?;
    let found = context.resources.load_balancer_find(environment).await?;
    let enforces = found.as_ref().is_some_and(|load_balancer| load_balancer.enforces_on_private_link);
    match found.map(|load_balancer| load_balancer.state) {
        Some(LoadBalancerState::Active) => {
            if enforces {
                let groups = &environment.spec.network.security_groups;
                context.resources.load_balancer_trust_private_link(arn, groups).await?;
            }
            Ok(Progress::Ready)
        }
        Some(LoadBalancerState::Provisioning) => {
            Ok(waiting(context, environment, step, format!("load balancer {arn} is provisioning")))
        }
        Some(LoadBalancerState::Failed(reason)) => Err(Error::Failed {
            code: "load_balancer_failed",
            message: format!("The load balancer could not be set up: {reason}."),
        }),
        // Reads may lag behind the creation (docs/aws.md#reads-lag-behind-writes).
        None => lost(context, environment, step, ResourceKind::LoadBalancer),
    }
}

pub(crate) async fn undo(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let kind = ResourceKind::LoadBalancer;
    if environment.resources.get(kind).is_none() {
        return Ok(Progress::Ready);
    }
    let Some(load_balancer) = context.resources.load_balancer_find(environment).await? else {
        if let Some(waiting) = may_turn_up(context, environment, kind) {
            return Ok(waiting);
        }
        context.absent(environment, kind).await?;
        return Ok(Progress::Ready);
    };
    let environment = &context.came_upon(environment, kind, &load_balancer.arn).await?;
    let why = match context.resources.load_balancer_delete(&load_balancer.arn).await? {
        Ok(()) => format!("load balancer {} is being deleted", load_balancer.arn),
        Err(in_use) => in_use,
    };
    if context.resources.load_balancer_find(environment).await?.is_some() {
        return Ok(waiting(context, environment, Step::UndoLoadBalancer, why));
    }
    context.absent(environment, kind).await?;
    Ok(Progress::Ready)
}
