//! The VPC link (V1). Every creation makes another one, and a load balancer can carry only one: so the tag is looked
//! up first, and a creation that was announced is given time to show.

use berth_aws::resources::{VpcLinkDeleted, VpcLinkState};
use berth_domain::environment::ResourceKind;
use berth_domain::error::PERMISSION_DENIED;
use berth_domain::{Environment, Error, Step};

use super::{Progress, lost, may_turn_up, recorded, waiting};
use crate::context::Context;

const KIND: ResourceKind = ResourceKind::VpcLink;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let step = Step::EnsureVpcLink;
    if let Some(id) = environment.resources.id(KIND) {
        return match context.resources.vpc_link_get(id).await?.map(|link| link.state) {
            Some(VpcLinkState::Available) => Ok(Progress::Ready),
            Some(VpcLinkState::Pending) => Ok(waiting(context, environment, step, format!("VPC link {id} is pending"))),
            Some(VpcLinkState::Failed(why)) => Err(Error::Failed {
                code: "vpc_link_failed",
                message: format!("API Gateway could not set up the VPC link: {why}."),
            }),
            Some(VpcLinkState::Deleting) => Err(Error::Failed {
                code: "vpc_link_deleted",
                message: format!("Somebody else is deleting VPC link {id}."),
            }),
            None => lost(context, environment, step, KIND),
        };
    }
    let load_balancer = recorded(environment, ResourceKind::LoadBalancer)?;
    let link = match context.resources.vpc_links_find(environment).await?.into_iter().next() {
        Some(link) => link,
        None => {
            if let Some(waiting) = may_turn_up(context, environment, KIND) {
                return Ok(waiting);
            }
            let announced = context.announce(environment, KIND).await?;
            let created = context.resources.vpc_link_create(environment, load_balancer).await;
            context.made(&announced, KIND, created).await?
        }
    };
    context.found(environment, KIND, &link.id, None).await?;
    Ok(waiting(context, environment, step, format!("VPC link {} is pending", link.id)))
}

pub(crate) async fn undo(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    if environment.resources.get(KIND).is_none() {
        return Ok(Progress::Ready);
    }
    // By tag as well as by id: should there ever be two, both go.
    let mut links = context.resources.vpc_links_find(environment).await?;
    if let Some(id) = environment.resources.id(KIND)
        && links.iter().all(|link| link.id != id)
    {
        links.extend(context.resources.vpc_link_get(id).await?);
    }
    let mut why = None;
    for link in &links {
        context.came_upon(environment, KIND, &link.id).await?;
        why = Some(format!("VPC link {} is being deleted", link.id));
        if link.state == VpcLinkState::Deleting {
            continue;
        }
        match context.resources.vpc_link_delete(&link.id).await {
            Ok(VpcLinkDeleted::Accepted) => {}
            Ok(VpcLinkDeleted::InUse(message)) => why = Some(message),
            // What is gone carries no tag, and without the deployment's tag the role may delete nothing.
            Err(Error::Refused { code: PERMISSION_DENIED, .. }) if is_going(context, &link.id).await? => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(why) = why {
        return Ok(waiting(context, environment, Step::UndoVpcLink, why));
    }
    if let Some(waiting) = may_turn_up(context, environment, KIND) {
        return Ok(waiting);
    }
    context.absent(environment, KIND).await?;
    Ok(Progress::Ready)
}

/// Whether the link is on its way out, or gone.
async fn is_going(context: &Context, id: &str) -> Result<bool, Error> {
    let link = context.resources.vpc_link_get(id).await?;
    Ok(link.is_none_or(|link| link.state == VpcLinkState::Deleting))
}
