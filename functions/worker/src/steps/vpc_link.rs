//! The VPC link (V1). Every creation makes another one, and a load balancer can carry only one: so the tag is looked
//! up first, and a creation that was announced is given time to show.

use berth_aws::resources::{Deletion, VpcLinkState};
use berth_domain::error::PERMISSION_DENIED;
use berth_domain::{Error, ResourceKind};

use crate::step_run::{Progress, StepRun};

const KIND: ResourceKind = ResourceKind::VpcLink;

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let aws = &run.context.aws;
    if let Some(id) = run.environment.ledger().id(KIND) {
        return match aws.vpc_link_get(id).await?.map(|link| link.state) {
            Some(VpcLinkState::Available) => Ok(Progress::Done),
            Some(VpcLinkState::Pending) => Ok(run.waiting(format!("VPC link {id} is pending"))),
            Some(VpcLinkState::Failed(why)) => Err(Error::Failed {
                code: "vpc_link_failed",
                message: format!("API Gateway could not set up the VPC link: {why}."),
            }),
            Some(VpcLinkState::Deleting) => Err(Error::Failed {
                code: "vpc_link_deleted",
                message: format!("VPC link {id} is being deleted outside of Berth."),
            }),
            None => run.missing_after_create(KIND),
        };
    }
    let load_balancer = run.recorded(ResourceKind::LoadBalancer)?;
    let mut ledger = run.ledger();
    let link = match aws.vpc_links_find(&run.environment.id).await?.into_iter().next() {
        Some(link) => link,
        None => {
            if let Some(waiting) = run.wait_for_late_creation(KIND) {
                return Ok(waiting);
            }
            ledger.announce(KIND).await?;
            let created = aws.vpc_link_create(&run.name(), &run.tags(), load_balancer).await;
            ledger.note_refused(KIND, created).await?
        }
    };
    ledger.record_id(KIND, &link.id, None).await?;
    Ok(run.waiting(format!("VPC link {} is pending", link.id)))
}

pub(crate) async fn undo(run: &StepRun<'_>) -> Result<Progress, Error> {
    let aws = &run.context.aws;
    // By tag as well as by id: should there ever be two, both go.
    let mut links = aws.vpc_links_find(&run.environment.id).await?;
    if let Some(id) = run.environment.ledger().id(KIND)
        && links.iter().all(|link| link.id != id)
    {
        links.extend(aws.vpc_link_get(id).await?);
    }
    let mut ledger = run.ledger();
    let mut why = None;
    for link in &links {
        ledger.record_if_missing(KIND, &link.id).await?;
        why = Some(format!("VPC link {} is being deleted", link.id));
        if link.state == VpcLinkState::Deleting {
            ledger.record_deletion(KIND).await?;
            continue;
        }
        match aws.vpc_link_delete(&link.id).await {
            Ok(Deletion::Accepted) => ledger.record_deletion(KIND).await?,
            Ok(Deletion::InUse(message)) => why = Some(message),
            // A link that is gone carries no tag, and without the deployment's tag the role may delete nothing.
            Err(Error::Refused { code: PERMISSION_DENIED, .. }) if is_going(run, &link.id).await? => {}
            Err(error) => return Err(error),
        }
    }
    match why {
        Some(why) => Ok(run.waiting(why)),
        None => run.close_unless_late(KIND).await,
    }
}

/// Whether the link is being deleted, or gone.
async fn is_going(run: &StepRun<'_>, id: &str) -> Result<bool, Error> {
    let link = run.context.aws.vpc_link_get(id).await?;
    Ok(link.is_none_or(|link| link.state == VpcLinkState::Deleting))
}
