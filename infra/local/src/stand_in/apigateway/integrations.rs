//! Integrations and integration responses: what answers a method's requests.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::matching::{Uri, is_mapping};
use super::methods::{is_http_method, is_status};
use super::model::{Integration, IntegrationResponse, Method};
use super::patch::Patch;
use super::wire::{MethodId, bad, method_mut, not_found, read};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

/// The paths that UpdateIntegration accepts; `/type` is not among them.
const PATCHES: [&str; 7] = [
    "/connectionType",
    "/connectionId",
    "/uri",
    "/httpMethod",
    "/timeoutInMillis",
    "/integrationTarget",
    "/requestParameters/{name}",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Put {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    #[serde(default)]
    r#type: String,
    integration_http_method: Option<String>,
    uri: Option<String>,
    connection_type: Option<String>,
    connection_id: Option<String>,
    #[serde(default)]
    request_parameters: BTreeMap<String, String>,
    #[serde(default)]
    request_templates: BTreeMap<String, String>,
    passthrough_behavior: Option<String>,
    timeout_in_millis: Option<u32>,
    cache_namespace: Option<String>,
}

pub fn put(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let put: Put = read(input)?;
    let id = MethodId { rest_api_id: put.rest_api_id, resource_id: put.resource_id, http_method: put.http_method };
    let method = method_mut(account, &id)?.clone();
    let integration = Integration {
        r#type: put.r#type,
        http_method: put.integration_http_method,
        uri: put.uri,
        connection_type: put.connection_type.unwrap_or_else(|| "INTERNET".to_owned()),
        connection_id: put.connection_id,
        request_parameters: put.request_parameters,
        request_templates: put.request_templates,
        passthrough_behavior: put.passthrough_behavior.unwrap_or_else(|| "WHEN_NO_MATCH".to_owned()),
        timeout_in_millis: put.timeout_in_millis.unwrap_or(29_000),
        cache_namespace: put.cache_namespace.unwrap_or_else(|| id.resource_id.clone()),
        cache_key_parameters: Vec::new(),
        integration_responses: BTreeMap::new(),
    };
    check(account, &method, &integration)?;
    let reply = json!(integration);
    method_mut(account, &id)?.method_integration = Some(integration);
    Ok((201, reply))
}

/// Checks whether API Gateway accepts this integration for this method.
fn check(account: &Account, method: &Method, integration: &Integration) -> Result<(), Refusal> {
    match integration.r#type.as_str() {
        "HTTP" | "HTTP_PROXY" => check_http(account, integration)?,
        "MOCK" => check_mock(integration)?,
        "AWS" | "AWS_PROXY" => return Err(bad("berth-local does not support integrations with AWS services")),
        _ => return Err(bad("Enumeration value for IntegrationType must be non-empty")),
    }
    if !["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].contains(&integration.passthrough_behavior.as_str()) {
        return Err(bad("Invalid passthrough behavior specified"));
    }
    if !(50..=29_000).contains(&integration.timeout_in_millis) {
        return Err(bad("Timeout should be between 50 ms and 29000 ms"));
    }
    for (target, source) in &integration.request_parameters {
        if !is_mapping(method, target, source) {
            return Err(bad(format!(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: {source}]"
            )));
        }
    }
    Ok(())
}

fn check_http(account: &Account, integration: &Integration) -> Result<(), Refusal> {
    match integration.http_method.as_deref() {
        None | Some("") => return Err(bad("Enumeration value for HttpMethod must be non-empty")),
        Some(method) if !is_http_method(method) => return Err(bad("Invalid HttpMethod specified")),
        Some(_) => {}
    }
    let uri = integration.uri.as_deref().unwrap_or_default();
    if uri.starts_with("https://") {
        return Err(bad("berth-local speaks no TLS to integrations: use an http:// URI"));
    }
    if Uri::parse(uri).is_none() {
        return Err(bad("Invalid HTTP endpoint specified for URI"));
    }
    if !integration.request_templates.is_empty() {
        return Err(bad("berth-local supports no mapping templates for HTTP integrations"));
    }
    match integration.connection_type.as_str() {
        "INTERNET" => Ok(()),
        "VPC_LINK" => check_link(account, integration.connection_id.as_deref().unwrap_or_default()),
        _ => Err(bad("Enumeration value for ConnectionType must be non-empty")),
    }
}

fn check_link(account: &Account, id: &str) -> Result<(), Refusal> {
    match account.apigateway.vpc_links.get(id) {
        _ if id.is_empty() => Err(bad("Connection ID must be specified for connection type VPC_LINK")),
        _ if id.starts_with("${stageVariables.") && id.ends_with('}') => Ok(()),
        None => Err(not_found("Invalid Vpc Link identifier specified")),
        Some(_) => Ok(()),
    }
}

/// A mock's template sets the status that it pretends to have; berth-local accepts it when it is plain JSON.
fn check_mock(integration: &Integration) -> Result<(), Refusal> {
    match integration.request_templates.values().all(|template| mock_status(template).is_some()) {
        true => Ok(()),
        false => Err(bad("berth-local supports mocks whose request template is literally {\"statusCode\": n}")),
    }
}

/// The status in a mock's request template.
pub fn mock_status(template: &str) -> Option<String> {
    let template: Value = serde_json::from_str(template).ok()?;
    Some(template.get("statusCode")?.as_u64()?.to_string())
}

fn no_integration() -> Refusal {
    not_found("Invalid Integration identifier specified")
}

pub fn get(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let method = method_mut(account, &read(input)?)?;
    Ok((200, json!(method.method_integration.as_ref().ok_or_else(no_integration)?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    #[serde(default)]
    patch_operations: Vec<Patch>,
}

pub fn update(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let Update { rest_api_id, resource_id, http_method, patch_operations } = read(input)?;
    let id = MethodId { rest_api_id, resource_id, http_method };
    let method = method_mut(account, &id)?.clone();
    let mut changed = method.method_integration.clone().ok_or_else(no_integration)?;
    for patch in &patch_operations {
        match (patch.op.as_str(), patch.path.as_str(), patch.entry("requestParameters")) {
            ("replace", "/connectionType", _) => changed.connection_type = patch.value()?,
            ("replace", "/connectionId", _) => changed.connection_id = Some(patch.value()?),
            ("replace", "/uri", _) => changed.uri = Some(patch.value()?),
            ("replace", "/httpMethod", _) => changed.http_method = Some(patch.value()?),
            ("replace", "/timeoutInMillis", _) => {
                changed.timeout_in_millis =
                    patch.value()?.parse().map_err(|_| bad("Timeout should be between 50 ms and 29000 ms"))?;
            }
            ("replace", "/integrationTarget", _) => {
                return Err(bad("integrationTarget is for VPC links V2, which berth-local does not support"));
            }
            ("add" | "replace", _, Some(name)) => {
                changed.request_parameters.insert(name, patch.value()?);
            }
            ("remove", _, Some(name)) => {
                changed.request_parameters.remove(&name).ok_or_else(|| bad("Invalid parameter name specified"))?;
            }
            _ => return Err(patch.refuse(&PATCHES)),
        }
    }
    if changed.connection_type == "INTERNET" {
        changed.connection_id = None;
    }
    check(account, &method, &changed)?;
    let reply = json!(changed);
    method_mut(account, &id)?.method_integration = Some(changed);
    Ok((200, reply))
}

pub fn delete(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let method = method_mut(account, &read(input)?)?;
    method.method_integration.take().ok_or_else(no_integration)?;
    Ok((204, Value::Null))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutResponse {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    selection_pattern: Option<String>,
    #[serde(default)]
    response_parameters: BTreeMap<String, String>,
    #[serde(default)]
    response_templates: BTreeMap<String, String>,
}

pub fn put_response(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let put: PutResponse = read(input)?;
    let id = MethodId { rest_api_id: put.rest_api_id, resource_id: put.resource_id, http_method: put.http_method };
    let method = method_mut(account, &id)?;
    if !method.method_responses.contains_key(&put.status_code) {
        return Err(not_found("Invalid Response status code specified"));
    }
    let integration = method.method_integration.as_mut().ok_or_else(no_integration)?;
    let selection_pattern = put.selection_pattern.filter(|pattern| !pattern.is_empty());
    if selection_pattern.as_deref().is_some_and(|pattern| !is_status(pattern)) {
        return Err(bad("berth-local takes a selection pattern only when it is one status code"));
    }
    if put.response_templates.values().any(|template| template.contains(['$', '#'])) {
        return Err(bad("berth-local supports response templates only when they are literal text"));
    }
    for (target, source) in &put.response_parameters {
        let literal = source.len() > 1 && source.starts_with('\'') && source.ends_with('\'');
        let known = literal || source.starts_with("integration.response.header.");
        if !target.starts_with("method.response.header.") || !known {
            return Err(bad(format!("Invalid mapping expression parameter specified: {source}")));
        }
    }
    let response = IntegrationResponse {
        status_code: put.status_code.clone(),
        selection_pattern,
        response_parameters: put.response_parameters,
        response_templates: put.response_templates,
    };
    let reply = json!(response);
    integration.integration_responses.insert(put.status_code, response);
    Ok((201, reply))
}
