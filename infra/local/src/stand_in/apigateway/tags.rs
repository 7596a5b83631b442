//! Tags of REST APIs, stages and VPC links, by ARN.

use serde::Deserialize;
use serde_json::{Value, json};

use super::model::Tags;
use super::wire::{api_mut, bad, not_found, read};
use crate::stand_in::account::Account;
use crate::stand_in::identity::REGION;
use crate::stand_in::refusal::Refusal;

const MAX_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tag {
    resource_arn: String,
    #[serde(default)]
    tags: Tags,
}

pub fn tag(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let Tag { resource_arn, tags } = read(input)?;
    if tags.keys().any(|key| key.is_empty() || key.starts_with("aws:")) {
        return Err(bad("Invalid tag key. Keys cannot be empty or begin with aws:"));
    }
    let current = tags_of(account, &resource_arn)?;
    let mut changed = current.clone();
    changed.extend(tags);
    if changed.len() > MAX_TAGS {
        return Err(bad(format!("The resource cannot have more than {MAX_TAGS} tags")));
    }
    *current = changed;
    Ok((204, Value::Null))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Untag {
    resource_arn: String,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub fn untag(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let Untag { resource_arn, tag_keys } = read(input)?;
    tags_of(account, &resource_arn)?.retain(|key, _| !tag_keys.contains(key));
    Ok((204, Value::Null))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arn {
    resource_arn: String,
}

pub fn get(account: &mut Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let Arn { resource_arn } = read(input)?;
    Ok((200, json!({"tags": tags_of(account, &resource_arn)?})))
}

fn tags_of<'a>(account: &'a mut Account, arn: &str) -> Result<&'a mut Tags, Refusal> {
    let prefix = format!("arn:aws:apigateway:{REGION}::/");
    let path = arn.strip_prefix(&prefix).ok_or_else(|| bad(format!("Invalid ARN. ARN is not well formed {arn}")))?;
    match *path.split('/').collect::<Vec<_>>() {
        ["restapis", id] => Ok(&mut api_mut(account, id)?.tags),
        ["restapis", id, "stages", stage] => {
            let stage = api_mut(account, id)?.stages.get_mut(stage);
            Ok(&mut stage.ok_or_else(|| not_found("Invalid stage identifier specified"))?.tags)
        }
        ["vpclinks", id] => {
            let link = account.apigateway.vpc_links.get_mut(id);
            Ok(&mut link.ok_or_else(|| not_found("Invalid Vpc Link identifier specified"))?.tags)
        }
        _ => Err(bad(format!("Invalid ARN. ARN is not well formed {arn}"))),
    }
}
