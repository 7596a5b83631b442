//! The target group that the service registers its tasks in.

use berth_aws::resources::Deletion;
use berth_domain::{Error, ResourceKind};

use crate::step_run::{Progress, StepRun};

const KIND: ResourceKind = ResourceKind::TargetGroup;

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let (aws, name) = (&run.context.aws, run.name());
    let mut ledger = run.ledger();
    let arn = match aws.target_group_find(&name).await? {
        Some(arn) => arn,
        None => {
            // The load balancer knows the VPC of its subnets, so the deployment need not configure it.
            let Some(load_balancer) = aws.load_balancer_find(&name).await? else {
                return Ok(run.waiting("the load balancer does not show yet"));
            };
            ledger.announce(KIND).await?;
            let created = aws.target_group_create(&name, &run.tags(), &load_balancer.vpc, &run.environment.spec).await;
            ledger.note_refused(KIND, created).await?
        }
    };
    ledger.record_id(KIND, &arn, None).await?;
    aws.target_group_configure(&arn).await?;
    Ok(Progress::Done)
}

pub(crate) async fn undo(run: &StepRun<'_>) -> Result<Progress, Error> {
    let (aws, name) = (&run.context.aws, run.name());
    let Some(arn) = aws.target_group_find(&name).await? else {
        return run.close_unless_late(KIND).await;
    };
    let mut ledger = run.ledger();
    ledger.record_if_missing(KIND, &arn).await?;
    let deletion = aws.target_group_delete(&arn).await?;
    if aws.target_group_find(&name).await?.is_none() {
        return run.close_deleted(&ledger, KIND).await;
    }
    match deletion {
        Deletion::Accepted => {
            ledger.record_deletion(KIND).await?;
            Ok(run.waiting(format!("target group {arn} is being deleted")))
        }
        Deletion::InUse(message) => Ok(run.waiting(message)),
    }
}
