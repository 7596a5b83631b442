//! A task's life: PROVISIONING → PENDING → RUNNING → DEACTIVATING → STOPPING → STOPPED. `scheduler` decides which tasks
//! start and stop; `runner` runs their programs.

use std::time::Duration;

use super::definition::{self, TaskDefinition};
use super::input::uuid;
use super::runner::Launch;
use super::service::{self, Plan};
use super::task::{Container, EcsTask, Interface, Status, TaskTimes};
use super::{Effect, Event, failing, scheduler, unplayed};
use crate::stand_in::account::{self, Account};
use crate::stand_in::ec2;
use crate::stand_in::elb;
use crate::stand_in::profile::Latency;

/// How long a stopped task can be described.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Why a task could not be placed.
pub(super) enum Unplaced {
    /// The account's vCPUs are all in use.
    Quota,
    /// The subnets have no address left.
    Addresses,
    /// The task definition no longer exists.
    Definition,
}

/// Starts a task of this deployment.
pub(super) fn launch(account: &mut Account, key: &str, deployment: &str, plan: &Plan) -> Result<String, Unplaced> {
    let definition = definition::find(&account.ecs, &plan.task_definition).cloned().ok_or(Unplaced::Definition)?;
    let size = definition.size.ok_or(Unplaced::Definition)?;
    let in_use: u32 =
        account.ecs.tasks.values().filter(|task| task.status != Status::Stopped).map(|task| task.size.0).sum();
    if f64::from(in_use + size.0) > account.quotas.fargate_vcpus * 1024.0 {
        return Err(Unplaced::Quota);
    }
    let (subnet, zone, ip) = address(account, &plan.network.subnets).ok_or(Unplaced::Addresses)?;
    let id = account.engine.hex(32);
    let mac: Vec<String> = (0..5).map(|_| account.engine.hex(2)).collect();
    let interface = Interface {
        attachment: uuid(account),
        eni: format!("eni-{}", account.engine.hex(17)),
        mac: format!("0a:{}", mac.join(":")),
        subnet,
        zone,
    };
    let containers = definition
        .containers
        .iter()
        .map(|container| Container {
            name: container.name.clone(),
            image: container.image.clone(),
            exit_code: None,
            reason: None,
            id: uuid(account),
            runtime_id: format!("{id}-{}", account.engine.hex(10)),
            health_checked: container.is_health_checked(),
        })
        .collect();
    let service = account.ecs.services.get(key);
    let task = EcsTask {
        cluster: key.split('/').next().unwrap_or_default().to_owned(),
        service: key.to_owned(),
        deployment: deployment.to_owned(),
        task_definition: definition.arn.clone(),
        size,
        containers,
        ip,
        status: Status::Provisioning,
        should_run: true,
        ready: false,
        stop_code: None,
        stopped_reason: None,
        lines: Vec::new(),
        interface,
        targets: plan
            .load_balancers
            .iter()
            .map(|given| (given.target_group_arn.clone(), given.container_port))
            .collect(),
        stop_timeout: definition.containers.iter().filter_map(|container| container.stop_timeout).max().unwrap_or(30),
        enable_execute_command: service.is_some_and(|service| service.enable_execute_command),
        ended: true,
        stop_due: false,
        version: 1,
        times: TaskTimes {
            created: account.engine.now(),
            connected: None,
            pull_started: None,
            pull_stopped: None,
            started: None,
            stopping: None,
            execution_stopped: None,
            stopped: None,
        },
        id: id.clone(),
    };
    let from = match service.and_then(|service| service.propagate_tags.as_deref()) {
        Some("SERVICE") => Some(service::arn(key)),
        Some("TASK_DEFINITION") => Some(definition.arn.clone()),
        _ => None,
    };
    if let Some(tags) = from.and_then(|arn| account.ecs.tags.get(&arn).cloned()) {
        account.ecs.tags.insert(super::task::arn(&task), tags);
    }
    account.ecs.tasks.insert(id.clone(), task);
    let latency = account.engine.take(Latency::TaskRunning);
    account.engine.after(latency / 3, account::Event::Ecs(Event::Pending { task: id.clone() }));
    account.engine.after(latency, account::Event::Ecs(Event::Started { task: id.clone() }));
    Ok(id)
}

/// A free address in one of the subnets: subnet, zone, address. Subnets and addresses rotate, so that a new target does
/// not get the address of one that is still draining.
fn address(account: &mut Account, subnets: &[String]) -> Option<(String, String, String)> {
    let subnets: Vec<_> = subnets.iter().filter_map(|id| ec2::subnet(id)).collect();
    for _ in 0..subnets.len() * 240 {
        let place = account.ecs.place() as usize;
        let subnet = subnets.get(place % subnets.len())?;
        let (network, _) = subnet.cidr.rsplit_once('.')?;
        let ip = format!("{network}.{}", 10 + (place / subnets.len()) % 240);
        if account.ecs.tasks.values().all(|task| task.status == Status::Stopped || task.ip != ip) {
            return Some((subnet.id.to_owned(), subnet.zone.to_owned(), ip));
        }
    }
    None
}

/// PROVISIONING becomes PENDING: the network interface exists, the image is being pulled.
pub(super) fn pending(account: &mut Account, id: &str) {
    let now = account.engine.now();
    let Some(task) = account.ecs.tasks.get_mut(id).filter(|task| task.status == Status::Provisioning) else { return };
    task.status = Status::Pending;
    task.version += 1;
    task.times.connected = Some(now);
    task.times.pull_started = Some(now);
}

/// The image was pulled, or pulling failed: starts the program, or stops the task.
pub(super) fn started(account: &mut Account, id: &str) {
    let now = account.engine.now();
    let Some(task) = account.ecs.tasks.get_mut(id).filter(|task| task.status == Status::Pending) else { return };
    task.version += 1;
    let mut containers = task.containers.iter_mut();
    let failed = containers.find_map(|container| failing::at_start(&container.image).map(|reason| (container, reason)));
    if let Some((container, reason)) = failed {
        container.reason = Some(reason.clone());
        task.should_run = false;
        task.stop_code = Some("TaskFailedToStart".to_owned());
        task.stopped_reason = Some(reason);
        task.times.stopping = Some(now);
        return finish(account, id);
    }
    task.status = Status::Running;
    task.ended = false;
    task.times.pull_stopped = Some(now);
    task.times.started = Some(now);
    let (targets, ip, key) = (task.targets.clone(), task.ip.clone(), task.service.clone());
    for (group, port) in targets {
        elb::register_target(account, &group, &ip, port);
        service::record_event(account, &key, &format!("registered 1 targets in (target-group {group})"));
    }
    run(account, id);
    scheduler::look_soon(account, &key);
}

/// Asks for the task's program to run.
pub(super) fn run(account: &mut Account, id: &str) {
    let Some(task) = account.ecs.tasks.get(id) else { return };
    let Some(definition) = definition::find(&account.ecs, &task.task_definition) else { return };
    let Some(container) = main_container(definition, task) else { return };
    let launch = Launch {
        task: task.id.clone(),
        ip: task.ip.clone(),
        ports: definition.containers.iter().flat_map(definition::Container::tcp_ports).collect(),
        family: definition.family.clone(),
        image: container.image.clone(),
        environment: container
            .environment
            .iter()
            .map(|variable| (variable.name.clone(), variable.value.clone()))
            .collect(),
    };
    account.engine.effect(account::Effect::Ecs(Effect::Start(launch)));
    unplayed::announce(account, id);
}

/// The container whose program represents the whole task: the one with the first target, else the first essential one.
pub(super) fn main_container<'a>(definition: &'a TaskDefinition, task: &EcsTask) -> Option<&'a definition::Container> {
    let port = task.targets.first().map(|(_, port)| *port);
    definition
        .containers
        .iter()
        .find(|container| port.is_some_and(|port| container.tcp_ports().any(|mapped| mapped == port)))
        .or_else(|| definition.containers.iter().find(|container| container.essential))
}

/// Whether the task's program should run now.
pub(super) fn wanted(account: &Account, id: &str) -> bool {
    account.ecs.tasks.get(id).is_some_and(|task| matches!(task.status, Status::Running | Status::Deactivating))
}

/// Stops a task: drains its targets, then asks its program to end. Does nothing when the task is stopping already.
pub(super) fn stop(account: &mut Account, id: &str, code: &str, reason: &str) {
    let now = account.engine.now();
    let Some(task) = account.ecs.tasks.get_mut(id).filter(|task| task.should_run) else { return };
    task.should_run = false;
    task.ready = false;
    task.version += 1;
    task.stop_code = Some(code.to_owned());
    task.stopped_reason = Some(reason.to_owned());
    task.times.stopping = Some(now);
    let running = task.status == Status::Running;
    if running && !task.targets.is_empty() {
        task.status = Status::Deactivating;
        let key = task.service.clone();
        service::record_event(account, &key, "has begun draining connections on 1 tasks.");
        let delay = deregister(account, id);
        account.engine.after(delay, account::Event::Ecs(Event::Undrained { task: id.to_owned() }));
    } else {
        terminate(account, id);
    }
    if running && let Some(key) = account.ecs.tasks.get(id).map(|task| task.service.clone()) {
        service::record_event(account, &key, &format!("has stopped 1 running tasks: (task {id})."));
    }
}

/// Deregisters the task from its target groups. Returns how long they drain.
fn deregister(account: &mut Account, id: &str) -> Duration {
    let Some(task) = account.ecs.tasks.get(id) else { return Duration::ZERO };
    let (targets, ip, key) = (task.targets.clone(), task.ip.clone(), task.service.clone());
    let mut longest = Duration::ZERO;
    for (group, port) in targets {
        elb::deregister_target(account, &group, &ip, port);
        longest = longest.max(elb::deregistration_delay(account, &group));
        service::record_event(account, &key, &format!("deregistered 1 targets in (target-group {group})"));
    }
    longest
}

/// Handles the end of draining.
pub(super) fn undrained(account: &mut Account, id: &str) {
    if account.ecs.tasks.get(id).is_some_and(|task| task.status == Status::Deactivating) {
        terminate(account, id);
    }
}

/// Asks the program to end, if it runs.
fn terminate(account: &mut Account, id: &str) {
    let latency = account.engine.take(Latency::TaskStopped);
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    task.status = Status::Stopping;
    task.version += 1;
    let (runs, timeout) = (!task.ended, Duration::from_secs(task.stop_timeout.into()));
    account.engine.after(latency, account::Event::Ecs(Event::StopDue { task: id.to_owned() }));
    if runs {
        end(account, id);
        account.engine.after(timeout, account::Event::Ecs(Event::Overdue { task: id.to_owned() }));
    }
}

/// Asks the runner to end the program.
pub(super) fn end(account: &mut Account, id: &str) {
    account.engine.effect(account::Effect::Ecs(Effect::Stop { task: id.to_owned() }));
}

/// Kills a program that has not ended within the stop timeout.
pub(super) fn overdue(account: &mut Account, id: &str) {
    if account.ecs.tasks.get(id).is_some_and(|task| task.status == Status::Stopping && !task.ended) {
        account.engine.effect(account::Effect::Ecs(Effect::Kill { task: id.to_owned() }));
    }
}

/// Handles the end of the minimum time that stopping takes.
pub(super) fn stop_due(account: &mut Account, id: &str) {
    let Some(task) = account.ecs.tasks.get_mut(id).filter(|task| task.status == Status::Stopping) else { return };
    task.stop_due = true;
    if task.ended {
        finish(account, id);
    }
}

/// How a program ended.
pub(super) struct Exit {
    pub(super) code: i32,
    pub(super) reason: Option<String>,
}

impl Exit {
    pub(super) fn with(code: i32) -> Self {
        Self { code, reason: None }
    }
}

/// Handles the end of the task's program, whether it was asked to end or not.
pub(super) fn exited(account: &mut Account, id: &str, exit: Exit) {
    let now = account.engine.now();
    let Some(task) = account.ecs.tasks.get_mut(id).filter(|task| !task.ended) else { return };
    task.ended = true;
    if exit.code != 0 && task.should_run {
        let last_lines: Vec<&str> = task.lines.iter().map(|line| line.text.as_str()).collect();
        tracing::warn!(target: "task", task = id, code = exit.code, last_lines = last_lines.join("\n"), "exited");
    }
    task.times.execution_stopped = Some(now);
    for container in &mut task.containers {
        container.exit_code = Some(exit.code);
        container.reason.clone_from(&exit.reason);
    }
    match task.status {
        Status::Running => {
            task.should_run = false;
            task.ready = false;
            task.stop_code = Some("EssentialContainerExited".to_owned());
            task.stopped_reason = Some("Essential container in task exited".to_owned());
            task.times.stopping = Some(now);
            deregister(account, id);
            finish(account, id);
        }
        Status::Deactivating => finish(account, id),
        Status::Stopping if task.stop_due => finish(account, id),
        _ => {}
    }
}

fn finish(account: &mut Account, id: &str) {
    let now = account.engine.now();
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    task.status = Status::Stopped;
    task.version += 1;
    task.times.stopped = Some(now);
    account.engine.after(REMEMBERED, account::Event::Ecs(Event::ForgetTask { task: id.to_owned() }));
    scheduler::task_stopped(account, id);
}

/// Forgets a stopped task.
pub(super) fn forget(account: &mut Account, id: &str) {
    if let Some(task) = account.ecs.tasks.remove(id) {
        let arn = super::task::arn(&task);
        account.ecs.tags.remove(&arn);
    }
}
