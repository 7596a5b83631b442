//! RegisterTaskDefinition: by `model` and `rules`, with ECS's defaults filled in; and the families that every start provides.

use berth_domain::Team;
use berth_domain::limits::ALL_TEAMS;
use serde_json::{Map, Value, json};

use super::definition::{Container, TaskDefinition};
use super::input::{Tag, Tags, invalid, shown_tags, tags, without_nulls};
use super::{model, rules};
use crate::stand_in::account::Account;
use crate::stand_in::identity::{self, ACCOUNT, REGION};
use crate::stand_in::refusal::Refusal;

/// The execution role of the provided families. It is the role that requests may name without further options.
pub const EXECUTION_ROLE: &str = "arn:aws:iam::000000000000:role/task-execution";

/// The lists that ECS adds to every definition, and to every container beside its port mappings and its environment: empty if
/// they are not given.
const LISTS: [&str; 2] = ["volumes", "placementConstraints"];
const CONTAINER_LISTS: [&str; 3] = ["mountPoints", "volumesFrom", "systemControls"];
/// ECS's defaults of a health check.
const HEALTH_CHECK: [(&str, u32); 3] = [("interval", 30), ("timeout", 5), ("retries", 3)];

/// Registers a family with one container `web` on port 8000 that writes to CloudWatch Logs, unless the family exists. Every team
/// may run it.
pub(super) fn provide(account: &mut Account, family: &str) {
    if account.ecs.families.contains_key(family) {
        return;
    }
    let provided = json!({
        "family": family, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": EXECUTION_ROLE,
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

pub(super) fn register(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let mut given = without_nulls(input.clone());
    if given["containerDefinitions"].is_null() {
        // AWS has the same words for no list and for an empty one.
        given["containerDefinitions"] = json!([]);
    }
    model::check(&given)?;
    let size = rules::check(&given)?;
    let tags: Tags = tags(&read::<Vec<Tag>>(&given["tags"])?)?;
    let Value::Object(mut given) = given else { return Err(invalid("The request has no members.")) };
    given.remove("tags");
    complete(&mut given, size);
    let family = given.remove("family").and_then(|family| family.as_str().map(str::to_owned)).unwrap_or_default();
    let mut containers: Vec<Container> = read(&given.remove("containerDefinitions").unwrap_or_default())?;
    let one_network = given.get("networkMode").is_some_and(|mode| mode == "awsvpc" || mode == "host");
    containers.iter_mut().for_each(|container| complete_container(container, one_network));

    let revisions = account.ecs.families.get(&family);
    let revision = revisions.and_then(|revisions| revisions.keys().next_back()).map_or(1, |newest| newest + 1);
    let definition = TaskDefinition {
        arn: identity::arn("ecs", &format!("task-definition/{family}:{revision}")),
        family: family.clone(),
        revision,
        containers,
        size,
        registered_at: account.engine.now(),
        deregistered_at: None,
        echoed: given,
        announced: false,
    };
    let reply = json!({"taskDefinition": definition.shown(), "tags": shown_tags(Some(&tags))});
    account.ecs.tags.insert(definition.arn.clone(), tags);
    account.ecs.families.or_default(family).insert(revision, definition);
    Ok(reply)
}

/// A part of an input that fits the model.
fn read<T: serde::de::DeserializeOwned + Default>(value: &Value) -> Result<T, Refusal> {
    match value {
        Value::Null => Ok(T::default()),
        value => T::deserialize(value).map_err(|error| invalid(error.to_string())),
    }
}

fn complete(given: &mut Map<String, Value>, size: Option<(u32, u32)>) {
    for list in LISTS {
        given.entry(list).or_insert(json!([]));
    }
    if let Some((cpu, memory)) = size {
        given.insert("cpu".to_owned(), json!(cpu.to_string()));
        given.insert("memory".to_owned(), json!(memory.to_string()));
    }
    given.insert("registeredBy".to_owned(), json!(format!("arn:aws:iam::{ACCOUNT}:root")));
}

fn complete_container(container: &mut Container, one_network: bool) {
    for mapping in &mut container.port_mappings {
        if one_network && mapping.host_port.unwrap_or_default() == 0 {
            mapping.host_port = mapping.container_port;
        }
        if mapping.container_port.is_some() {
            mapping.host_port.get_or_insert(0);
        }
        mapping.protocol.get_or_insert_with(|| "tcp".to_owned());
    }
    container.rest.entry("cpu").or_insert(json!(0));
    for list in CONTAINER_LISTS {
        container.rest.entry(list).or_insert(json!([]));
    }
    if let Some(Value::Object(health_check)) = container.rest.get_mut("healthCheck") {
        for (member, default) in HEALTH_CHECK {
            health_check.entry(member).or_insert(json!(default));
        }
    }
}
