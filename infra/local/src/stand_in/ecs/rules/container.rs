//! The rules of a container by itself: name, image, memory, health check, time limits, variables, logs.

use std::collections::BTreeSet;

use super::{Object, Registration};
use crate::stand_in::ecs::input::{client, is_name};
use crate::stand_in::refusal::Refusal;

/// How many containers a definition has, and how many environment files a container.
const MAX: usize = 10;
/// The least and the greatest value of each number of a health check.
const HEALTH_CHECK: [(&str, i64, i64); 4] =
    [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)];

/// The containers, and that they go together.
pub(super) fn check_all(registration: Registration<'_>) -> Result<(), Refusal> {
    let count = registration.containers().count();
    if count == 0 {
        return Err(client("Container list cannot be empty."));
    }
    if count > MAX {
        return Err(client("Too many containers."));
    }
    let mut names = BTreeSet::new();
    for container in registration.containers() {
        check(container, registration)?;
        if !names.insert(container.text("name")) {
            return Err(client("Container names must be unique within a task definition."));
        }
    }
    // A container is essential unless it says that it is not.
    if !registration.containers().any(|container| !container.has("essential") || container.is_on("essential")) {
        return Err(client("Task definition doesn't have any essential container."));
    }
    Ok(())
}

fn check(container: Object<'_>, registration: Registration<'_>) -> Result<(), Refusal> {
    let name = container.text("name");
    for member in ["name", "image"] {
        if !container.says(member) {
            return Err(client(format!("Container.{member} should not be null or empty.")));
        }
    }
    if !is_name(name) {
        return Err(client("Container.name contains invalid characters."));
    }
    if !container.text("image").chars().all(is_in_image) {
        return Err(client("Container.image contains invalid characters."));
    }
    check_memory(container, registration)?;
    check_times(container)?;
    check_health_check(container)?;
    check_variables(container, registration)?;
    check_logs(container)
}

/// Whether an image's name may have the character (`model:ecs`; `@` stands before a digest).
fn is_in_image(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_:./#@".contains(character)
}

fn check_memory(container: Object<'_>, registration: Registration<'_>) -> Result<(), Refusal> {
    let name = container.text("name");
    let (memory, reservation) = (container.number("memory"), container.number("memoryReservation"));
    let refuse = |why: &str| Err(client(format!("Invalid setting for container '{name}'. {why}")));
    if memory.or(reservation).is_none() && registration.memory.is_none() {
        return refuse("At least one of 'memory' or 'memoryReservation' must be specified.");
    }
    if memory.zip(reservation).is_some_and(|(memory, reservation)| reservation > memory) {
        return refuse("'memory' must be greater than or equal to 'memoryReservation'.");
    }
    if memory.zip(registration.memory).is_some_and(|(memory, task)| memory > i64::from(task)) {
        return Err(client(format!("The 'memory' setting for container '{name}' is greater than for the task.")));
    }
    for (member, least) in [("memory", 1), ("memoryReservation", 1), ("cpu", 0)] {
        if container.number(member).is_some_and(|number| number < least) {
            return Err(client(format!("Invalid '{member}' setting for container '{name}'.")));
        }
    }
    Ok(())
}

fn check_times(container: Object<'_>) -> Result<(), Refusal> {
    let name = container.text("name");
    for (member, noun) in [("startTimeout", "start"), ("stopTimeout", "stop")] {
        if container.number(member).is_some_and(|seconds| seconds < 2) {
            return Err(client(format!("Granular {noun} timeout on container '{name}' must be at least 2 seconds.")));
        }
    }
    let period = container.object("restartPolicy").number("restartAttemptPeriod");
    if period.is_some_and(|seconds| !(60..=1800).contains(&seconds)) {
        return Err(client(format!(
            "The 'restartAttemptPeriod' setting for container '{name}' must be between 60 and 1800."
        )));
    }
    Ok(())
}

fn check_health_check(container: Object<'_>) -> Result<(), Refusal> {
    let (name, health_check) = (container.text("name"), container.object("healthCheck"));
    for (member, least, most) in HEALTH_CHECK {
        let Some(number) = health_check.number(member) else { continue };
        let (relation, bound) = match number {
            _ if number < least => ("greater than or equal to the minimum", least),
            _ if number > most => ("less than or equal to the maximum", most),
            _ => continue,
        };
        return Err(client(format!(
            "Health check {member} must be {relation} allowed value {bound} for container '{name}'"
        )));
    }
    Ok(())
}

fn check_variables(container: Object<'_>, registration: Registration<'_>) -> Result<(), Refusal> {
    let mut known: BTreeSet<&str> = container.objects("environment").map(|variable| variable.text("name")).collect();
    for secret in container.objects("secrets") {
        if !registration.has_execution_role() {
            return Err(client(
                "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
            ));
        }
        if !known.insert(secret.text("name")) {
            return Err(client(format!(
                "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '{}'.",
                secret.text("name")
            )));
        }
    }
    if container.objects("environmentFiles").count() > MAX {
        return Err(client("The maximum number of environment files was exceeded. Specify ten or less and try again."));
    }
    if container.objects("environmentFiles").any(|file| !file.text("value").starts_with("arn:")) {
        return Err(client("Invalid arn syntax."));
    }
    Ok(())
}

fn check_logs(container: Object<'_>) -> Result<(), Refusal> {
    let configuration = container.object("logConfiguration");
    if configuration.text("logDriver") != "awslogs" {
        return Ok(());
    }
    let options = configuration.object("options");
    let missing: Vec<&str> =
        ["awslogs-group", "awslogs-region"].into_iter().filter(|name| !options.says(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(client(format!("Log driver awslogs requires options: {}", missing.join(", "))))
}
