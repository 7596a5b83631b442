//! The deployment and its stage, which names the VPC link and has a throttle. There is no undo: both go with the REST API.

use berth_domain::{Error, ResourceKind};

use crate::step_run::{Progress, StepRun};

const KIND: ResourceKind = ResourceKind::Stage;

pub(crate) async fn ensure(run: &StepRun<'_>) -> Result<Progress, Error> {
    let aws = &run.context.aws;
    let api = run.recorded(ResourceKind::RestApi)?;
    let link = run.recorded(ResourceKind::VpcLink)?;
    let spec = &run.environment.spec;
    let stage = &spec.api.stage;
    if run.environment.ledger().id(KIND).is_none()
        && let Some(waiting) = run.reserve_slot().await?
    {
        return Ok(waiting);
    }
    let mut ledger = run.ledger();
    let found = aws.stage_get(api, stage).await?;
    if found.is_none() {
        let deployment = match aws.deployment_find(api).await? {
            Some(deployment) => deployment,
            None => {
                if let Some(waiting) = run.wait_for_late_creation(KIND) {
                    return Ok(waiting);
                }
                ledger.announce(KIND).await?;
                let description = run.environment.operation().id.to_string();
                let created = aws.deployment_create(api, &description).await;
                match ledger.note_refused(KIND, created).await {
                    Err(error) => return run.wait_for_tags(ResourceKind::RestApi, error),
                    Ok(deployment) => deployment,
                }
            }
        };
        ledger.announce(KIND).await?;
        if let Err(error) = aws.stage_create(api, stage, &deployment, link, &run.tags()).await {
            return run.wait_for_tags(ResourceKind::RestApi, error);
        }
    }
    ledger.record_id(KIND, &format!("{api}/{stage}"), None).await?;
    if found.and_then(|stage| stage.throttle) != Some(spec.throttle)
        && let Err(error) = aws.stage_throttle(api, stage, spec.throttle).await
    {
        return run.wait_for_tags(KIND, error);
    }
    Ok(Progress::Done)
}
