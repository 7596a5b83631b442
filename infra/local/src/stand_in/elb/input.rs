//! What the operations' inputs have in common: every leaf is a string, an empty list is an empty string, and members
//! that the stand-in does not know are refused, never ignored.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::stand_in::refusal::Refusal;

/// AWS's code for an invalid input.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::bad("ValidationError", message)
}

/// The operation's members.
pub(super) fn parse<T: DeserializeOwned>(input: &Value) -> Result<T, Refusal> {
    if !input.is_object() {
        return Err(invalid("The request has no named members"));
    }
    T::deserialize(input).map_err(|error| invalid(error.to_string()))
}

/// The members called `names`, and the others.
pub(super) fn split(input: &Value, names: &[&str]) -> (Value, Value) {
    let all: Map<String, Value> = input.as_object().cloned().unwrap_or_default();
    let (named, others): (Map<_, _>, Map<_, _>) = all.into_iter().partition(|(name, _)| names.contains(&name.as_str()));
    (Value::Object(named), Value::Object(others))
}

/// A number or boolean, which comes as a string.
pub(super) fn leaf<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("'{text}' is not a valid value")))
}

/// A list; an empty one comes as an empty string.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        value => serde_json::from_value(value).map_err(D::Error::custom),
    }
}

/// Refuses a number outside AWS's range for `member`.
pub(super) fn within<N: PartialOrd + Display>(member: &str, value: N, least: N, most: N) -> Result<N, Refusal> {
    let constraint = if value < least {
        format!("Member must have value greater than or equal to {least}")
    } else if value > most {
        format!("Member must have value less than or equal to {most}")
    } else {
        return Ok(value);
    };
    Err(invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    )))
}

/// Refuses every value except the one that the stand-in supports.
pub(super) fn only(member: &str, value: Option<&str>, supported: &str) -> Result<(), Refusal> {
    match value {
        Some(value) if value != supported => {
            Err(invalid(format!("The stand-in supports only '{supported}' for {member}, not '{value}'")))
        }
        _ => Ok(()),
    }
}

/// The rules that names of load balancers and target groups share; `noun` begins AWS's message.
pub(super) fn check_name(noun: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(invalid(format!("{noun} name cannot be empty")));
    }
    if name.len() > 32 {
        return Err(invalid(format!("{noun} name '{name}' cannot be longer than '32' characters")));
    }
    if !name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-') {
        return Err(invalid(format!(
            "{noun} name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)"
        )));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Err(invalid(format!("{noun} name '{name}' cannot begin or end with '-'")));
    }
    Ok(())
}

/// Refuses a text that cannot be the ARN of a `kind` (`loadbalancer`, `targetgroup`, `listener`).
pub(super) fn check_arn(arn: &str, kind: &str, noun: &str) -> Result<(), Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "elasticloadbalancing", _, _, resource]
            if resource.strip_prefix(kind).is_some_and(|rest| rest.starts_with('/')) =>
        {
            Ok(())
        }
        _ => Err(invalid(format!("'{arn}' is not a valid {noun} ARN"))),
    }
}

/// One page of `items`, which are in the order of their ARNs, and the marker of the next.
pub(super) fn page<T>(
    items: Vec<(&str, T)>,
    marker: Option<&str>,
    size: Option<usize>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let size = within("pageSize", size.unwrap_or(400), 1, 400)?;
    let mut rest = items.into_iter().filter(|(arn, _)| marker.is_none_or(|marker| *arn > marker)).peekable();
    let mut page = Vec::new();
    let mut last = None;
    while page.len() < size {
        let Some((arn, item)) = rest.next() else { break };
        page.push(item);
        last = Some(arn.to_owned());
    }
    let next = if rest.peek().is_some() { last } else { None };
    Ok((page, next))
}
