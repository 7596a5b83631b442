//! Task definitions: families and their revisions.

use berth_domain::Team;
use berth_domain::limits::ALL_TEAMS;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use super::input::{
    Page, Tag, Tags, client, epoch, is_name, maybe_epoch, parse, shown_tags, tags, unsupported, without_nulls,
};
use super::{Ecs, fargate};
use crate::stand_in::account::Account;
use crate::stand_in::identity::{self, ACCOUNT, REGION};
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
    registered_at: Timestamp,
    /// Deregistered revisions are INACTIVE: describable, but nothing new may use them.
    pub deregistered_at: Option<Timestamp>,
    /// Members that are only stored and returned.
    echoed: Map<String, Value>,
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
    rest: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PortMapping {
    pub(super) container_port: u16,
    host_port: Option<u16>,
    protocol: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Variable {
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
}

fn yes() -> bool {
    true
}

impl TaskDefinition {
    fn shown(&self) -> Value {
        let mut shown = self.echoed.clone();
        let compatibilities = if self.size.is_some() { json!(["EC2", "FARGATE"]) } else { json!(["EC2"]) };
        for (member, value) in [
            ("taskDefinitionArn", json!(self.arn)),
            ("family", json!(self.family)),
            ("revision", json!(self.revision)),
            ("containerDefinitions", json!(self.containers)),
            ("status", json!(if self.deregistered_at.is_none() { "ACTIVE" } else { "INACTIVE" })),
            ("compatibilities", compatibilities),
            ("volumes", json!([])),
            ("placementConstraints", json!([])),
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

/// The part of a task definition's ARN after account and region; a name is returned as it is. `None` for an ARN of
/// another account, region or kind, which is not visible here.
fn own(given: &str) -> Option<&str> {
    if !given.starts_with("arn:") {
        return Some(given);
    }
    given.strip_prefix(&format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/"))
}

/// Registers a family with one container `web` on port 8000 that writes to CloudWatch Logs, unless the family exists. Every team
/// may run it.
pub(super) fn provide(account: &mut Account, family: &str) {
    if account.ecs.families.contains_key(family) {
        return;
    }
    let provided = json!({
        "family": family, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "tags": [{"key": Team::TAG, "value": ALL_TEAMS}],
        "containerDefinitions": [{
            "name": "web", "image": format!("berth/{family}"), "portMappings": [{"containerPort": 8000}],
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": format!("/berth/{family}"), "awslogs-region": REGION, "awslogs-stream-prefix": "task",
            }},
        }],
    });
    if let Err(refusal) = register(account, &provided) {
        tracing::warn!(family, %refusal, "the family cannot be registered");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Register {
    family: String,
    #[serde(default)]
    container_definitions: Vec<Container>,
    network_mode: Option<String>,
    #[serde(default)]
    requires_compatibilities: Vec<String>,
    cpu: Option<String>,
    memory: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    task_role_arn: Option<Value>,
    execution_role_arn: Option<Value>,
    runtime_platform: Option<Value>,
    ephemeral_storage: Option<Value>,
    enable_fault_injection: Option<Value>,
    volumes: Option<Value>,
    placement_constraints: Option<Value>,
    proxy_configuration: Option<Value>,
    pid_mode: Option<Value>,
    ipc_mode: Option<Value>,
    inference_accelerators: Option<Value>,
}

pub(super) fn register(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let mut input: Register = parse("RegisterTaskDefinition", input)?;
    unsupported(
        "RegisterTaskDefinition",
        &[
            ("volumes", &input.volumes),
            ("placementConstraints", &input.placement_constraints),
            ("proxyConfiguration", &input.proxy_configuration),
            ("pidMode", &input.pid_mode),
            ("ipcMode", &input.ipc_mode),
            ("inferenceAccelerators", &input.inference_accelerators),
        ],
    )?;
    if !is_name(&input.family) {
        return Err(client(
            "Family contains invalid characters: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.",
        ));
    }
    let tags: Tags = tags(&input.tags)?;
    let size = check_size(&input)?;
    check_containers(&input.container_definitions)?;
    let awsvpc = input.network_mode.as_deref() == Some("awsvpc");
    for container in &mut input.container_definitions {
        complete(container, awsvpc)?;
    }

    let revisions = account.ecs.families.get(&input.family);
    let revision = revisions.and_then(|revisions| revisions.keys().next_back()).map_or(1, |newest| newest + 1);
    let arn = identity::arn("ecs", &format!("task-definition/{}:{revision}", input.family));
    let echoed = [
        ("networkMode", json!(input.network_mode)),
        ("cpu", json!(size.map(|(cpu, _)| cpu.to_string()).or(input.cpu))),
        ("memory", json!(size.map(|(_, memory)| memory.to_string()).or(input.memory))),
        ("requiresCompatibilities", json!(input.requires_compatibilities)),
        ("taskRoleArn", json!(input.task_role_arn)),
        ("executionRoleArn", json!(input.execution_role_arn)),
        ("runtimePlatform", json!(input.runtime_platform)),
        ("ephemeralStorage", json!(input.ephemeral_storage)),
        ("enableFaultInjection", json!(input.enable_fault_injection)),
        ("registeredBy", json!(format!("arn:aws:iam::{}:root", identity::ACCOUNT))),
    ];
    let definition = TaskDefinition {
        arn: arn.clone(),
        family: input.family.clone(),
        revision,
        containers: input.container_definitions,
        size,
        registered_at: account.engine.now(),
        deregistered_at: None,
        echoed: echoed.into_iter().map(|(member, value)| (member.to_owned(), value)).collect(),
    };
    let reply = json!({"taskDefinition": definition.shown(), "tags": shown_tags(Some(&tags))});
    account.ecs.tags.insert(arn, tags);
    account.ecs.families.or_default(input.family).insert(revision, definition);
    Ok(reply)
}

/// The Fargate size, if the definition is for Fargate.
fn check_size(input: &Register) -> Result<Option<(u32, u32)>, Refusal> {
    let awsvpc = input.network_mode.as_deref() == Some("awsvpc");
    if !input.requires_compatibilities.iter().any(|compatibility| compatibility == "FARGATE") {
        let given = input.cpu.as_deref().zip(input.memory.as_deref()).filter(|_| awsvpc);
        return Ok(given.and_then(|(cpu, memory)| fargate::size(cpu, memory).ok()));
    }
    if !awsvpc {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    match (&input.cpu, &input.memory) {
        (None, _) => Err(client("Fargate requires that 'cpu' be defined at the task level.")),
        (_, None) => Err(client("Fargate requires that 'memory' be defined at the task level.")),
        (Some(cpu), Some(memory)) => fargate::size(cpu, memory).map(Some),
    }
}

fn check_containers(containers: &[Container]) -> Result<(), Refusal> {
    if containers.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    if containers.len() > 10 {
        return Err(client("Too many containers: a task definition can have at most 10."));
    }
    if containers.iter().any(|container| container.name.is_empty()) {
        return Err(client("Container.name should not be null or empty."));
    }
    if containers.iter().any(|container| container.image.is_empty()) {
        return Err(client("Container.image should not be null or empty."));
    }
    if !containers.iter().any(|container| container.essential) {
        return Err(client("A task definition must have at least one essential container."));
    }
    let names: BTreeSet<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    if names.len() != containers.len() {
        return Err(client("Container names must be unique within a task definition."));
    }
    let mut ports = BTreeSet::new();
    if !containers.iter().flat_map(|container| &container.port_mappings).all(|port| ports.insert(port.container_port)) {
        return Err(client("Each container port can be mapped only once in a task definition."));
    }
    Ok(())
}

/// Fills in AWS's defaults, and refuses members that would make a task behave differently from the stand-in's tasks.
fn complete(container: &mut Container, awsvpc: bool) -> Result<(), Refusal> {
    for member in ["healthCheck", "dependsOn", "secrets", "links", "environmentFiles", "firelensConfiguration"] {
        if container.rest.get(member).is_some_and(|value| !value.is_null() && *value != json!([])) {
            return Err(client(format!("berth-local does not support {member} of a container.")));
        }
    }
    if container.stop_timeout.is_some_and(|seconds| seconds > 120) {
        return Err(client("The stopTimeout of a container on Fargate is at most 120 seconds."));
    }
    for port in &mut container.port_mappings {
        if awsvpc && port.host_port.is_some_and(|host| host != port.container_port) {
            return Err(client(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
            ));
        }
        port.host_port.get_or_insert(port.container_port);
        port.protocol.get_or_insert_with(|| "tcp".to_owned());
    }
    container.rest.entry("cpu").or_insert(json!(0));
    for list in ["mountPoints", "volumesFrom", "systemControls"] {
        container.rest.entry(list).or_insert(json!([]));
    }
    Ok(())
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
