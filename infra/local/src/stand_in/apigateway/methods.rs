//! Methods and method responses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::apis::leave_dangling;
use super::model::{Method, MethodResponse};
use super::patch::Patch;
use super::wire::{
    MethodId, ResponseId, api_mut, bad, conflict, method_mut, no_response, not_played, read, resource_mut,
};
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
    #[serde(default)]
    request_models: BTreeMap<String, String>,
    request_validator_id: Option<String>,
    authorizer_id: Option<String>,
    #[serde(default)]
    authorization_scopes: Vec<String>,
}

pub fn put(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let put: Put = read(input)?;
    let resource = resource_mut(account, &put.rest_api_id, &put.resource_id)?;
    if !is_http_method(&put.http_method) {
        return Err(bad(format!("Invalid HttpMethod specified. Valid options are {}", HTTP_METHODS.join(","))));
    }
    // The type is taken in any case, and shown in capitals; an authorizer's id means nothing without its type.
    let authorization_type = put.authorization_type.to_uppercase();
    check_authorization(&authorization_type)?;
    if !put.authorization_scopes.is_empty() {
        return Err(not_played("authorization scopes, which only Cognito has"));
    }
    if put.authorizer_id.is_some() && authorization_type == "AWS_IAM" {
        return Err(not_played("an authorizer beside AWS_IAM"));
    }
    check_parameters(&put.request_parameters)?;
    put.request_models.values().try_for_each(|model| check_model(model))?;
    check_validator(put.request_validator_id.as_deref())?;
    if resource.methods.contains_key(&put.http_method) {
        return Err(conflict("Method already exists for this resource"));
    }
    let method = Method {
        http_method: put.http_method.clone(),
        authorization_type,
        api_key_required: put.api_key_required,
        operation_name: put.operation_name,
        request_parameters: put.request_parameters,
        request_models: put.request_models,
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
        // No authorizer can be created here.
        "CUSTOM" | "COGNITO_USER_POOLS" => Err(bad(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
        )),
        _ => Err(bad("Invalid authorization type specified")),
    }
}

/// A model must be one of the two that every API has: no other can be created here.
fn check_model(name: &str) -> Result<(), Refusal> {
    match name {
        "Empty" | "Error" => Ok(()),
        _ => Err(bad(format!("Invalid model identifier specified: {name}"))),
    }
}

/// There are no request validators.
fn check_validator(id: Option<&str>) -> Result<(), Refusal> {
    match id {
        None | Some("") => Ok(()),
        Some(_) => Err(bad("Invalid Request Validator identifier specified")),
    }
}

fn check_parameters(parameters: &BTreeMap<String, bool>) -> Result<(), Refusal> {
    parameters.keys().try_for_each(|name| check_parameter(name))?;
    let mut names: Vec<&str> = parameters.keys().filter_map(|name| name.splitn(4, '.').nth(3)).collect();
    names.sort_unstable();
    match names.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(bad("Parameter names must be unique across querystring, header and path")),
        false => Ok(()),
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
        if let Some(name) = patch.entry("requestParameters") {
            match patch.op.as_str() {
                "remove" => drop(changed.request_parameters.remove(&name)),
                _ => drop(changed.request_parameters.insert(name, patch.flag()?)),
            }
            check_parameters(&changed.request_parameters)?;
            continue;
        }
        if let Some(media) = patch.entry("requestModels").filter(|_| patch.path.matches('/').count() == 2) {
            match patch.op.as_str() {
                "remove" => drop(changed.request_models.remove(&media)),
                _ => {
                    let model = patch.value()?;
                    check_model(&model)?;
                    changed.request_models.insert(media, model);
                }
            }
            continue;
        }
        match patch.path.as_str() {
            "/authorizationType" => {
                patch.replace_only()?;
                changed.authorization_type = patch.value()?.to_ascii_uppercase();
                check_authorization(&changed.authorization_type)?;
            }
            "/apiKeyRequired" => {
                patch.replace_only()?;
                changed.api_key_required = patch.value.as_deref() == Some("true");
            }
            "/operationName" => {
                patch.replace_only()?;
                changed.operation_name = patch.value.clone();
            }
            "/requestValidatorId" => check_validator(patch.value.as_deref())?,
            // Without a type that uses one, AWS ignores an authorizer's id.
            "/authorizerId" => {}
            _ => return Err(patch.invalid_path()),
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
        return Err(no_response());
    }
    let response = MethodResponse { status_code: status_code.clone(), response_parameters, response_models };
    let reply = json!(response);
    method.method_responses.insert(status_code, response);
    Ok((201, reply))
}

pub fn get_response(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ResponseId { method, status_code } = read(input)?;
    let response = method_mut(account, &method)?.method_responses.get(&status_code);
    Ok((200, json!(response.ok_or_else(no_response)?)))
}

pub fn delete_response(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let ResponseId { method, status_code } = read(input)?;
    method_mut(account, &method)?.method_responses.remove(&status_code).ok_or_else(no_response)?;
    Ok((204, Value::Null))
}

pub fn is_status(code: &str) -> bool {
    code.parse::<u16>().is_ok_and(|code| (200..600).contains(&code))
}
