//! What all operations share: reading an input, writing a list, and API Gateway's errors.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::model::{Method, Resource, RestApi, Tags};
use crate::stand_in::account::Account;
use crate::stand_in::identity::ACCOUNT;
use crate::stand_in::refusal::Refusal;

/// An operation's input; a member that the stand-in does not play is refused by name.
pub fn read<T: DeserializeOwned>(input: &Value) -> Result<T, Refusal> {
    T::deserialize(input).map_err(|error| {
        let error = error.to_string();
        match error.strip_prefix("unknown field ").and_then(|rest| rest.split_once(',')) {
            Some((member, _)) => not_played(format!("the member {member} of this call")),
            None => bad(format!("Invalid request input: {error}")),
        }
    })
}

/// The refusal of what API Gateway has and the stand-in has not.
pub fn not_played(what: impl std::fmt::Display) -> Refusal {
    bad(format!("berth-local does not play {what}"))
}

pub fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "BadRequestException", message)
}

pub fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new(404, "NotFoundException", message)
}

pub fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::new(409, "ConflictException", message)
}

/// The error for an exhausted quota: 429 like a throttle, but a retry does not help.
pub fn limit(what: &str, of: &str) -> Refusal {
    let message = format!(
        "Maximum number of {what} for this {of} has been reached. Please contact AWS if you need additional {what}."
    );
    Refusal::new(429, "LimitExceededException", message)
}

/// Which page of a list.
#[derive(Deserialize)]
pub struct Page {
    limit: Option<usize>,
    position: Option<String>,
}

/// One page of a map, in API Gateway's form of a list.
pub fn list<T>(input: &Value, all: &BTreeMap<String, T>, view: impl Fn(&T) -> Value) -> Result<(u16, Value), Refusal> {
    let Page { limit, position } = read(input)?;
    let limit = limit.unwrap_or(25);
    if !(1..=500).contains(&limit) {
        return Err(bad("Invalid limit specified. The limit must be between 1 and 500."));
    }
    let from = position.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut rest = all.range::<str, _>((from, Bound::Unbounded)).peekable();
    let mut items = Vec::new();
    let mut last = None;
    for (id, item) in rest.by_ref().take(limit) {
        items.push(view(item));
        last = Some(id);
    }
    // The position is the last id of the page, so that later pages stay right when resources are created and deleted.
    let position = last.filter(|_| rest.peek().is_some());
    Ok((200, omit(json!({"item": items, "position": position}))))
}

/// The object without its null members.
pub fn omit(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// Tags as creations and lists write them: only when there are any.
pub fn some_tags(tags: &Tags) -> Option<&Tags> {
    (!tags.is_empty()).then_some(tags)
}

/// A time as API Gateway writes it.
pub fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

pub fn api<'a>(account: &'a Account, id: &str) -> Result<&'a RestApi, Refusal> {
    account.apigateway.apis.get(id).ok_or_else(|| no_api(id))
}

pub fn api_mut<'a>(account: &'a mut Account, id: &str) -> Result<&'a mut RestApi, Refusal> {
    account.apigateway.apis.get_mut(id).ok_or_else(|| no_api(id))
}

fn no_api(id: &str) -> Refusal {
    not_found(format!("Invalid API identifier specified {ACCOUNT}:{id}"))
}

/// A resource; an API that is not there is no other error for AWS here.
pub fn resource_mut<'a>(account: &'a mut Account, api: &str, resource: &str) -> Result<&'a mut Resource, Refusal> {
    let api = account.apigateway.apis.get_mut(api);
    api.and_then(|api| api.resources.get_mut(resource)).ok_or_else(no_resource)
}

pub fn no_resource() -> Refusal {
    not_found("Invalid Resource identifier specified")
}

/// A method of a resource of an API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodId {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
}

pub fn method_mut<'a>(account: &'a mut Account, id: &MethodId) -> Result<&'a mut Method, Refusal> {
    let resource = resource_mut(account, &id.rest_api_id, &id.resource_id)?;
    resource.methods.get_mut(&id.http_method).ok_or_else(|| not_found("Invalid Method identifier specified"))
}

/// A response of a method, or of its integration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseId {
    #[serde(flatten)]
    pub method: MethodId,
    pub status_code: String,
}

pub fn no_response() -> Refusal {
    not_found("Invalid Response status code specified")
}
