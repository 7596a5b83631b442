//! TagResource, UntagResource, ListTagsForResource: tags are stored by ARN, for all kinds of resources.

use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Tag, invalid, last, parse, shown_tags, tags};
use super::{Ecs, definition};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn tag(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let input: Input = parse("TagResource", input)?;
    let added = tags(&input.tags)?;
    exists(&account.ecs, &input.resource_arn)?;
    let mut all = account.ecs.tags.get(&input.resource_arn).cloned().unwrap_or_default();
    all.extend(added);
    if all.len() > 50 {
        return Err(invalid("Too many tags: a resource can have at most 50."));
    }
    account.ecs.tags.insert(input.resource_arn, all);
    Ok(json!({}))
}

pub(super) fn untag(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let input: Input = parse("UntagResource", input)?;
    exists(&account.ecs, &input.resource_arn)?;
    if let Some(tags) = account.ecs.tags.get_mut(&input.resource_arn) {
        tags.retain(|key, _| !input.tag_keys.contains(key));
    }
    Ok(json!({}))
}

pub(super) fn list(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: Input = parse("ListTagsForResource", input)?;
    exists(&account.ecs, &input.resource_arn)?;
    Ok(json!({"tags": shown_tags(account.ecs.tags.get(&input.resource_arn))}))
}

fn exists(ecs: &Ecs, arn: &str) -> Result<(), Refusal> {
    let resource = arn.split(':').nth(5).unwrap_or_default();
    let found = match resource.split_once('/') {
        Some(("cluster", name)) => ecs.clusters.contains_key(name),
        Some(("service", key)) => {
            return match ecs.services.contains_key(key) {
                true => Ok(()),
                false => Err(Refusal::bad("ServiceNotFoundException", "Service not found.")),
            };
        }
        Some(("task", path)) => ecs.tasks.contains_key(last(path)),
        Some(("task-definition", _)) => definition::find(ecs, arn).is_some(),
        _ => return Err(invalid(format!("Invalid ARN: {arn}"))),
    };
    if found { Ok(()) } else { Err(invalid("The specified resource was not found.")) }
}
