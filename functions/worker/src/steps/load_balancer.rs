//! The network load balancer: `EnsureLoadBalancer` creates it, `EnsureLoadBalancerActive` waits for it,
//! `UndoLoadBalancer` removes it.

use berth_aws::resources::{Deletion, LoadBalancerState};
use berth_domain::{Error, ResourceKind, limits};

use crate::step_run::{Progress, StepRun};

const KIND: ResourceKind = ResourceKind::LoadBalancer;

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    if run.environment.ledger().id(KIND).is_none()
        && let Some(waiting) = run.reserve_slot().await?
    {
        return Ok(waiting);
    }
    let (aws, name) = (&run.context.aws, run.name());
    let mut ledger = run.ledger();
    let load_balancer = match aws.load_balancer_find(&name).await? {
        Some(load_balancer) => load_balancer,
        None => {
            // The limits may have changed since the request was accepted.
            limits::refuse(run.context.settings.limits.check_network(&run.environment.spec.network))?;
            ledger.announce(KIND).await?;
            let created = aws.load_balancer_create(&name, &run.tags(), &run.environment.spec.network).await;
            ledger.note_refused(KIND, created).await?
        }
    };
    ledger.record_id(KIND, &load_balancer.arn, Some(&load_balancer.dns_name)).await?;
    Ok(Progress::Done)
}

pub(crate) async fn ensure_active(run: &StepRun<'_>) -> Result<Progress, Error> {
    let aws = &run.context.aws;
    let arn = run.recorded(KIND)?;
    // Reads may lag behind the creation (docs/aws.md#reads-lag-behind-writes).
    let Some(load_balancer) = aws.load_balancer_find(&run.name()).await? else {
        return run.missing_after_create(KIND);
    };
    match load_balancer.state {
        LoadBalancerState::Active => {
            if load_balancer.enforces_on_private_link {
                let groups = &run.environment.spec.network.security_groups;
                aws.load_balancer_trust_private_link(arn, groups).await?;
            }
            Ok(Progress::Done)
        }
        LoadBalancerState::Provisioning => Ok(run.waiting(format!("load balancer {arn} is provisioning"))),
        LoadBalancerState::Failed(reason) => Err(Error::Failed {
            code: "load_balancer_failed",
            message: format!("The load balancer could not be set up: {reason}."),
        }),
    }
}

pub(crate) async fn undo(run: &StepRun<'_>) -> Result<Progress, Error> {
    let (aws, name) = (&run.context.aws, run.name());
    let Some(load_balancer) = aws.load_balancer_find(&name).await? else {
        return run.close_unless_late(KIND).await;
    };
    let mut ledger = run.ledger();
    ledger.record_if_missing(KIND, &load_balancer.arn).await?;
    let deletion = aws.load_balancer_delete(&load_balancer.arn).await?;
    if aws.load_balancer_find(&name).await?.is_none() {
        return run.close_deleted(&ledger, KIND).await;
    }
    match deletion {
        Deletion::Accepted => {
            ledger.record_deletion(KIND).await?;
            Ok(run.waiting(format!("load balancer {} is being deleted", load_balancer.arn)))
        }
        Deletion::InUse(message) => Ok(run.waiting(message)),
    }
}
