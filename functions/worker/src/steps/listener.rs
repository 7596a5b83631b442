//! The listener: until it forwards to the target group, ECS refuses the service (docs/aws.md#creating-a-service).

use berth_domain::{Error, ResourceKind};

use crate::step_run::{Progress, StepRun};

const KIND: ResourceKind = ResourceKind::Listener;

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let aws = &run.context.aws;
    let load_balancer = run.recorded(ResourceKind::LoadBalancer)?;
    let target_group = run.recorded(ResourceKind::TargetGroup)?;
    let mut ledger = run.ledger();
    let arn = match aws.listener_find(load_balancer).await? {
        Some(arn) => arn,
        None => {
            ledger.announce(KIND).await?;
            let created = aws.listener_create(load_balancer, target_group, &run.tags()).await;
            ledger.note_refused(KIND, created).await?
        }
    };
    ledger.record_id(KIND, &arn, None).await?;
    Ok(Progress::Done)
}

pub(crate) async fn undo(run: &StepRun<'_>) -> Result<Progress, Error> {
    let aws = &run.context.aws;
    let mut ledger = run.ledger();
    // A listener goes with its load balancer.
    let Some(load_balancer) = run.environment.ledger().id(ResourceKind::LoadBalancer) else {
        ledger.close(KIND).await?;
        return Ok(Progress::Done);
    };
    let Some(arn) = aws.listener_find(load_balancer).await? else {
        return run.close_unless_late(KIND).await;
    };
    ledger.record_if_missing(KIND, &arn).await?;
    aws.listener_delete(&arn).await?;
    if aws.listener_find(load_balancer).await?.is_some() {
        ledger.record_deletion(KIND).await?;
        return Ok(run.waiting(format!("listener {arn} is being deleted")));
    }
    run.close_deleted(&ledger, KIND).await
}
