//! Integrations and integration responses: what answers a method's requests.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::matching::{Uri, is_mapping, literal};
use super::methods::{is_http_method, is_status};
use super::model::{Integration, IntegrationResponse, Method, TlsConfig};
use super::patch::Patch;
use super::wire::{MethodId, ResponseId, bad, method_mut, no_response, not_found, not_played, read};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

/// The paths that UpdateIntegration accepts; `/type` is not among them.
const PATCHES: [&str; 11] = [
    "/connectionType",
    "/connectionId",
    "/uri",
    "/httpMethod",
    "/timeoutInMillis",
    "/integrationTarget",
    "/cacheNamespace",
    "/contentHandling",
    "/credentials",
    "/passthroughBehavior",
    "/tlsConfig/insecureSkipVerification",
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
    #[serde(default)]
    cache_key_parameters: Vec<String>,
    content_handling: Option<String>,
    credentials: Option<String>,
    tls_config: Option<TlsConfig>,
    response_transfer_mode: Option<String>,
}

pub fn put(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let put: Put = read(input)?;
    let id = MethodId { rest_api_id: put.rest_api_id, resource_id: put.resource_id, http_method: put.http_method };
    let method = method_mut(account, &id)?.clone();
    let is_mock = put.r#type == "MOCK";
    let integration = Integration {
        r#type: put.r#type,
        http_method: put.integration_http_method,
        // A mock has no address, and AWS forgets one.
        uri: put.uri.filter(|_| !is_mock),
        connection_type: put.connection_type.or_else(|| (!is_mock).then(|| "INTERNET".to_owned())),
        connection_id: put.connection_id,
        request_parameters: put.request_parameters,
        request_templates: put.request_templates,
        passthrough_behavior: put.passthrough_behavior.unwrap_or_else(|| "WHEN_NO_MATCH".to_owned()),
        timeout_in_millis: put.timeout_in_millis.unwrap_or(29_000),
        cache_namespace: put.cache_namespace.unwrap_or_else(|| id.resource_id.clone()),
        cache_key_parameters: put.cache_key_parameters,
        content_handling: put.content_handling.filter(|handling| !handling.is_empty()),
        credentials: put.credentials.filter(|role| !role.is_empty()),
        tls_config: put.tls_config,
        response_transfer_mode: put.response_transfer_mode,
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
        "AWS" | "AWS_PROXY" => return Err(not_played("integrations with AWS services")),
        _ => return Err(bad("Enumeration value for IntegrationType must be non-empty")),
    }
    if !["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].contains(&integration.passthrough_behavior.as_str()) {
        return Err(bad("Invalid passthrough behavior specified"));
    }
    if !matches!(integration.content_handling.as_deref(), None | Some("CONVERT_TO_BINARY" | "CONVERT_TO_TEXT")) {
        return Err(bad("Enumeration value for ContentHandlingStrategy must be non-empty"));
    }
    if integration.response_transfer_mode.as_deref().is_some_and(|mode| mode != "BUFFERED") {
        return Err(not_played("a response transfer mode other than BUFFERED"));
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
        return Err(not_played("TLS to integrations: use an http:// URI"));
    }
    if Uri::parse(uri).is_none() {
        return Err(bad("Invalid HTTP endpoint specified for URI"));
    }
    if integration.r#type == "HTTP" && !integration.request_templates.is_empty() {
        return Err(not_played("mapping templates for HTTP integrations"));
    }
    match integration.connection_type.as_deref().unwrap_or_default() {
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
        false => Err(not_played("mocks whose request template is other than literally {\"statusCode\": n}")),
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
        change(&mut changed, patch)?;
    }
    if changed.connection_type.as_deref() == Some("INTERNET") {
        changed.connection_id = None;
    }
    check(account, &method, &changed)?;
    let reply = json!(changed);
    method_mut(account, &id)?.method_integration = Some(changed);
    Ok((200, reply))
}

fn change(integration: &mut Integration, patch: &Patch) -> Result<(), Refusal> {
    let removes = match patch.op.as_str() {
        "add" | "replace" => false,
        "remove" => true,
        _ => return Err(patch.refuse(&PATCHES)),
    };
    if let Some(name) = patch.entry("requestParameters") {
        match removes {
            true => drop(
                integration.request_parameters.remove(&name).ok_or_else(|| bad("Invalid parameter name specified"))?,
            ),
            false => drop(integration.request_parameters.insert(name, patch.value()?)),
        }
        return Ok(());
    }
    if let Some(media) = patch.entry("requestTemplates") {
        match removes {
            true => drop(integration.request_templates.remove(&media)),
            false => drop(integration.request_templates.insert(media, patch.value.clone().unwrap_or_default())),
        }
        return Ok(());
    }
    if let Some(parameter) = patch.entry("cacheKeyParameters") {
        integration.cache_key_parameters.retain(|known| *known != parameter);
        if !removes {
            integration.cache_key_parameters.push(parameter);
        }
        return Ok(());
    }
    if patch.op != "replace" {
        return Err(patch.refuse(&PATCHES));
    }
    let optional = || patch.value.clone().filter(|value| !value.is_empty());
    match patch.path.as_str() {
        "/connectionType" => integration.connection_type = Some(patch.value()?),
        "/connectionId" => integration.connection_id = Some(patch.value()?),
        "/uri" => integration.uri = Some(patch.value()?),
        "/httpMethod" => integration.http_method = Some(patch.value()?),
        "/cacheNamespace" => integration.cache_namespace = patch.value()?,
        "/contentHandling" => integration.content_handling = optional(),
        "/credentials" => integration.credentials = optional(),
        "/passthroughBehavior" => integration.passthrough_behavior = patch.value()?,
        "/timeoutInMillis" => {
            integration.timeout_in_millis =
                patch.value()?.parse().map_err(|_| bad("Timeout should be between 50 ms and 29000 ms"))?;
        }
        "/tlsConfig/insecureSkipVerification" => {
            integration.tls_config = Some(TlsConfig { insecure_skip_verification: patch.flag()? });
        }
        "/integrationTarget" => return Err(not_played("integrationTarget, which is for VPC links V2")),
        "/responseTransferMode" => return Err(not_played("a change of the response transfer mode")),
        _ => return Err(patch.refuse(&PATCHES)),
    }
    Ok(())
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
        return Err(no_response());
    }
    let integration = method.method_integration.as_mut().ok_or_else(no_integration)?;
    let selection_pattern = put.selection_pattern.filter(|pattern| !pattern.is_empty());
    if selection_pattern.as_deref().is_some_and(|pattern| !is_status(pattern)) {
        return Err(not_played("a selection pattern other than one status code"));
    }
    if put.response_templates.values().any(|template| template.contains(['$', '#'])) {
        return Err(not_played("response templates other than literal text"));
    }
    for (target, source) in &put.response_parameters {
        let known = literal(source).is_some() || source.starts_with("integration.response.header.");
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

pub fn get_response(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ResponseId { method, status_code } = read(input)?;
    let integration = method_mut(account, &method)?.method_integration.as_ref().ok_or_else(no_integration)?;
    Ok((200, json!(integration.integration_responses.get(&status_code).ok_or_else(no_response)?)))
}

pub fn delete_response(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ResponseId { method, status_code } = read(input)?;
    let integration = method_mut(account, &method)?.method_integration.as_mut().ok_or_else(no_integration)?;
    integration.integration_responses.remove(&status_code).ok_or_else(no_response)?;
    Ok((204, Value::Null))
}
