//! Task definitions, families and their revisions: their state and description, and every call but the registration,
//! which is in `register`.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Ecs;
use super::input::{Page, client, epoch, maybe_epoch, parse, shown_tags, without_nulls};
use crate::stand_in::account::Account;
use crate::stand_in::identity::{ACCOUNT, REGION};
use crate::stand_in::refusal::Refusal;

/// One revision of a family.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TaskDefinition {
    /// Its ARN, with family and revision.
    pub arn: String,
    /// Its family.
    pub family: String,
    /// Counted from 1.
    pub revision: u32,
    /// Its containers.
    pub containers: Vec<Container>,
    /// CPU units and MiB; `None` when it cannot run on Fargate.
    pub size: Option<(u32, u32)>,
    pub(super) registered_at: Timestamp,
    /// Deregistered revisions are INACTIVE: describable, but nothing new may use them.
    pub deregistered_at: Option<Timestamp>,
    /// Members that are only stored and returned.
    pub(super) echoed: Map<String, Value>,
    /// Whether the log says what a task of it does not play.
    #[serde(default)]
    pub(super) announced: bool,
}

/// One container. Its other members are only stored and returned: the stand-in runs programs, not images.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its image.
    #[serde(default)]
    pub image: String,
    /// Whether the task ends when this container does.
    #[serde(default = "yes")]
    pub essential: bool,
    #[serde(default)]
    pub(super) port_mappings: Vec<PortMapping>,
    #[serde(default)]
    pub(super) environment: Vec<Variable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_timeout: Option<u32>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// A port, or a range of ports.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PortMapping {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container_port_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) protocol: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl PortMapping {
    fn ports(&self) -> Option<RangeInclusive<u16>> {
        if let Some(port) = self.container_port {
            return Some(port..=port);
        }
        let (first, last) = self.container_port_range.as_deref()?.split_once('-')?;
        Some(first.parse().ok()?..=last.parse().ok()?)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Variable {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: String,
}

impl Container {
    /// The log group and the prefix of the log streams, if it writes to CloudWatch Logs.
    pub(super) fn awslogs(&self) -> Option<(&str, &str)> {
        let configuration = self.rest.get("logConfiguration").filter(|found| found["logDriver"] == "awslogs")?;
        let option = |name: &str| configuration["options"][name].as_str();
        option("awslogs-group").zip(option("awslogs-stream-prefix"))
    }

    /// The ports that it maps for TCP.
    pub(super) fn tcp_ports(&self) -> impl Iterator<Item = u16> {
        let tcp = self.port_mappings.iter().filter(|mapping| mapping.protocol.as_deref() != Some("udp"));
        tcp.filter_map(PortMapping::ports).flatten()
    }

    /// Whether it has a health check.
    pub(super) fn is_health_checked(&self) -> bool {
        self.rest.contains_key("healthCheck")
    }
}

fn yes() -> bool {
    true
}

impl TaskDefinition {
    /// As in replies.
    pub(super) fn shown(&self) -> Value {
        let mut shown = self.echoed.clone();
        // Each of these is seen in replies of 2026 (docs/aws.md#registering-a-task-definition).
        let compatibilities = match (self.size, self.echoed.get("networkMode").and_then(Value::as_str)) {
            (Some(_), _) => json!(["EC2", "MANAGED_INSTANCES", "FARGATE"]),
            (None, Some("awsvpc")) => json!(["EC2"]),
            (None, _) => json!(["EXTERNAL", "EC2"]),
        };
        for (member, value) in [
            ("taskDefinitionArn", json!(self.arn)),
            ("family", json!(self.family)),
            ("revision", json!(self.revision)),
            ("containerDefinitions", json!(self.containers)),
            ("status", json!(if self.deregistered_at.is_none() { "ACTIVE" } else { "INACTIVE" })),
            ("compatibilities", compatibilities),
            ("requiresAttributes", json!([])),
            ("registeredAt", json!(epoch(self.registered_at))),
            ("deregisteredAt", maybe_epoch(self.deregistered_at)),
        ] {
            shown.insert(member.to_owned(), value);
        }
        without_nulls(Value::Object(shown))
    }

    /// The container of this name.
    pub(super) fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }
}

/// The definition that `given` means: a family (its newest active revision), `family:revision`, or an ARN of this
/// account and region.
pub(super) fn find<'a>(ecs: &'a Ecs, given: &str) -> Option<&'a TaskDefinition> {
    let given = own(given)?;
    match given.split_once(':') {
        Some((family, revision)) => ecs.families.get(family)?.get(&revision.parse().ok()?),
        None => ecs.families.get(given)?.values().rev().find(|definition| definition.deregistered_at.is_none()),
    }
}

/// The revision with this ARN.
pub(super) fn find_mut<'a>(ecs: &'a mut Ecs, arn: &str) -> Option<&'a mut TaskDefinition> {
    let (family, revision) = own(arn)?.split_once(':')?;
    ecs.families.get_mut(family)?.get_mut(&revision.parse().ok()?)
}

/// The part of a task definition's ARN after account and region; a name is returned as it is. `None` for an ARN of
/// another account, region or kind, which is not visible here.
fn own(given: &str) -> Option<&str> {
    if !given.starts_with("arn:") {
        return Some(given);
    }
    given.strip_prefix(&format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct One {
    task_definition: String,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: One = parse("DescribeTaskDefinition", input)?;
    let definition =
        find(&account.ecs, &input.task_definition).ok_or_else(|| client("Unable to describe task definition."))?;
    let mut reply = json!({"taskDefinition": definition.shown()});
    if input.include.iter().any(|include| include == "TAGS") {
        reply["tags"] = shown_tags(account.ecs.tags.get(&definition.arn));
    }
    Ok(reply)
}

pub(super) fn deregister(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let input: One = parse("DeregisterTaskDefinition", input)?;
    let now = account.engine.now();
    let no_such = || client("The specified task definition does not exist.");
    let given = own(&input.task_definition).ok_or_else(no_such)?;
    let (family, revision) = given.split_once(':').ok_or_else(invalid_revision)?;
    let revision: u32 = revision.parse().map_err(|_| invalid_revision())?;
    let definition =
        account.ecs.families.get_mut(family).and_then(|revisions| revisions.get_mut(&revision)).ok_or_else(no_such)?;
    definition.deregistered_at.get_or_insert(now);
    Ok(json!({"taskDefinition": definition.shown()}))
}

fn invalid_revision() -> Refusal {
    client("Invalid revision number. Number: null")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    family_prefix: Option<String>,
    status: Option<String>,
    sort: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl List {
    fn page(&self) -> Page {
        Page { max_results: self.max_results, next_token: self.next_token.clone() }
    }
}

pub(super) fn list(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: List = parse("ListTaskDefinitions", input)?;
    let active = input.status.as_deref().unwrap_or("ACTIVE") == "ACTIVE";
    // Here the prefix is a whole family name, unlike in ListTaskDefinitionFamilies.
    let mut arns: Vec<String> = account
        .ecs
        .families
        .iter()
        .filter(|(family, _)| input.family_prefix.as_ref().is_none_or(|prefix| prefix == *family))
        .flat_map(|(_, revisions)| revisions.values())
        .filter(|definition| definition.deregistered_at.is_none() == active)
        .map(|definition| definition.arn.clone())
        .collect();
    if input.sort.as_deref() == Some("DESC") {
        arns.reverse();
    }
    input.page().of("taskDefinitionArns", &arns, 100)
}

pub(super) fn list_families(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: List = parse("ListTaskDefinitionFamilies", input)?;
    let status = input.status.as_deref().unwrap_or("ALL");
    let families: Vec<String> = account
        .ecs
        .families
        .iter()
        .filter(|(family, _)| input.family_prefix.as_ref().is_none_or(|prefix| family.starts_with(prefix.as_str())))
        .filter(|(_, revisions)| {
            let active = revisions.values().any(|definition| definition.deregistered_at.is_none());
            status == "ALL" || (status == "ACTIVE") == active
        })
        .map(|(family, _)| family.clone())
        .collect();
    input.page().of("families", &families, 100)
}
