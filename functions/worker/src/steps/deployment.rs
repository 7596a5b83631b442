//! The deployment and its stage, which names the VPC link. There is no undo: both go with the REST API.

use berth_domain::environment::ResourceKind;
use berth_domain::{Environment, Error, Step};

use super::{Progress, may_turn_up, recorded, reserve_slot};
use crate::context::Context;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    let kind = ResourceKind::Stage;
    let api = recorded(environment, ResourceKind::RestApi)?;
    let link = recorded(environment, ResourceKind::VpcLink)?;
    let stage = &environment.spec.api.stage;
    if environment.resources.id(kind).is_none()
        && let Some(waiting) = reserve_slot(context, environment, Step::EnsureDeployment).await?
    {
        return Ok(waiting);
    }
    if !context.resources.stage_exists(api, stage).await? {
        let mut seen = environment.clone();
        let deployment = match context.resources.deployment_find(api).await? {
            Some(deployment) => deployment,
            None => {
                if let Some(waiting) = may_turn_up(context, environment, kind) {
                    return Ok(waiting);
                }
                seen = context.announce(&seen, kind).await?;
                let created = context.resources.deployment_create(environment, api).await;
                context.made(&seen, kind, created).await?
            }
        };
        context.announce(&seen, kind).await?;
        context.resources.stage_create(environment, api, &deployment, link).await?;
    }
    context.found(environment, kind, &format!("{api}/{stage}"), None).await?;
    Ok(Progress::Ready)
}
