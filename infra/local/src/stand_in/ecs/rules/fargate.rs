//! What Fargate requires and does not have: its sizes, awsvpc, roles, and members that need an instance of one's own.

use super::{Object, Registration};
use crate::stand_in::ecs::input::client;
use crate::stand_in::refusal::Refusal;

/// The log drivers of Fargate.
const LOG_DRIVERS: [&str; 3] = ["awslogs", "splunk", "awsfirelens"];

/// CPU units of `"256"`, `".25 vCPU"`, `"1vcpu"`.
pub(super) fn cpu_units(text: &str) -> Option<u32> {
    match text.trim().to_lowercase().strip_suffix("vcpu") {
        Some(number) => Some((number.trim().parse::<f64>().ok()? * 1024.0) as u32),
        None => text.trim().parse().ok(),
    }
}

/// MiB of `"512"`, `"0.5 GB"`, `"1gb"`.
pub(super) fn mebibytes(text: &str) -> Option<u32> {
    match text.trim().to_lowercase().strip_suffix("gb") {
        Some(number) => Some((number.trim().parse::<f64>().ok()? * 1024.0) as u32),
        None => text.trim().parse().ok(),
    }
}

/// CPU units and MiB of a definition that Fargate can run.
pub(super) fn check(registration: Registration<'_>) -> Result<(u32, u32), Refusal> {
    let whole = registration.whole;
    if !registration.is_awsvpc() {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    let defined = |member: &str| client(format!("Fargate requires that '{member}' be defined at the task level."));
    let cpu = registration.cpu.ok_or_else(|| defined("cpu"))?;
    let memory = registration.memory.ok_or_else(|| defined("memory"))?;
    let windows = whole.object("runtimePlatform").text("operatingSystemFamily").starts_with("WINDOWS");
    if !is_size(cpu, memory) || (windows && cpu < 1024) {
        return Err(client(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."
        )));
    }
    if whole.says("ipcMode") {
        return Err(unsupported("ipcMode"));
    }
    if whole.text("pidMode") == "host" {
        return Err(client("Tasks using the Fargate launch type do not support pidMode 'host'"));
    }
    if whole.says("placementConstraints") {
        return Err(unsupported("constraints"));
    }
    for volume in whole.objects("volumes") {
        if volume.object("host").says("sourcePath") {
            return Err(unsupported("sourcePath"));
        }
        if volume.has("dockerVolumeConfiguration") {
            return Err(unsupported("dockerVolumeConfiguration"));
        }
    }
    if let Some(size) = whole.object("ephemeralStorage").number("sizeInGiB") {
        match size {
            ..21 => return Err(client("EphemeralStorage size should be at least 21")),
            201.. => return Err(client("EphemeralStorage size should be at most 200")),
            _ => {}
        }
    }
    registration.containers().try_for_each(|container| check_container(container, registration))?;
    Ok((cpu, memory))
}

fn unsupported(member: &str) -> Refusal {
    client(format!("Fargate compatible task definitions do not support {member}"))
}

/// Whether Fargate has tasks of so many CPU units and MiB.
fn is_size(cpu: u32, memory: u32) -> bool {
    let steps = |from: u32, to: u32, step: u32| {
        let gigabytes = memory / 1024;
        memory.is_multiple_of(1024) && (from..=to).contains(&gigabytes) && (gigabytes - from).is_multiple_of(step)
    };
    match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => steps(1, 4, 1),
        1024 => steps(2, 8, 1),
        2048 => steps(4, 16, 1),
        4096 => steps(8, 30, 1),
        8192 => steps(16, 60, 4),
        16384 => steps(32, 120, 8),
        32768 => [60, 120, 244].map(|gigabytes| gigabytes * 1024).contains(&memory),
        _ => false,
    }
}

fn check_container(container: Object<'_>, registration: Registration<'_>) -> Result<(), Refusal> {
    if container.is_on("privileged") {
        return Err(client(
            "Fargate requires that the \u{2018}privileged\u{2019} setting be \u{2018}false\u{2019} at the container level.",
        ));
    }
    if container.says("dockerSecurityOptions") {
        return Err(unsupported("dockerSecurityOptions"));
    }
    let linux = container.object("linuxParameters");
    for member in ["devices", "sharedMemorySize", "maxSwap", "swappiness"] {
        if linux.says(member) {
            return Err(unsupported(member));
        }
    }
    if let Some(capability) = linux.object("capabilities").texts("add").find(|added| *added != "SYS_PTRACE") {
        return Err(client(format!("{capability} is not allowed on Fargate.")));
    }
    if container.objects("resourceRequirements").any(|required| required.text("type") == "GPU") {
        return Err(client("Tasks using the Fargate launch type do not support GPU resource requirements."));
    }
    if container.number("stopTimeout").is_some_and(|seconds| seconds > 120) {
        return Err(client(
            "Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.",
        ));
    }
    check_logs(container, registration)?;
    if is_ecr(container.text("image")) && !registration.has_execution_role() {
        return Err(client("Fargate requires task definition to have execution role ARN to support ECR images."));
    }
    Ok(())
}

fn check_logs(container: Object<'_>, registration: Registration<'_>) -> Result<(), Refusal> {
    let configuration = container.object("logConfiguration");
    let driver = configuration.text("logDriver");
    if driver.is_empty() {
        return Ok(());
    }
    if !LOG_DRIVERS.contains(&driver) {
        return Err(client(format!("{driver} is not a valid log driver. Must be one of [{}]", LOG_DRIVERS.join(","))));
    }
    if driver != "awslogs" {
        return Ok(());
    }
    if !registration.has_execution_role() {
        return Err(client(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ));
    }
    if !configuration.object("options").says("awslogs-stream-prefix") {
        return Err(client("Fargate requires log configuration options to include awslogs-stream-prefix"));
    }
    Ok(())
}

/// Whether the image is in a private repository of ECR: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/…`.
fn is_ecr(image: &str) -> bool {
    image.split_once('/').is_some_and(|(host, _)| host.contains(".dkr.ecr."))
}
