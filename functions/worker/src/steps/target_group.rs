//! The target group that the service registers its tasks in.

use berth_domain::environment::ResourceKind;
use berth_domain::{Environment, Error, Step};

use super::{Progress, may_turn_up, waiting};
use crate::context::Context;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let kind = ResourceKind::TargetGroup;
    let arn = match context.resources.target_group_find(environment).await? {
        Some(arn) => arn,
        None => {
            // The load balancer knows the VPC of its subnets; nobody has to configure it.
            let Some(load_balancer) = context.resources.load_balancer_find(environment).await? else {
                return Ok(waiting(
                    context,
                    environment,
                    Step::EnsureTargetGroup,
                    "the load balancer does not show yet",
                ));
            };
            context.announce(environment, kind).await?;
            context.resources.target_group_create(environment, &load_balancer.vpc).await?
        }
    };
    context.found(environment, kind, &arn, None).await?;
    context.resources.target_group_settle(&arn).await?;
    Ok(Progress::Ready)
}

pub(crate) async fn undo(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let kind = ResourceKind::TargetGroup;
    if environment.resources.get(kind).is_none() {
        return Ok(Progress::Ready);
    }
    let Some(arn) = context.resources.target_group_find(environment).await? else {
        if let Some(waiting) = may_turn_up(context, environment, kind) {
            return Ok(waiting);
        }
        context.absent(environment, kind).await?;
        return Ok(Progress::Ready);
    };
    let environment = &context.came_upon(environment, kind, &arn).await?;
    let why = if context.resources.target_group_delete(&arn).await? {
        format!("target group {arn} is being deleted")
    } else {
        format!("target group {arn} is still in use by a listener")
    };
    if context.resources.target_group_find(environment).await?.is_some() {
        return Ok(waiting(context, environment, Step::UndoTargetGroup, why));
    }
    context.absent(environment, kind).await?;
    Ok(Progress::Ready)
}
