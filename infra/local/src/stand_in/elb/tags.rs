//! Tags of load balancers, target groups and listeners.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{self, invalid};
use super::{Elb, listener, load_balancer, target_group};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

/// A resource's tags.
pub(super) type Tags = BTreeMap<String, String>;

/// How many tags a resource may have.
const LIMIT: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// The tags of a request.
pub(super) fn collect(given: Vec<Tag>) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    for Tag { key, value } in given {
        input::within("tags.key.length", key.chars().count(), 1, 128)?;
        input::within("tags.value.length", value.chars().count(), 0, 256)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys with the prefix 'aws:' are reserved for AWS use"));
        }
        if tags.insert(key.clone(), value).is_some() {
            return Err(Refusal::bad("DuplicateTagKeys", format!("Tag key '{key}' was specified more than once")));
        }
    }
    check_limit(&tags)?;
    Ok(tags)
}

fn check_limit(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() > LIMIT {
        return Err(Refusal::bad("TooManyTags", format!("A resource can have at most {LIMIT} tags")));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Add {
    #[serde(deserialize_with = "input::list")]
    resource_arns: Vec<String>,
    #[serde(deserialize_with = "input::list")]
    tags: Vec<Tag>,
}

pub(super) fn add(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Add { resource_arns, tags } = input::parse(input)?;
    let added = collect(tags)?;
    let mut results = Vec::new();
    for arn in &resource_arns {
        let mut tags = of(&mut account.elb, arn)?.clone();
        tags.extend(added.clone());
        check_limit(&tags)?;
        results.push((arn, tags));
    }
    for (arn, tags) in results {
        *of(&mut account.elb, arn)? = tags;
    }
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Remove {
    #[serde(deserialize_with = "input::list")]
    resource_arns: Vec<String>,
    #[serde(deserialize_with = "input::list")]
    tag_keys: Vec<String>,
}

pub(super) fn remove(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Remove { resource_arns, tag_keys } = input::parse(input)?;
    for arn in &resource_arns {
        of(&mut account.elb, arn)?;
    }
    for arn in &resource_arns {
        of(&mut account.elb, arn)?.retain(|key, _| !tag_keys.contains(key));
    }
    Ok(json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    #[serde(deserialize_with = "input::list")]
    resource_arns: Vec<String>,
}

pub(super) fn describe(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Describe { resource_arns } = input::parse(input)?;
    input::within("resourceArns.length", resource_arns.len(), 1, 20)?;
    let mut descriptions = Vec::new();
    for arn in &resource_arns {
        let tags: Vec<Value> =
            of(&mut account.elb, arn)?.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        descriptions.push(json!({"ResourceArn": arn, "Tags": tags}));
    }
    Ok(json!({"TagDescriptions": descriptions}))
}

fn of<'a>(elb: &'a mut Elb, arn: &str) -> Result<&'a mut Tags, Refusal> {
    let kind = arn.splitn(6, ':').nth(5).and_then(|resource| resource.split('/').next());
    match kind {
        Some("targetgroup") => Ok(&mut target_group::find(elb, arn)?.tags),
        Some("listener") => Ok(&mut listener::find(elb, arn)?.tags),
        Some("loadbalancer") => Ok(&mut load_balancer::find(elb, arn)?.tags),
        _ => Err(invalid(format!("'{arn}' is not a valid ARN of a load balancer, listener or target group"))),
    }
}
