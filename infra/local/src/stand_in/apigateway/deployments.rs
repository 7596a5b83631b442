//! Deployments (immutable snapshots of an API) and stages (each answers with one deployment).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Event;
use super::model::{Deployment, LinkStatus, Live, RestApi, Stage, Tags, Throttle};
use super::patch::Patch;
use super::wire::{api, api_mut, bad, conflict, limit, list as page, not_found, omit, read, seconds};
use crate::stand_in::account::{self, Account};
use crate::stand_in::profile::Latency;
use crate::stand_in::refusal::Refusal;

/// The account's throttle, which applies where a stage sets none: requests a second, and at once.
pub(super) const ACCOUNT_THROTTLE: (f64, u32) = (10_000.0, 5_000);
const STAGE_PATCHES: [&str; 5] =
    ["/deploymentId", "/description", "/variables/{name}", "/*/*/throttling/rateLimit", "/*/*/throttling/burstLimit"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    rest_api_id: String,
    stage_name: Option<String>,
    stage_description: Option<String>,
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

pub fn create(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let create: Create = read(input)?;
    let api = api(account, &create.rest_api_id)?;
    check_deployable(account, api)?;
    let (resources, policy) = (api.resources.clone(), api.policy.clone());
    let stage_name = create.stage_name.filter(|name| !name.is_empty());
    if let Some(name) = stage_name.as_deref().filter(|name| !api.stages.contains_key(*name)) {
        check_new_stage(api, name, account.quotas.stages)?;
    }
    let (id, now) = (account.engine.id(6), account.engine.now());
    let deployment =
        Deployment { id: id.clone(), description: create.description, created: now, resources, policy, deleted: false };
    let reply = view(&deployment, false);
    let api = api_mut(account, &create.rest_api_id)?;
    api.deployments.insert(id.clone(), deployment);
    if let Some(name) = stage_name {
        let stage = api.stages.entry(name.clone()).or_insert_with(|| new_stage(&name, &id, now));
        stage.deployment = id;
        stage.updated = now;
        stage.variables.extend(create.variables);
        stage.description = create.stage_description.or(stage.description.take());
        announce(account, &create.rest_api_id, &name);
    }
    Ok((201, reply))
}

/// Whether the API can be deployed: every method has an integration, and no link that it names is being deleted.
fn check_deployable(account: &Account, api: &RestApi) -> Result<(), Refusal> {
    let mut methods = api.resources.values().flat_map(|resource| resource.methods.values()).peekable();
    if methods.peek().is_none() {
        return Err(bad("The REST API doesn't contain any methods"));
    }
    for method in methods {
        let integration = method.method_integration.as_ref().ok_or_else(|| bad("No integration defined for method"))?;
        let Some(id) = integration.literal_link() else { continue };
        match account.apigateway.vpc_links.get(id).map(|link| link.status) {
            None => return Err(bad("Invalid Vpc Link identifier specified")),
            Some(LinkStatus::Deleting) => return Err(bad(format!("Cannot deploy. Vpc link '{id}' is being deleted"))),
            Some(_) => {}
        }
    }
    Ok(())
}

fn check_new_stage(api: &RestApi, name: &str, most: usize) -> Result<(), Refusal> {
    if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter)) {
        return Err(bad("Stage name only allows a-zA-Z0-9_-"));
    }
    if api.stages.len() >= most {
        return Err(limit("Stages", "API"));
    }
    Ok(())
}

fn new_stage(name: &str, deployment: &str, now: jiff::Timestamp) -> Stage {
    Stage {
        name: name.to_owned(),
        deployment: deployment.to_owned(),
        variables: BTreeMap::new(),
        description: None,
        throttle: Throttle::default(),
        tags: Tags::new(),
        created: now,
        updated: now,
        born: 0,
        live: None,
        live_latency: std::time::Duration::ZERO,
    }
}

/// Schedules the time from which a new stage, or one with another deployment or other variables, answers accordingly.
fn announce(account: &mut Account, api: &str, stage: &str) {
    let latency = account.engine.take(Latency::StageLive);
    account.apigateway.stage_changes += 1;
    let change = account.apigateway.stage_changes;
    let Some(changed) = account.apigateway.apis.get_mut(api).and_then(|api| api.stages.get_mut(stage)) else { return };
    if changed.born == 0 {
        changed.born = change;
    }
    changed.live_latency = latency;
    let live = Live { deployment: changed.deployment.clone(), variables: changed.variables.clone(), change };
    let event = Event::StageLive { api: api.to_owned(), stage: stage.to_owned(), live };
    account.engine.after(latency, account::Event::ApiGateway(event));
}

/// Applies a change of a stage to its answers. A change has no effect if a later one overtook it, or if it belongs to
/// an earlier stage of the same name.
pub fn go_live(account: &mut Account, api: &str, stage: &str, live: Live) {
    let Some(api) = account.apigateway.apis.get_mut(api) else { return };
    let Some(stage) = api.stages.get_mut(stage) else { return };
    let newest = stage.live.as_ref().map_or(stage.born, |live| live.change + 1);
    if live.change >= newest {
        stage.live = Some(live);
    }
    forget_deleted(api);
}

/// Forgets deleted deployments with which no stage answers any more.
fn forget_deleted(api: &mut RestApi) {
    let stages = &api.stages;
    api.deployments.retain(|id, deployment| {
        let answering = || stages.values().any(|stage| stage.live.as_ref().is_some_and(|live| live.deployment == *id));
        !deployment.deleted || answering()
    });
}

fn view(deployment: &Deployment, with_summary: bool) -> Value {
    omit(json!({
        "id": deployment.id,
        "description": deployment.description,
        "createdDate": seconds(deployment.created),
        "apiSummary": with_summary.then(|| summary(deployment)),
    }))
}

fn summary(deployment: &Deployment) -> Value {
    let with_methods = deployment.resources.values().filter(|resource| !resource.methods.is_empty());
    let paths: BTreeMap<&String, BTreeMap<&String, Value>> = with_methods
        .map(|resource| {
            let methods = resource.methods.iter().map(|(name, method)| {
                let kind = &method.authorization_type;
                (name, json!({"authorizationType": kind, "apiKeyRequired": method.api_key_required}))
            });
            (&resource.path, methods.collect())
        })
        .collect();
    json!(paths)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiId {
    rest_api_id: String,
}

pub fn list(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ApiId { rest_api_id } = read(input)?;
    let kept = api(account, &rest_api_id)?.deployments.iter().filter(|(_, deployment)| !deployment.deleted);
    page(input, &kept.map(|(id, deployment)| (id.clone(), deployment)).collect(), |deployment| view(deployment, false))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentId {
    rest_api_id: String,
    deployment_id: String,
    #[serde(default)]
    embed: Vec<String>,
}

fn no_deployment() -> Refusal {
    not_found("Invalid Deployment identifier specified")
}

pub fn get(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let DeploymentId { rest_api_id, deployment_id, embed } = read(input)?;
    let deployment = api(account, &rest_api_id)?.deployments.get(&deployment_id);
    let deployment = deployment.filter(|deployment| !deployment.deleted).ok_or_else(no_deployment)?;
    Ok((200, view(deployment, embed.iter().any(|embed| embed == "apisummary"))))
}

pub fn delete(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let DeploymentId { rest_api_id, deployment_id, .. } = read(input)?;
    let api = api_mut(account, &rest_api_id)?;
    let in_use = api.stages.values().any(|stage| stage.deployment == deployment_id);
    let deployment = api.deployments.get_mut(&deployment_id).filter(|deployment| !deployment.deleted);
    let deployment = deployment.ok_or_else(no_deployment)?;
    if in_use {
        return Err(bad("Active stages pointing to this deployment must be moved or deleted"));
    }
    deployment.deleted = true;
    forget_deleted(api);
    Ok((202, Value::Null))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateStage {
    rest_api_id: String,
    #[serde(default)]
    stage_name: String,
    #[serde(default)]
    deployment_id: String,
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    tags: Tags,
}

pub fn create_stage(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let CreateStage { rest_api_id, stage_name, deployment_id, description, variables, tags } = read(input)?;
    let (now, most) = (account.engine.now(), account.quotas.stages);
    let api = api_mut(account, &rest_api_id)?;
    if api.stages.contains_key(&stage_name) {
        return Err(conflict("Stage already exists"));
    }
    check_deployment(api, &deployment_id)?;
    check_new_stage(api, &stage_name, most)?;
    let stage = Stage { description, variables, tags, ..new_stage(&stage_name, &deployment_id, now) };
    let reply = stage_view(&stage);
    api.stages.insert(stage_name.clone(), stage);
    announce(account, &rest_api_id, &stage_name);
    Ok((201, reply))
}

fn check_deployment(api: &RestApi, id: &str) -> Result<(), Refusal> {
    match api.deployments.get(id).is_some_and(|deployment| !deployment.deleted) {
        true => Ok(()),
        false => Err(bad("Deployment id does not exist")),
    }
}

fn stage_view(stage: &Stage) -> Value {
    omit(json!({
        "deploymentId": stage.deployment,
        "stageName": stage.name,
        "description": stage.description,
        "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": method_settings(stage.throttle),
        "variables": (!stage.variables.is_empty()).then_some(&stage.variables),
        "tracingEnabled": false,
        "createdDate": seconds(stage.created),
        "lastUpdatedDate": seconds(stage.updated),
        "tags": stage.tags,
    }))
}

/// The settings of every method, once one was set; the others are AWS's defaults.
fn method_settings(throttle: Throttle) -> Value {
    let Throttle { rate_limit, burst_limit } = throttle;
    if rate_limit.is_none() && burst_limit.is_none() {
        return json!({});
    }
    json!({"*/*": {
        "metricsEnabled": false,
        "dataTraceEnabled": false,
        "throttlingBurstLimit": burst_limit.unwrap_or(ACCOUNT_THROTTLE.1),
        "throttlingRateLimit": rate_limit.unwrap_or(ACCOUNT_THROTTLE.0),
        "cachingEnabled": false,
        "cacheTtlInSeconds": 300,
        "cacheDataEncrypted": false,
        "requireAuthorizationForCacheControl": true,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    }})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListStages {
    rest_api_id: String,
    deployment_id: Option<String>,
}

pub fn list_stages(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ListStages { rest_api_id, deployment_id } = read(input)?;
    let stages = api(account, &rest_api_id)?.stages.values();
    let asked = stages.filter(|stage| deployment_id.as_ref().is_none_or(|id| *id == stage.deployment));
    Ok((200, json!({"item": asked.map(stage_view).collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StageId {
    rest_api_id: String,
    stage_name: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

fn no_stage() -> Refusal {
    not_found("Invalid stage identifier specified")
}

pub fn get_stage(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let StageId { rest_api_id, stage_name, .. } = read(input)?;
    Ok((200, stage_view(api(account, &rest_api_id)?.stages.get(&stage_name).ok_or_else(no_stage)?)))
}

pub fn update_stage(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let StageId { rest_api_id, stage_name, patch_operations } = read(input)?;
    let now = account.engine.now();
    let api = api_mut(account, &rest_api_id)?;
    let before = api.stages.get(&stage_name).ok_or_else(no_stage)?;
    let mut after = Stage { updated: now, ..before.clone() };
    for patch in &patch_operations {
        match (patch.op.as_str(), patch.path.as_str(), patch.entry("variables")) {
            ("replace", "/deploymentId", _) => {
                after.deployment = patch.value()?;
                check_deployment(api, &after.deployment)?;
            }
            ("replace", "/description", _) => after.description = patch.value.clone(),
            ("replace", "/*/*/throttling/rateLimit", _) => after.throttle.rate_limit = Some(patch.number()?),
            ("replace", "/*/*/throttling/burstLimit", _) => after.throttle.burst_limit = Some(patch.number()?),
            ("replace", _, Some(name)) => drop(after.variables.insert(name, patch.value()?)),
            ("remove", _, Some(name)) => drop(after.variables.remove(&name)),
            (_, path, _) if path.ends_with("/logging/loglevel") || path.starts_with("/accessLogSettings/") => {
                return Err(bad("CloudWatch Logs role ARN must be set in account settings to enable logging"));
            }
            _ => return Err(patch.refuse(&STAGE_PATCHES)),
        }
    }
    let spreads = after.deployment != before.deployment || after.variables != before.variables;
    let reply = stage_view(&after);
    api.stages.insert(stage_name.clone(), after);
    if spreads {
        announce(account, &rest_api_id, &stage_name);
    }
    Ok((200, reply))
}

pub fn delete_stage(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let StageId { rest_api_id, stage_name, .. } = read(input)?;
    let api = api_mut(account, &rest_api_id)?;
    api.stages.remove(&stage_name).ok_or_else(no_stage)?;
    forget_deleted(api);
    Ok((202, Value::Null))
}
