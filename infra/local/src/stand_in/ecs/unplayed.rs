//! What of a task definition a task on this machine does not play. It is ignored in the task, and the log names it once for each
//! revision, when its first task runs.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::definition::{self, Container, TaskDefinition};
use super::input::says;
use super::lifecycle;
use super::task::EcsTask;
use crate::stand_in::account::Account;

/// Members of a definition that a task on Fargate would not notice either, or that the account plays.
const PLAYED: [&str; 8] = [
    "requiresCompatibilities",
    "networkMode",
    "cpu",
    "memory",
    "executionRoleArn",
    "registeredBy",
    "enableFaultInjection",
    "placementConstraints",
];
/// The same of a container, beside those that [`Container`] names.
const PLAYED_OF_CONTAINER: [&str; 5] = ["cpu", "memory", "memoryReservation", "dockerLabels", "versionConsistency"];

/// Says what a task does not play, if it is the first of its revision.
pub(super) fn announce(account: &mut Account, task: &str) {
    let Some(task) = account.ecs.tasks.get(task) else { return };
    let Some(definition) = definition::find(&account.ecs, &task.task_definition).filter(|one| !one.announced) else {
        return;
    };
    let ignored = ignored(definition, task);
    if !ignored.is_empty() {
        tracing::warn!(
            target: "task",
            "tasks of {}:{} run on this machine without these parts of their definition: {}. On AWS they have them.",
            definition.family,
            definition.revision,
            ignored.join(", ")
        );
    }
    let arn = definition.arn.clone();
    if let Some(definition) = definition::find_mut(&mut account.ecs, &arn) {
        definition.announced = true;
    }
}

/// What is ignored: members of the task, containers that do not run, members of the one that does.
fn ignored(definition: &TaskDefinition, task: &EcsTask) -> Vec<String> {
    let main = lifecycle::main_container(definition, task);
    let others = definition.containers.iter().filter(|container| main.is_none_or(|main| main.name != container.name));
    let mut ignored: Vec<String> = said(&definition.echoed, &PLAYED).map(str::to_owned).collect();
    ignored.extend(others.map(|container| format!("the container {}", container.name)));
    ignored.extend(main.into_iter().flat_map(of_container));
    ignored
}

fn of_container(container: &Container) -> impl Iterator<Item = String> {
    let plays_log = container.awslogs().is_some();
    let members = said(&container.rest, &PLAYED_OF_CONTAINER);
    members.filter(move |name| !(plays_log && *name == "logConfiguration")).map(|name| match name {
        "healthCheck" => format!("healthCheck of {} (it counts as HEALTHY)", container.name),
        name => format!("{name} of {}", container.name),
    })
}

/// Members with a value, except those that are played, in alphabetical order.
fn said<'a>(members: &'a Map<String, Value>, played: &[&str]) -> impl Iterator<Item = &'a str> {
    let asking = members.iter().filter(|(name, value)| !played.contains(&name.as_str()) && says(value));
    asking.map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>().into_iter()
}
