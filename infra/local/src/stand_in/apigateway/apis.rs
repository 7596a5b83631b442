//! REST APIs and their resources.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::model::{Dangling, Resource, RestApi, Tags};
use super::patch::Patch;
use super::resource_policy;
use super::wire::{api, api_mut, bad, conflict, limit, list as page, no_resource, omit, read, seconds};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

const MAX_APIS: usize = 600;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Create {
    #[serde(default)]
    name: String,
    description: Option<String>,
    version: Option<String>,
    #[serde(default)]
    binary_media_types: Vec<String>,
    endpoint_configuration: Option<EndpointConfiguration>,
    #[serde(default)]
    disable_execute_api_endpoint: bool,
    policy: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EndpointConfiguration {
    #[serde(default)]
    types: Vec<String>,
}

pub fn create(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let create: Create = read(input)?;
    if create.name.is_empty() {
        return Err(bad("Name cannot be empty"));
    }
    let endpoint_type = match create.endpoint_configuration.map(|configuration| configuration.types).as_deref() {
        None | Some([]) => "EDGE".to_owned(),
        Some([one]) if one == "REGIONAL" || one == "EDGE" => one.clone(),
        Some(_) => return Err(bad("berth-local supports one endpoint type for each API: REGIONAL or EDGE")),
    };
    if account.apigateway.apis.len() >= MAX_APIS {
        return Err(limit("REST APIs", "account"));
    }
    let (id, root) = (account.engine.id(10), account.engine.id(10));
    let policy = create.policy.as_deref().filter(|policy| !policy.is_empty());
    let policy = policy.map(|policy| resource_policy::stored(policy, &id)).transpose()?;
    let resource =
        Resource { id: root.clone(), parent: None, part: None, path: "/".to_owned(), methods: BTreeMap::new() };
    let api = RestApi {
        id: id.clone(),
        name: create.name,
        description: create.description,
        version: create.version,
        created: account.engine.now(),
        binary_media_types: create.binary_media_types,
        endpoint_type,
        disable_execute_api_endpoint: create.disable_execute_api_endpoint,
        policy,
        tags: create.tags,
        root: root.clone(),
        resources: BTreeMap::from([(root, resource)]),
        deployments: BTreeMap::new(),
        stages: BTreeMap::new(),
        dangling: Vec::new(),
    };
    let reply = view(&api);
    account.engine.created(&id);
    account.apigateway.apis.insert(id, api);
    Ok((201, reply))
}

fn view(api: &RestApi) -> Value {
    omit(json!({
        "id": api.id,
        "name": api.name,
        "description": api.description,
        "version": api.version,
        "createdDate": seconds(api.created),
        "binaryMediaTypes": (!api.binary_media_types.is_empty()).then_some(&api.binary_media_types),
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": [api.endpoint_type], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": api.disable_execute_api_endpoint,
        // API Gateway escapes the policy's quotation marks once more.
        "policy": api.policy.as_ref().map(|policy| policy.replace('"', "\\\"")),
        "rootResourceId": api.root,
        "apiStatus": "AVAILABLE",
        "tags": api.tags,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiId {
    rest_api_id: String,
}

pub fn list(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    page(input, &account.apigateway.apis, view)
}

pub fn get(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ApiId { rest_api_id } = read(input)?;
    Ok((200, view(api(account, &rest_api_id)?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    rest_api_id: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

pub fn update(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let update: Update = read(input)?;
    let api = api_mut(account, &update.rest_api_id)?;
    let mut changed = api.clone();
    for patch in &update.patch_operations {
        match (patch.op.as_str(), patch.path.as_str(), patch.entry("binaryMediaTypes")) {
            ("replace", "/name", _) => {
                changed.name =
                    patch.value().ok().filter(|name| !name.is_empty()).ok_or_else(|| bad("Name cannot be empty"))?;
            }
            ("replace", "/description", _) => changed.description = patch.value.clone(),
            ("replace", "/disableExecuteApiEndpoint", _) => changed.disable_execute_api_endpoint = patch.flag()?,
            ("replace", "/policy", _) => {
                let policy = patch.value.as_deref().filter(|policy| !policy.is_empty());
                changed.policy = policy.map(|policy| resource_policy::stored(policy, &changed.id)).transpose()?;
            }
            ("add", _, Some(media_type)) => changed.binary_media_types.push(media_type),
            ("remove", _, Some(media_type)) => changed.binary_media_types.retain(|known| *known != media_type),
            _ => {
                let allowed =
                    ["/name", "/description", "/disableExecuteApiEndpoint", "/policy", "/binaryMediaTypes/{type}"];
                return Err(patch.refuse(&allowed));
            }
        }
    }
    *api = changed;
    Ok((200, view(api)))
}

pub fn delete(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ApiId { rest_api_id } = read(input)?;
    api(account, &rest_api_id)?;
    account.apigateway.apis.remove(&rest_api_id);
    Ok((202, Value::Null))
}

/// The account settings, without a CloudWatch role.
pub fn account() -> Value {
    json!({
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceId {
    rest_api_id: String,
    resource_id: String,
}

#[derive(Deserialize)]
struct Embed {
    #[serde(default)]
    embed: Vec<String>,
}

impl Embed {
    fn methods(&self) -> bool {
        self.embed.iter().any(|embed| embed == "methods")
    }
}

fn resource_view(resource: &Resource, methods: bool) -> Value {
    let all: BTreeMap<&String, Value> =
        resource.methods.iter().map(|(name, method)| (name, if methods { json!(method) } else { json!({}) })).collect();
    omit(json!({
        "id": resource.id,
        "parentId": resource.parent,
        "pathPart": resource.part,
        "path": resource.path,
        "resourceMethods": (!all.is_empty()).then_some(all),
    }))
}

pub fn list_resources(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ApiId { rest_api_id } = read(input)?;
    let embed: Embed = read(input)?;
    page(input, &api(account, &rest_api_id)?.resources, |resource| resource_view(resource, embed.methods()))
}

pub fn get_resource(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ResourceId { rest_api_id, resource_id } = read(input)?;
    let embed: Embed = read(input)?;
    let resource = api(account, &rest_api_id)?.resources.get(&resource_id).ok_or_else(no_resource)?;
    Ok((200, resource_view(resource, embed.methods())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateResource {
    rest_api_id: String,
    parent_id: String,
    #[serde(default)]
    path_part: String,
}

pub fn create_resource(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let CreateResource { rest_api_id, parent_id, path_part } = read(input)?;
    let (id, most) = (account.engine.id(6), account.quotas.resources);
    let api = api_mut(account, &rest_api_id)?;
    let parent = api.resources.get(&parent_id).ok_or_else(no_resource)?;
    if !is_path_part(&path_part) {
        return Err(bad(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.",
        ));
    }
    if let Some(part) = parent.part.as_deref().filter(|part| part.ends_with("+}")) {
        return Err(bad(format!("Cannot create a child of a resource with a greedy path variable: {part}")));
    }
    let siblings: Vec<&str> = api
        .resources
        .values()
        .filter(|resource| resource.parent.as_ref() == Some(&parent_id))
        .filter_map(|resource| resource.part.as_deref())
        .collect();
    if siblings.contains(&path_part.as_str()) {
        return Err(conflict(format!("Another resource with the same parent already has this name: {path_part}")));
    }
    if let (true, Some(sibling)) = (path_part.starts_with('{'), siblings.iter().find(|part| part.starts_with('{'))) {
        return Err(bad(format!(
            "A sibling ({sibling}) of this resource already has a variable path part -- only one is allowed"
        )));
    }
    if api.resources.len() >= most {
        return Err(limit("Resources", "API"));
    }
    let path = format!("{}/{path_part}", parent.path.trim_end_matches('/'));
    let resource =
        Resource { id: id.clone(), parent: Some(parent_id), part: Some(path_part), path, methods: BTreeMap::new() };
    let reply = resource_view(&resource, false);
    api.resources.insert(id, resource);
    Ok((201, reply))
}

/// `part`, `{variable}` or `{greedy+}`.
fn is_path_part(part: &str) -> bool {
    let name = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(variable) => variable.strip_suffix('+').unwrap_or(variable),
        None => part,
    };
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-:".contains(letter))
}

pub fn delete_resource(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ResourceId { rest_api_id, resource_id } = read(input)?;
    let api = api_mut(account, &rest_api_id)?;
    if resource_id == api.root {
        return Err(bad("Cannot delete root resource"));
    }
    if !api.resources.contains_key(&resource_id) {
        return Err(no_resource());
    }
    let mut doomed = vec![resource_id];
    while let Some(id) = doomed.pop() {
        doomed.extend(
            api.resources.values().filter(|child| child.parent.as_ref() == Some(&id)).map(|child| child.id.clone()),
        );
        if let Some(resource) = api.resources.remove(&id) {
            for method in resource.methods.values() {
                leave_dangling(api, &id, method);
            }
        }
    }
    Ok((202, Value::Null))
}

/// A known issue of AWS: when a method is deleted together with an integration that names a VPC link literally, the
/// link stays in use.
pub fn leave_dangling(api: &mut RestApi, resource: &str, method: &super::model::Method) {
    if let Some(link) = method.method_integration.as_ref().and_then(|integration| integration.literal_link()) {
        api.dangling.push(Dangling {
            link: link.to_owned(),
            method: method.http_method.clone(),
            resource: resource.to_owned(),
        });
    }
}
