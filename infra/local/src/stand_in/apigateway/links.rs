//! V1 VPC links: their life cycle, and the references that keep them in use.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Event;
use super::model::{LinkStatus, Tags, VpcLink};
use super::patch::Patch;
use super::wire::{bad, limit, list as page, not_found, omit, read, some_tags};
use crate::stand_in::account::{self, Account};
use crate::stand_in::elb;
use crate::stand_in::profile::Latency;
use crate::stand_in::refusal::Refusal;

/// The name of the stage under which AWS invokes the current definition.
const CURRENT: &str = "test-invoke-stage";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    #[serde(default)]
    name: String,
    description: Option<String>,
    #[serde(default)]
    target_arns: Vec<String>,
    #[serde(default)]
    tags: Tags,
}

pub fn create(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let create: Create = read(input)?;
    if create.name.is_empty() {
        return Err(bad("Name cannot be empty"));
    }
    let target = match create.target_arns.as_slice() {
        [] => return Err(bad("No target arn specified for vpc link.")),
        [one] => one.clone(),
        _ => return Err(bad("More than one target arn specified for vpc link.")),
    };
    if !target.starts_with("arn:") || target.split(':').count() < 6 {
        return Err(bad(format!("Invalid ARN. ARN is not well formed {target}")));
    }
    if account.apigateway.vpc_links.len() >= account.quotas.vpc_links {
        return Err(limit("VPC links", "account"));
    }
    let link = VpcLink {
        id: account.engine.id(6),
        name: create.name,
        description: create.description,
        status: LinkStatus::Pending,
        // The first link gets the load balancer. A second link fails, which shows only at the end of its provisioning.
        failure: elb::link_to_load_balancer(account, &target).err(),
        target,
        tags: create.tags,
        created: account.engine.now(),
        available_latency: account.engine.take(Latency::VpcLinkAvailable),
    };
    let event = Event::LinkProvisioned { link: link.id.clone() };
    account.engine.after(link.available_latency, account::Event::ApiGateway(event));
    let reply = view(&link);
    account.engine.created(&link.id);
    account.apigateway.vpc_links.insert(link.id.clone(), link);
    Ok((202, reply))
}

fn view(link: &VpcLink) -> Value {
    let message = match link.status {
        LinkStatus::Available => Some("Your vpc link is ready for use"),
        LinkStatus::Failed => link.failure.as_deref(),
        LinkStatus::Pending | LinkStatus::Deleting => None,
    };
    omit(json!({
        "id": link.id,
        "name": link.name,
        "description": link.description,
        "targetArns": [link.target],
        "status": link.status,
        "statusMessage": message,
        "tags": some_tags(&link.tags),
    }))
}

/// Ends a link's provisioning: it becomes available, or it fails.
pub fn finish_provisioning(account: &mut Account, id: &str) {
    let Some(link) = account.apigateway.vpc_links.get_mut(id) else { return };
    if link.status == LinkStatus::Pending {
        link.status = if link.failure.is_some() { LinkStatus::Failed } else { LinkStatus::Available };
    }
}

/// Makes a pending link fail with this message. Its load balancer is free for another link.
pub fn fail_when_ready(account: &mut Account, id: &str, why: &str) {
    let pending = |link: &&mut VpcLink| link.status == LinkStatus::Pending && link.failure.is_none();
    let Some(link) = account.apigateway.vpc_links.get_mut(id).filter(pending) else { return };
    link.failure = Some(why.to_owned());
    let target = link.target.clone();
    elb::unlink_load_balancer(account, &target);
}

/// Removes a deleted link. Only now can its load balancer become free.
pub fn remove(account: &mut Account, id: &str) {
    let Some(link) = account.apigateway.vpc_links.remove(id) else { return };
    if link.failure.is_none() {
        elb::unlink_load_balancer(account, &link.target);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkId {
    vpc_link_id: String,
}

pub fn list(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    page(input, &account.apigateway.vpc_links, view)
}

fn no_link() -> Refusal {
    not_found("Invalid Vpc Link identifier specified")
}

pub fn get(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let LinkId { vpc_link_id } = read(input)?;
    Ok((200, view(account.apigateway.vpc_links.get(&vpc_link_id).ok_or_else(no_link)?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    vpc_link_id: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

pub fn update(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let update: Update = read(input)?;
    let link = account.apigateway.vpc_links.get_mut(&update.vpc_link_id).ok_or_else(no_link)?;
    let mut changed = link.clone();
    for patch in &update.patch_operations {
        match (patch.op.as_str(), patch.path.as_str()) {
            ("replace", "/name") => {
                changed.name =
                    patch.value().ok().filter(|name| !name.is_empty()).ok_or_else(|| bad("Name cannot be empty"))?;
            }
            ("replace", "/description") => changed.description = patch.value.clone(),
            (_, path) if path.starts_with("/targetArns") => {
                return Err(bad("Target arns are not allowed to be changed/added."));
            }
            _ => return Err(patch.refuse(&["/name", "/description"])),
        }
    }
    *link = changed;
    Ok((200, view(link)))
}

pub fn delete(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let LinkId { vpc_link_id: id } = read(input)?;
    let link = account.apigateway.vpc_links.get(&id).ok_or_else(no_link)?;
    if link.status == LinkStatus::Deleting {
        return Ok((202, Value::Null));
    }
    let references = references(account, &id);
    if !references.is_empty() {
        return Err(bad(format!(
            "Cannot delete vpc link. Vpc link '{id}', is referenced in [{}] in format of [RESTApiId:Method:Resource:Stage].",
            references.join(", ")
        )));
    }
    if let Some(link) = account.apigateway.vpc_links.get_mut(&id) {
        link.status = LinkStatus::Deleting;
    }
    let latency = account.engine.take(Latency::VpcLinkGone);
    account.engine.after(latency, account::Event::ApiGateway(Event::LinkGone { link: id }));
    Ok((202, Value::Null))
}

/// The places that name a link literally: deployments that stages point to, current definitions, and deleted methods. A
/// stage variable with the link's id is no reference.
fn references(account: &Account, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (api_id, api) in account.apigateway.apis.iter() {
        let deployed = api
            .stages
            .values()
            .filter_map(|stage| Some((stage.name.as_str(), &api.deployments.get(&stage.deployment)?.resources)));
        for (stage, resources) in deployed.chain([(CURRENT, &api.resources)]) {
            for resource in resources.values() {
                for method in resource.methods.values() {
                    let link = method.method_integration.as_ref().and_then(|integration| integration.literal_link());
                    if link == Some(id) {
                        found.push(format!("{api_id}:{}:{}:{stage}", method.http_method, resource.id));
                    }
                }
            }
        }
        let dangling = api.dangling.iter().filter(|dangling| dangling.link == id);
        found.extend(dangling.map(|left| format!("{api_id}:{}:{}:{CURRENT}", left.method, left.resource)));
    }
    found
}
