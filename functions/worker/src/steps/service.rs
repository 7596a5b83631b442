//! The ECS service: `EnsureService` until its tasks run, `EnsureTargetHealth` until the load balancer finds them
//! healthy, `UndoService` until it is INACTIVE, which means that its tasks are gone too.

use berth_aws::resources::{Service, ServiceCreated};
use berth_domain::environment::ResourceKind;
use berth_domain::{Environment, Error, Step};

use super::{Progress, may_turn_up, recorded, waiting};
use crate::context::Context;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let (kind, step) = (ResourceKind::Service, Step::EnsureService);
    let found = context.resources.service_find(environment).await?;
    let Some(service) = found.filter(|service| service.status == "ACTIVE") else {
        let target_group = recorded(environment, ResourceKind::TargetGroup)?;
        context.announce(environment, kind).await?;
        return match context.resources.service_create(environment, target_group).await? {
            ServiceCreated::Created(arn) => {
                context.found(environment, kind, &arn, None).await?;
                Ok(waiting(context, environment, step, "the service is created; its tasks are starting"))
            }
            ServiceCreated::NotYet(why) => Ok(waiting(context, environment, step, why)),
        };
    };
    context.found(environment, kind, &service.arn, None).await?;
    must_not_have_failed(&service)?;
    if service.running >= service.desired {
        return Ok(Progress::Ready);
    }
    let stopped = context.resources.stopped_tasks(environment).await?;
    let newest = stopped.first().map_or_else(String::new, |task| format!("; {}", task.detail));
    let why = format!("{} of {} tasks are running{newest}", service.running, service.desired);
    Ok(waiting(context, environment, step, why))
}

pub(crate) async fn ensure_target_health(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let target_group = recorded(environment, ResourceKind::TargetGroup)?;
    let targets = context.resources.target_health(target_group).await?;
    let healthy = targets.iter().filter(|target| target.healthy).count();
    let wanted = environment.spec.desired_count;
    if healthy >= wanted as usize {
        return Ok(Progress::Ready);
    }
    // An unhealthy target, or none, may be a task that keeps stopping: ECS knows.
    if let Some(service) = context.resources.service_find(environment).await? {
        must_not_have_failed(&service)?;
    }
    let ill = targets.iter().find(|target| !target.healthy);
    let detail = ill.map_or_else(String::new, |target| format!("; {} is {}", target.address, target.why));
    let why = format!("{healthy} of {wanted} targets are healthy{detail}");
    Ok(waiting(context, environment, Step::EnsureTargetHealth, why))
}

/// The circuit breaker gave up. A first deployment has nothing to roll back to: it stalls (docs/aws.md#deployments).
fn must_not_have_failed(service: &Service) -> Result<(), Error> {
    match &service.failed {
        None => Ok(()),
        Some(reason) => Err(Error::Failed {
            code: "service_failed",
            message: format!("ECS gave up starting the service: {reason}"),
        }),
    }
}

pub(crate) async fn undo(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let (kind, step) = (ResourceKind::Service, Step::UndoService);
    if environment.resources.get(kind).is_none() {
        return Ok(Progress::Ready);
    }
    match context.resources.service_find(environment).await? {
        Some(service) if service.status == "ACTIVE" => {
            context.came_upon(environment, kind, &service.arn).await?;
            context.resources.service_delete(&environment.spec.cluster, &service.arn).await?;
            Ok(waiting(context, environment, step, "the service is deleted; its tasks are stopping"))
        }
        Some(service) if service.status == "DRAINING" => {
            let why = format!("the service is draining; {} tasks are still running", service.running);
            Ok(waiting(context, environment, step, why))
        }
        // What is INACTIVE may be an earlier attempt's: ECS goes on describing it until there is another of that name.
        _ => {
            if let Some(waiting) = may_turn_up(context, environment, kind) {
                return Ok(waiting);
            }
            context.absent(environment, kind).await?;
            Ok(Progress::Ready)
        }
    }
}
