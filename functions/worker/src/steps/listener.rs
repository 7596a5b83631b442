//! The listener: until it forwards to the target group, ECS refuses the service (docs/aws.md#creating-a-service).

use berth_domain::environment::ResourceKind;
use berth_domain::{Environment, Error, Step};

use super::{Progress, may_turn_up, recorded, waiting};
use crate::context::Context;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let load_balancer = recorded(environment, ResourceKind::LoadBalancer)?;
    let target_group = recorded(environment, ResourceKind::TargetGroup)?;
    let arn = match context.resources.listener_find(load_balancer).await? {
        Some(arn) => arn,
        None => {
            context.announce(environment, ResourceKind::Listener).await?;
            context.resources.listener_create(environment, load_balancer, target_group).await?
        }
    };
    context.found(environment, ResourceKind::Listener, &arn, None).await?;
    Ok(Progress::Ready)
}

pub(crate) async fn undo(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let kind = ResourceKind::Listener;
    if environment.resources.get(kind).is_none() {
        return Ok(Progress::Ready);
    }
    // A listener goes with its load balancer.
    let Some(load_balancer) = environment.resources.id(ResourceKind::LoadBalancer) else {
        context.absent(environment, kind).await?;
        return Ok(Progress::Ready);
    };
    match context.resources.listener_find(load_balancer).await? {
        Some(arn) => {
            let environment = &context.came_upon(environment, kind, &arn).await?;
            context.resources.listener_delete(&arn).await?;
            if context.resources.listener_find(load_balancer).await?.is_some() {
                let why = format!("listener {arn} is being deleted");
                return Ok(waiting(context, environment, Step::UndoListener, why));
            }
            context.absent(environment, kind).await?;
        }
        None => {
            if let Some(waiting) = may_turn_up(context, environment, kind) {
                return Ok(waiting);
            }
            context.absent(environment, kind).await?;
        }
    }
    Ok(Progress::Ready)
}
