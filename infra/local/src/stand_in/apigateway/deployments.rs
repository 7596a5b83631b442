//! Deployments: immutable snapshots of an API. The stages that answer with them are in `stages`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::model::{Deployment, LinkStatus, RestApi};
use super::patch::Patch;
use super::stages;
use super::wire::{api, api_mut, bad, list as page, not_found, omit, read, seconds};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    rest_api_id: String,
    stage_name: Option<String>,
    stage_description: Option<String>,
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    tracing_enabled: Option<bool>,
    #[serde(default)]
    cache_cluster_enabled: bool,
}

pub fn create(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let create: Create = read(input)?;
    stages::check_cache(create.cache_cluster_enabled)?;
    let api = api(account, &create.rest_api_id)?;
    check_deployable(account, api)?;
    let (resources, policy, payloads) = (api.resources.clone(), api.policy.clone(), api.payloads());
    let stage_name = create.stage_name.filter(|name| !name.is_empty());
    if let Some(name) = stage_name.as_deref().filter(|name| !api.stages.contains_key(*name)) {
        stages::check_new(api, name, account.quotas.stages)?;
    }
    let (id, now) = (account.engine.id(6), account.engine.now());
    let description = create.description.filter(|text| !text.is_empty());
    let deployment =
        Deployment { id: id.clone(), description, created: now, resources, policy, payloads, deleted: false };
    let reply = view(&deployment, false);
    let api = api_mut(account, &create.rest_api_id)?;
    api.deployments.insert(id.clone(), deployment);
    if let Some(name) = stage_name {
        let stage = api.stages.entry(name.clone()).or_insert_with(|| stages::new(&name, &id, now));
        stage.deployment = id;
        stage.updated = now;
        stage.variables.extend(create.variables);
        stage.description = create.stage_description.or(stage.description.take());
        stage.tracing_enabled = create.tracing_enabled.unwrap_or(stage.tracing_enabled);
        stages::announce(account, &create.rest_api_id, &name);
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
    stages::forget_deleted(api);
    Ok((202, Value::Null))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    rest_api_id: String,
    deployment_id: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

pub fn update(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let Update { rest_api_id, deployment_id, patch_operations } = read(input)?;
    let deployments = &mut api_mut(account, &rest_api_id)?.deployments;
    let deployment = deployments.get_mut(&deployment_id).filter(|deployment| !deployment.deleted);
    let deployment = deployment.ok_or_else(no_deployment)?;
    let mut changed = deployment.clone();
    for patch in &patch_operations {
        match (patch.op.as_str(), patch.path.as_str()) {
            ("replace", "/description") => changed.description = patch.value.clone(),
            _ => return Err(patch.refuse(&["/description"])),
        }
    }
    *deployment = changed;
    Ok((200, view(deployment, false)))
}
