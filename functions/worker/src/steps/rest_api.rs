//! The REST API with its two paths. Its stage and deployments go with it.

use berth_domain::error::PERMISSION_DENIED;
use berth_domain::{Error, ResourceKind};

use crate::step_run::{Progress, StepRun};

const KIND: ResourceKind = ResourceKind::RestApi;

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let (aws, environment) = (&run.context.aws, &run.environment);
    run.recorded(ResourceKind::LoadBalancer)?;
    let load_balancer = environment.ledger().get(ResourceKind::LoadBalancer);
    let dns_name = load_balancer
        .and_then(|load_balancer| load_balancer.address.as_deref())
        .ok_or_else(|| Error::internal("the load balancer's DNS name is not in the record"))?;
    let api = match environment.ledger().id(KIND) {
        Some(api) => api.to_owned(),
        None => {
            if let Some(waiting) = run.reserve_slot().await? {
                return Ok(waiting);
            }
            let mut ledger = run.ledger();
            let api = match aws.rest_apis_find(&environment.id).await?.into_iter().next() {
                Some(api) => api,
                None => {
                    if let Some(waiting) = run.wait_for_late_creation(KIND) {
                        return Ok(waiting);
                    }
                    ledger.announce(KIND).await?;
                    let description = format!("{} of team {}, by Berth", environment.name, environment.team);
                    let (access, prober) = (&environment.spec.access, run.context.prober.role());
                    let created = aws.rest_api_create(&run.name(), &run.tags(), &description, access, prober).await;
                    ledger.note_refused(KIND, created).await?
                }
            };
            ledger.record_id(KIND, &api, None).await?;
            api
        }
    };
    match aws.rest_api_route(&api, dns_name, &environment.spec.access).await {
        Err(error) => run.wait_for_tags(KIND, error),
        Ok(()) => Ok(Progress::Done),
    }
}

pub(crate) async fn undo(run: &StepRun<'_>) -> Result<Progress, Error> {
    let aws = &run.context.aws;
    if let Some(waiting) = run.reserve_slot().await? {
        return Ok(waiting);
    }
    let mut apis = aws.rest_apis_find(&run.environment.id).await?;
    if let Some(id) = run.environment.ledger().id(KIND)
        && apis.iter().all(|api| api != id)
        && aws.rest_api_exists(id).await?
    {
        apis.push(id.to_owned());
    }
    let mut ledger = run.ledger();
    for api in &apis {
        ledger.record_if_missing(KIND, api).await?;
        match aws.rest_api_delete(api).await {
            // An API that is gone carries no tag, and without the deployment's tag the role may delete nothing.
            Err(Error::Refused { code: PERMISSION_DENIED, .. }) if !aws.rest_api_exists(api).await? => {}
            deleted => {
                deleted?;
            }
        }
    }
    if let Some(api) = apis.first() {
        ledger.record_deletion(KIND).await?;
        // The next look sees that it is gone.
        return Ok(run.waiting(format!("REST API {api} is being deleted")));
    }
    if let Some(waiting) = run.wait_for_late_creation(KIND) {
        return Ok(waiting);
    }
    ledger.close(ResourceKind::Stage).await?;
    ledger.close(KIND).await?;
    Ok(Progress::Done)
}
