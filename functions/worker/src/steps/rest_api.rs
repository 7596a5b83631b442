//! The REST API with its two paths. Its stage and deployments go with it.

use berth_domain::environment::ResourceKind;
use berth_domain::error::PERMISSION_DENIED;
use berth_domain::{Environment, Error, Step};

use super::{Progress, may_turn_up, recorded, reserve_slot, waiting};
use crate::context::Context;

const KIND: ResourceKind = ResourceKind::RestApi;

pub(crate) async fn ensure(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    recorded(environment, ResourceKind::LoadBalancer)?;
    let dns_name = environment
        .resources
        .get(ResourceKind::LoadBalancer)
        .and_then(|load_balancer| load_balancer.address.as_deref())
        .ok_or_else(|| Error::internal("the load balancer's DNS name is not in the record"))?;
    let api = match environment.resources.id(KIND) {
        Some(api) => api.to_owned(),
        None => {
            if let Some(waiting) = reserve_slot(context, environment, Step::EnsureRestApi).await? {
                return Ok(waiting);
            }
            let api = match context.resources.rest_apis_find(environment).await?.into_iter().next() {
                Some(api) => api,
                None => {
                    if let Some(waiting) = may_turn_up(context, environment, KIND) {
                        return Ok(waiting);
                    }
                    let announced = context.announce(environment, KIND).await?;
                    let created = context.resources.rest_api_create(environment).await;
                    context.made(&announced, KIND, created).await?
                }
            };
            context.found(environment, KIND, &api, None).await?;
            api
        }
    };
    context.resources.rest_api_route(&api, dns_name).await?;
    Ok(Progress::Ready)
}

pub(crate) async fn undo(context: &Context, environment: &Environment) -> Result<Progress, Error> {
    if environment.resources.get(KIND).is_none() {
        return Ok(Progress::Ready);
    }
    if let Some(waiting) = reserve_slot(context, environment, Step::UndoRestApi).await? {
        return Ok(waiting);
    }
    let mut apis = context.resources.rest_apis_find(environment).await?;
    if let Some(id) = environment.resources.id(KIND)
        && apis.iter().all(|api| api != id)
        && context.resources.rest_api_exists(id).await?
    {
        apis.push(id.to_owned());
    }
    for api in &apis {
        context.came_upon(environment, KIND, api).await?;
        match context.resources.rest_api_delete(api).await {
            // What is gone carries no tag, and without the deployment's tag the role may delete nothing.
            Err(Error::Refused { code: PERMISSION_DENIED, .. }) if !context.resources.rest_api_exists(api).await? => {}
            deleted => deleted?,
        }
    }
    if let Some(api) = apis.first() {
        // Seen gone at the next look.
        return Ok(waiting(context, environment, Step::UndoRestApi, format!("REST API {api} is being deleted")));
    }
    if let Some(waiting) = may_turn_up(context, environment, KIND) {
        return Ok(waiting);
    }
    context.absent(environment, ResourceKind::Stage).await?;
    context.absent(environment, KIND).await?;
    Ok(Progress::Ready)
}
