//! Methods and method responses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::apis::leave_dangling;
use super::model::{Method, MethodResponse};
use super::patch::Patch;
use super::wire::{MethodId, api_mut, bad, conflict, method_mut, not_found, read, resource_mut};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

const HTTP_METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Put {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    #[serde(default)]
    authorization_type: String,
    #[serde(default)]
    api_key_required: bool,
    operation_name: Option<String>,
    #[serde(default)]
    request_parameters: BTreeMap<String, bool>,
}

pub fn put(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let put: Put = read(input)?;
    let resource = resource_mut(account, &put.rest_api_id, &put.resource_id)?;
    if !is_http_method(&put.http_method) {
        return Err(bad(format!("Invalid HttpMethod specified. Valid options are {}", HTTP_METHODS.join(","))));
    }
    check_authorization(&put.authorization_type)?;
    put.request_parameters.keys().try_for_each(|name| check_parameter(name))?;
    if resource.methods.contains_key(&put.http_method) {
        return Err(conflict("Method already exists for this resource"));
    }
    let method = Method {
        http_method: put.http_method.clone(),
        authorization_type: put.authorization_type,
        api_key_required: put.api_key_required,
        operation_name: put.operation_name,
        request_parameters: put.request_parameters,
        method_responses: BTreeMap::new(),
        method_integration: None,
    };
    let reply = json!(method);
    resource.methods.insert(put.http_method, method);
    Ok((201, reply))
}

pub fn is_http_method(name: &str) -> bool {
    HTTP_METHODS.contains(&name)
}

fn check_authorization(kind: &str) -> Result<(), Refusal> {
    match kind {
        "NONE" | "AWS_IAM" => Ok(()),
        "CUSTOM" | "COGNITO_USER_POOLS" => Err(bad("Invalid authorizer ID specified")),
        _ => Err(bad("Invalid authorization type specified")),
    }
}

fn check_parameter(name: &str) -> Result<(), Refusal> {
    let known = ["path", "querystring", "header"];
    let place = name.strip_prefix("method.request.").and_then(|rest| rest.split_once('.'));
    match place {
        Some((place, name)) if known.contains(&place) && !name.is_empty() => Ok(()),
        _ => Err(bad(format!("Invalid mapping expression parameter specified: {name}"))),
    }
}

pub fn get(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    Ok((200, json!(method_mut(account, &read(input)?)?)))
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
    let method = method_mut(account, &MethodId { rest_api_id, resource_id, http_method })?;
    let mut changed = method.clone();
    for patch in &patch_operations {
        match (patch.op.as_str(), patch.path.as_str(), patch.entry("requestParameters")) {
            ("replace", "/authorizationType", _) => {
                changed.authorization_type = patch.value()?;
                check_authorization(&changed.authorization_type)?;
            }
            ("replace", "/apiKeyRequired", _) => changed.api_key_required = patch.flag()?,
            ("replace", "/operationName", _) => changed.operation_name = patch.value.clone(),
            ("add" | "replace", _, Some(name)) => {
                check_parameter(&name)?;
                changed.request_parameters.insert(name, patch.flag()?);
            }
            ("remove", _, Some(name)) => drop(changed.request_parameters.remove(&name)),
            _ => {
                let allowed = ["/authorizationType", "/apiKeyRequired", "/operationName", "/requestParameters/{name}"];
                return Err(patch.refuse(&allowed));
            }
        }
    }
    *method = changed;
    Ok((200, json!(method)))
}

pub fn delete(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let id: MethodId = read(input)?;
    let method = method_mut(account, &id)?.clone();
    resource_mut(account, &id.rest_api_id, &id.resource_id)?.methods.remove(&id.http_method);
    leave_dangling(api_mut(account, &id.rest_api_id)?, &id.resource_id, &method);
    Ok((204, Value::Null))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PutResponse {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    #[serde(default)]
    response_parameters: BTreeMap<String, bool>,
    #[serde(default)]
    response_models: BTreeMap<String, String>,
}

pub fn put_response(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let PutResponse { rest_api_id, resource_id, http_method, status_code, response_parameters, response_models } =
        read(input)?;
    let method = method_mut(account, &MethodId { rest_api_id, resource_id, http_method })?;
    if method.method_responses.contains_key(&status_code) {
        return Err(conflict("Response already exists for this resource"));
    }
    if !is_status(&status_code) {
        return Err(not_found("Invalid Response status code specified"));
    }
    let response = MethodResponse { status_code: status_code.clone(), response_parameters, response_models };
    let reply = json!(response);
    method.method_responses.insert(status_code, response);
    Ok((201, reply))
}

pub fn is_status(code: &str) -> bool {
    code.parse::<u16>().is_ok_and(|code| (200..600).contains(&code))
}
