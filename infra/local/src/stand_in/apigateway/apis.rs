//! REST APIs and their resources.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::model::{Dangling, Resource, RestApi, Tags};
use super::patch::Patch;
use super::resource_policy;
use super::wire::{api, api_mut, bad, conflict, limit, list as page, no_resource, not_played, omit, read, seconds};
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
    api_key_source: Option<String>,
    minimum_compression_size: Option<Value>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EndpointConfiguration {
    #[serde(default)]
    types: Vec<String>,
    ip_address_type: Option<String>,
}

pub fn create(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let create: Create = read(input)?;
    if create.name.is_empty() {
        return Err(bad("Name cannot be empty"));
    }
    if create.description.as_deref() == Some("") {
        return Err(bad("Description cannot be an empty string"));
    }
    let endpoint = create.endpoint_configuration.unwrap_or_default();
    let endpoint_type = match endpoint.types.as_slice() {
        [] => "EDGE".to_owned(),
        [one] => checked_endpoint_type(one)?,
        _ => return Err(not_played("an API with several endpoint types")),
    };
    let minimum_compression_size = create.minimum_compression_size.map(|size| compression_size(size.as_i64()));
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
        ip_address_type: endpoint.ip_address_type.map(checked_address_type).transpose()?,
        api_key_source: create.api_key_source.map(checked_key_source).transpose()?,
        minimum_compression_size: minimum_compression_size.transpose()?,
        disable_execute_api_endpoint: create.disable_execute_api_endpoint,
        policy,
        tags: create.tags,
        root: root.clone(),
        resources: BTreeMap::from([(root, resource)]),
        deployments: BTreeMap::new(),
        stages: BTreeMap::new(),
        dangling: Vec::new(),
    };
    let reply = listed(&api);
    account.engine.created(&id);
    account.apigateway.apis.insert(id, api);
    Ok((201, reply))
}

fn checked_endpoint_type(name: &str) -> Result<String, Refusal> {
    match name {
        "REGIONAL" | "EDGE" => Ok(name.to_owned()),
        _ => Err(not_played(format_args!("the endpoint type {name}: use REGIONAL or EDGE"))),
    }
}

fn checked_address_type(name: String) -> Result<String, Refusal> {
    match name.as_str() {
        "ipv4" | "dualstack" => Ok(name),
        _ => Err(bad("Enumeration value for IpAddressType must be non-empty")),
    }
}

fn checked_key_source(name: String) -> Result<String, Refusal> {
    match name.as_str() {
        "HEADER" | "AUTHORIZER" => Ok(name),
        _ => Err(bad("Enumeration value for ApiKeySourceType must be non-empty")),
    }
}

fn compression_size(size: Option<i64>) -> Result<u32, Refusal> {
    let size = size.and_then(|size| u32::try_from(size).ok()).filter(|size| *size <= 10_485_760);
    size.ok_or_else(|| bad("Invalid minimum compression size, must be between 0 and 10485760"))
}

/// An API as a creation and a list show it: without its tags, if it has none.
fn listed(api: &RestApi) -> Value {
    let mut view = view(api);
    if let (true, Some(members)) = (api.tags.is_empty(), view.as_object_mut()) {
        members.remove("tags");
    }
    view
}

fn view(api: &RestApi) -> Value {
    omit(json!({
        "id": api.id,
        "name": api.name,
        "description": api.description,
        "version": api.version,
        "createdDate": seconds(api.created),
        "binaryMediaTypes": (!api.binary_media_types.is_empty()).then_some(&api.binary_media_types),
        "apiKeySource": api.api_key_source.as_deref().unwrap_or("HEADER"),
        "minimumCompressionSize": api.minimum_compression_size,
        "endpointConfiguration": {
            "types": [api.endpoint_type],
            "ipAddressType": api.ip_address_type.as_deref().unwrap_or("ipv4"),
        },
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
    page(input, &account.apigateway.apis, listed)
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
        change(&mut changed, patch)?;
    }
    *api = changed;
    Ok((200, view(api)))
}

fn change(api: &mut RestApi, patch: &Patch) -> Result<(), Refusal> {
    if let Some(media_type) = patch.entry("binaryMediaTypes") {
        let at = api.binary_media_types.iter().position(|known| *known == media_type);
        match (patch.op.as_str(), at) {
            ("add", None) => api.binary_media_types.push(media_type),
            // AWS takes the old type out and puts the new one at the end.
            ("replace", Some(at)) => {
                api.binary_media_types.remove(at);
                api.binary_media_types.push(patch.value()?);
            }
            ("remove", Some(at)) => drop(api.binary_media_types.remove(at)),
            ("add", Some(_)) | ("remove", None) => {}
            _ => return Err(patch.invalid_path()),
        }
        return Ok(());
    }
    let optional = || patch.value.clone().filter(|value| !value.is_empty());
    match (patch.op.as_str(), patch.path.as_str()) {
        ("remove", "/description") => api.description = None,
        ("replace", "/description") => api.description = optional(),
        (_, "/minimumCompressionSize") => {
            patch.replace_only()?;
            let size = optional().map(|size| compression_size(size.parse().ok()));
            api.minimum_compression_size = size.transpose()?;
        }
        ("replace", "/name") => {
            api.name = optional().ok_or_else(|| bad("Name cannot be empty"))?;
        }
        ("replace", "/version") => api.version = optional(),
        ("replace", "/disableExecuteApiEndpoint") => api.disable_execute_api_endpoint = patch.flag()?,
        ("replace", "/apiKeySource") => api.api_key_source = Some(checked_key_source(patch.value()?)?),
        ("replace", "/policy") => {
            api.policy = optional().map(|policy| resource_policy::stored(&policy, &api.id)).transpose()?;
        }
        ("replace", "/endpointConfiguration/ipAddressType") => {
            api.ip_address_type = Some(checked_address_type(patch.value()?)?);
        }
        // The last part is the place in the list, or the type that is replaced.
        ("replace", path) if path.starts_with("/endpointConfiguration/types/") => {
            api.endpoint_type = checked_endpoint_type(&patch.value()?)?;
        }
        (_, path) if path.starts_with("/endpointConfiguration/vpcEndpointIds") => {
            return Err(not_played("VPC endpoints, which only private APIs have"));
        }
        _ => return Err(patch.invalid_path()),
    }
    Ok(())
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
