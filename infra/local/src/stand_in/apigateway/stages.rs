//! Stages: each answers with one deployment, some seconds after a call has chosen it. The settings of their methods are in
//! `method_settings`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Event;
use super::invoke::USER_REQUEST;
use super::method_settings;
use super::model::{Live, RestApi, Stage, Tags};
use super::patch::Patch;
use super::wire::{api, api_mut, bad, conflict, limit, not_found, not_played, omit, read, seconds, some_tags};
use crate::stand_in::account::{self, Account};
use crate::stand_in::profile::Latency;
use crate::stand_in::refusal::Refusal;

/// Paths of a stage that AWS lets a caller change and that the stand-in has not. A known path with another op is one too.
const NOT_PLAYED: [&str; 9] = [
    "/deploymentId",
    "/description",
    "/tracingEnabled",
    "/variables/",
    "/cacheCluster",
    "/clientCertificateId",
    "/documentationVersion",
    "/canarySettings",
    "/webAclArn",
];

pub fn check_new(api: &RestApi, name: &str, most: usize) -> Result<(), Refusal> {
    if name.is_empty()
        || name.len() > 128
        || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
    {
        return Err(bad("Stage name only allows a-zA-Z0-9_-"));
    }
    if name == USER_REQUEST {
        return Err(not_played(format_args!("a stage named {USER_REQUEST}: its paths lead to stages")));
    }
    if api.stages.len() >= most {
        return Err(limit("Stages", "API"));
    }
    Ok(())
}

/// A cluster would answer instead of the service.
pub fn check_cache(enabled: bool) -> Result<(), Refusal> {
    if enabled { Err(not_played("cache clusters of stages")) } else { Ok(()) }
}

pub fn new(name: &str, deployment: &str, now: jiff::Timestamp) -> Stage {
    Stage {
        name: name.to_owned(),
        deployment: deployment.to_owned(),
        variables: BTreeMap::new(),
        description: None,
        method_settings: BTreeMap::new(),
        tracing_enabled: false,
        tags: Tags::new(),
        created: now,
        updated: now,
        born: 0,
        live: None,
        live_latency: std::time::Duration::ZERO,
    }
}

/// Schedules the time from which a new stage, or one with another deployment or other variables, answers accordingly.
pub fn announce(account: &mut Account, api: &str, stage: &str) {
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
pub fn forget_deleted(api: &mut RestApi) {
    let stages = &api.stages;
    api.deployments.retain(|id, deployment| {
        let answering = || stages.values().any(|stage| stage.live.as_ref().is_some_and(|live| live.deployment == *id));
        !deployment.deleted || answering()
    });
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    rest_api_id: String,
    #[serde(default)]
    stage_name: String,
    #[serde(default)]
    deployment_id: String,
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    tracing_enabled: bool,
    #[serde(default)]
    cache_cluster_enabled: bool,
    #[serde(default)]
    tags: Tags,
}

pub fn create(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let create: Create = read(input)?;
    check_cache(create.cache_cluster_enabled)?;
    let tags = create.tags;
    let Create { rest_api_id, stage_name, deployment_id, description, variables, tracing_enabled, .. } = create;
    let (now, most) = (account.engine.now(), account.quotas.stages);
    let api = api_mut(account, &rest_api_id)?;
    if api.stages.contains_key(&stage_name) {
        return Err(conflict("Stage already exists"));
    }
    check_deployment(api, &deployment_id)?;
    check_new(api, &stage_name, most)?;
    let stage = Stage { description, variables, tracing_enabled, tags, ..new(&stage_name, &deployment_id, now) };
    let reply = view(&stage);
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

fn view(stage: &Stage) -> Value {
    omit(json!({
        "deploymentId": stage.deployment,
        "stageName": stage.name,
        "description": stage.description,
        "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": stage.method_settings,
        "variables": (!stage.variables.is_empty()).then_some(&stage.variables),
        "tracingEnabled": stage.tracing_enabled,
        "createdDate": seconds(stage.created),
        "lastUpdatedDate": seconds(stage.updated),
        "tags": some_tags(&stage.tags),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    rest_api_id: String,
    deployment_id: Option<String>,
}

pub fn list(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let List { rest_api_id, deployment_id } = read(input)?;
    let stages = api(account, &rest_api_id)?.stages.values();
    let asked = stages.filter(|stage| deployment_id.as_ref().is_none_or(|id| *id == stage.deployment));
    Ok((200, json!({"item": asked.map(view).collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StageId {
    rest_api_id: String,
    stage_name: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

pub fn no_stage() -> Refusal {
    not_found("Invalid stage identifier specified")
}

pub fn get(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let StageId { rest_api_id, stage_name, .. } = read(input)?;
    Ok((200, view(api(account, &rest_api_id)?.stages.get(&stage_name).ok_or_else(no_stage)?)))
}

pub fn update(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let StageId { rest_api_id, stage_name, patch_operations } = read(input)?;
    let now = account.engine.now();
    let api = api_mut(account, &rest_api_id)?;
    let before = api.stages.get(&stage_name).ok_or_else(no_stage)?;
    let mut after = Stage { updated: now, ..before.clone() };
    for patch in &patch_operations {
        change(api, &mut after, patch)?;
    }
    let spreads = after.deployment != before.deployment || after.variables != before.variables;
    let reply = view(&after);
    api.stages.insert(stage_name.clone(), after);
    if spreads {
        announce(account, &rest_api_id, &stage_name);
    }
    Ok((200, reply))
}

pub fn delete(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let StageId { rest_api_id, stage_name, .. } = read(input)?;
    let api = api_mut(account, &rest_api_id)?;
    api.stages.remove(&stage_name).ok_or_else(no_stage)?;
    forget_deleted(api);
    Ok((202, Value::Null))
}

/// Applies one patch operation. What AWS has and the stand-in has not is refused as such; any other path is refused with AWS's
/// list.
fn change(api: &RestApi, stage: &mut Stage, patch: &Patch) -> Result<(), Refusal> {
    if let Some((key, setting)) = method_settings::setting(&patch.path) {
        let defaults = stage.method_settings.get(method_settings::ALL).cloned().unwrap_or_default();
        let mut settings = stage.method_settings.get(&key).cloned().unwrap_or(defaults);
        settings.set(setting, patch)?;
        stage.method_settings.insert(key, settings);
        return Ok(());
    }
    match (patch.op.as_str(), patch.path.as_str(), patch.entry("variables")) {
        ("replace", "/deploymentId", _) => {
            stage.deployment = patch.value()?;
            check_deployment(api, &stage.deployment)?;
        }
        ("replace", "/description", _) => stage.description = patch.value.clone(),
        ("replace", "/tracingEnabled", _) => stage.tracing_enabled = patch.flag()?,
        ("replace", "/cacheClusterEnabled", _) => check_cache(patch.flag()?)?,
        ("remove", "/accessLogSettings", _) => {}
        ("replace", _, Some(name)) => drop(stage.variables.insert(name, patch.value()?)),
        ("remove", _, Some(name)) => drop(stage.variables.remove(&name)),
        (_, path, _) if path.starts_with("/accessLogSettings") => return Err(method_settings::no_logging()),
        (op, path, _) if NOT_PLAYED.iter().any(|known| path.starts_with(known)) => {
            return Err(not_played(format_args!("op '{op}' on {path} of a stage")));
        }
        _ => {
            let key = method_settings::removed(patch).ok_or_else(|| method_settings::invalid_path(&patch.path))?;
            if stage.method_settings.remove(&key).is_none() {
                return Err(bad(format!(
                    "Cannot remove method setting {key} because there is no method setting for this method "
                )));
            }
        }
    }
    Ok(())
}
