//! What ECS calls share: reading inputs, error codes, names in ARNs, tags, pages, times.
//!
//! Input structs have exactly the members that the stand-in supports; any other member is refused by name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

/// Tags of one resource.
pub(super) type Tags = BTreeMap<String, String>;

/// A tag, or a variable's name and value, as in requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// The input of `operation`.
pub(super) fn parse<T: DeserializeOwned>(operation: &str, input: &Value) -> Result<T, Refusal> {
    T::deserialize(input).map_err(|error| invalid(format!("berth-local does not play this {operation}: {error}")))
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::bad("InvalidParameterException", message)
}

pub(super) fn client(message: impl Into<String>) -> Refusal {
    Refusal::bad("ClientException", message)
}

/// Whether a member's value asks for anything. Null, false, an empty text, list or object does not.
pub(super) fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// Refuses members that the stand-in does not support, if they ask for anything.
pub(super) fn unsupported(operation: &str, members: &[(&str, &Option<Value>)]) -> Result<(), Refusal> {
    match members.iter().find(|(_, value)| value.as_ref().is_some_and(says)) {
        Some((member, _)) => Err(invalid(format!("berth-local does not play {member} of {operation}."))),
        None => Ok(()),
    }
}

/// The last part of an ARN or path: the resource's name.
pub(super) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A time as awsJson writes it: seconds since 1970.
pub(super) fn epoch(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// An optional time as awsJson writes it.
pub(super) fn maybe_epoch(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(epoch(at)))
}

/// `value` without nulls at any depth: AWS leaves them out of replies, and takes those of a request for absent.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, field)| !field.is_null())
            .map(|(name, field)| (name, without_nulls(field)))
            .collect(),
        Value::Array(entries) => entries.into_iter().filter(|entry| !entry.is_null()).map(without_nulls).collect(),
        other => other,
    }
}

/// Whether `name` is one of at most 255 letters, digits, hyphens and underscores.
pub(super) fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Checks tags as AWS does.
pub(super) fn tags(given: &[Tag]) -> Result<Tags, Refusal> {
    let keys: BTreeSet<&str> = given.iter().map(|tag| tag.key.as_str()).collect();
    if keys.len() != given.len() {
        return Err(invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    if given.len() > 50 {
        return Err(invalid("Too many tags: a resource can have at most 50."));
    }
    for tag in given {
        if !(1..=128).contains(&tag.key.chars().count())
            || !tag.key.chars().all(may_be_in_tag)
            || tag.key.to_lowercase().starts_with("aws:")
        {
            return Err(invalid(format!("Invalid tag key: '{}'.", tag.key)));
        }
        if tag.value.chars().count() > 256 || !tag.value.chars().all(may_be_in_tag) {
            return Err(invalid(format!("Invalid tag value: '{}'.", tag.value)));
        }
    }
    Ok(given.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
}

/// Whether ECS takes the character in a tag's key or value (docs/aws.md#task-definitions).
fn may_be_in_tag(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
}

/// Tags as in replies.
pub(super) fn shown_tags(tags: Option<&Tags>) -> Value {
    tags.into_iter().flatten().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// The position at which a list call continues.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) max_results: Option<usize>,
    pub(super) next_token: Option<String>,
}

impl Page {
    /// One page of `all`, under `member`, with the token of the next one.
    pub(super) fn of<T: Serialize>(&self, member: &str, all: &[T], default_size: usize) -> Result<Value, Refusal> {
        let start: usize = match &self.next_token {
            None => 0,
            Some(token) => token.parse().map_err(|_| invalid("Invalid token."))?,
        };
        let size = self.max_results.unwrap_or(default_size).clamp(1, 100);
        let page: Vec<&T> = all.iter().skip(start).take(size).collect();
        let end = start + page.len();
        let mut reply = json!({member: page});
        if end < all.len() {
            reply["nextToken"] = json!(end.to_string());
        }
        Ok(reply)
    }
}

/// A random UUID, from the seed.
pub(super) fn uuid(account: &mut Account) -> String {
    let [a, b, c, d, e] = [8, 4, 4, 4, 12].map(|length| account.engine.hex(length));
    format!("{a}-{b}-{c}-{d}-{e}")
}
