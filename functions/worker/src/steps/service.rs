//! The ECS service: `EnsureService` until its tasks run, `EnsureTargetHealth` until the load balancer finds them
//! healthy, `UndoService` until it is INACTIVE, which means that its tasks are gone too.

use berth_aws::resources::{Service, ServiceCreated};
use berth_domain::{Error, ResourceKind, limits};

use crate::step_run::{Progress, StepRun};

const KIND: ResourceKind = ResourceKind::Service;

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let (aws, name, spec) = (&run.context.aws, run.name(), &run.environment.spec);
    let mut ledger = run.ledger();
    let found = aws.service_find(&spec.cluster, &name).await?;
    let Some(service) = found.filter(|service| service.status == "ACTIVE") else {
        let target_group = run.recorded(ResourceKind::TargetGroup)?;
        must_be_allowed(run).await?;
        ledger.announce(KIND).await?;
        let client_token = format!("{}-{}", run.environment.id.bare(), run.environment.attempt());
        let created = aws.service_create(&name, &run.tags(), &client_token, spec, target_group).await;
        return match ledger.note_refused(KIND, created).await? {
            ServiceCreated::Created(arn) => {
                ledger.record_id(KIND, &arn, None).await?;
                Ok(run.waiting("the service is created; its tasks are starting"))
            }
            ServiceCreated::NotYet(why) => {
                ledger.record_refused(KIND).await?;
                Ok(run.waiting(why))
            }
        };
    };
    ledger.record_id(KIND, &service.arn, None).await?;
    must_not_have_failed(&service)?;
    if service.running >= service.desired {
        return Ok(Progress::Done);
    }
    let stopped = aws.stopped_tasks(&spec.cluster, &name).await?;
    let newest = stopped.first().map_or_else(String::new, |task| format!("; {}", task.detail));
    Ok(run.waiting(format!("{} of {} tasks are running{newest}", service.running, service.desired)))
}

/// The limits, or the tags of the task definition, may have changed since the request was accepted.
async fn must_be_allowed(run: &StepRun<'_>) -> Result<(), Error> {
    let (limits, environment) = (&run.context.settings.limits, &run.environment);
    let task_definition = run.context.aws.task_definition_get(&environment.spec.task_definition).await?;
    let mut excluded = limits.check_task_definition(&environment.team, &task_definition);
    excluded.extend(limits.check_network(&environment.spec.network));
    limits::refuse(excluded)
}

pub(crate) async fn ensure_target_health(run: &StepRun<'_>) -> Result<Progress, Error> {
    let (aws, spec) = (&run.context.aws, &run.environment.spec);
    let target_group = run.recorded(ResourceKind::TargetGroup)?;
    let targets = aws.target_health(target_group).await?;
    let healthy = targets.iter().filter(|target| target.healthy).count();
    if healthy >= spec.desired_count as usize {
        return Ok(Progress::Done);
    }
    // An unhealthy target, or none, may be a task that keeps stopping: ECS knows.
    if let Some(service) = aws.service_find(&spec.cluster, &run.name()).await? {
        must_not_have_failed(&service)?;
    }
    let unhealthy = targets.iter().find(|target| !target.healthy);
    let detail = unhealthy.map_or_else(String::new, |target| format!("; {} is {}", target.address, target.why));
    Ok(run.waiting(format!("{healthy} of {} targets are healthy{detail}", spec.desired_count)))
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

pub(crate) async fn undo(run: &StepRun<'_>) -> Result<Progress, Error> {
    let (aws, cluster) = (&run.context.aws, &run.environment.spec.cluster);
    match aws.service_find(cluster, &run.name()).await? {
        Some(service) if service.status == "ACTIVE" => {
            let mut ledger = run.ledger();
            ledger.record_if_missing(KIND, &service.arn).await?;
            aws.service_delete(cluster, &service.arn).await?;
            ledger.record_deletion(KIND).await?;
            Ok(run.waiting("the service is deleted; its tasks are stopping"))
        }
        Some(service) if service.status == "DRAINING" => {
            Ok(run.waiting(format!("the service is draining; {} tasks are still running", service.running)))
        }
        // An INACTIVE service may be an earlier attempt's: ECS goes on describing it until there is another of that name.
        _ => run.close_unless_late(KIND).await,
    }
}
