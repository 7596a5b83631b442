//! Tasks: their state and description; ListTasks, DescribeTasks, StopTask. `lifecycle` takes them from state to state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::{Page, epoch, invalid, last, maybe_epoch, parse, shown_tags, without_nulls};
use super::{Line, cluster, definition, lifecycle, service};
use crate::stand_in::account::Account;
use crate::stand_in::identity;
use crate::stand_in::refusal::Refusal;

/// `lastStatus`, in the order of a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Its network interface is being created.
    Provisioning,
    /// Its image is being pulled.
    Pending,
    /// Its program runs.
    Running,
    /// Its targets are being drained; its program still runs.
    Deactivating,
    /// Its program has been asked to end.
    Stopping,
    /// It has ended.
    Stopped,
}

/// A task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EcsTask {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Its cluster's name.
    pub cluster: String,
    /// The key of its service.
    pub service: String,
    /// The deployment that started it.
    pub deployment: String,
    /// Its task definition's ARN.
    pub task_definition: String,
    /// CPU units and MiB.
    pub size: (u32, u32),
    /// Its containers.
    pub containers: Vec<Container>,
    /// Its address in the VPC.
    pub ip: String,
    /// `lastStatus`.
    pub status: Status,
    /// Whether `desiredStatus` is RUNNING.
    pub should_run: bool,
    /// Whether it counts as started and is healthy in all its target groups.
    pub ready: bool,
    /// Why it stopped.
    pub stop_code: Option<String>,
    /// Why it stopped, as a sentence.
    pub stopped_reason: Option<String>,
    /// The last lines of its program.
    #[serde(default)]
    pub lines: Vec<Line>,
    pub(super) interface: Interface,
    /// Target groups and the container ports registered there.
    pub(super) targets: Vec<(String, u16)>,
    pub(super) stop_timeout: u32,
    pub(super) enable_execute_command: bool,
    /// Its program has ended, or never ran.
    pub(super) ended: bool,
    /// The minimum time that stopping takes has passed.
    pub(super) stop_due: bool,
    pub(super) version: u64,
    pub(super) times: TaskTimes,
}

/// One container of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its program's exit code; 128 + n after signal n.
    pub exit_code: Option<i32>,
    /// Why it could not run.
    pub reason: Option<String>,
    pub(super) id: String,
    pub(super) runtime_id: String,
    /// Whether its definition has a health check. It is not played, and counts as passed.
    #[serde(default)]
    pub(super) health_checked: bool,
}

/// A task's elastic network interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Interface {
    pub(super) attachment: String,
    pub(super) eni: String,
    pub(super) mac: String,
    pub(super) subnet: String,
    pub(super) zone: String,
}

/// The times of a task's changes of state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TaskTimes {
    pub(super) created: Timestamp,
    pub(super) connected: Option<Timestamp>,
    pub(super) pull_started: Option<Timestamp>,
    pub(super) pull_stopped: Option<Timestamp>,
    pub(super) started: Option<Timestamp>,
    pub(super) stopping: Option<Timestamp>,
    pub(super) execution_stopped: Option<Timestamp>,
    pub(super) stopped: Option<Timestamp>,
}

pub(super) fn arn(task: &EcsTask) -> String {
    identity::arn("ecs", &format!("task/{}/{}", task.cluster, task.id))
}

fn shown(account: &Account, task: &EcsTask, with_tags: bool) -> Value {
    let EcsTask { interface, times, .. } = task;
    let arn = arn(task);
    let connected = times.connected.is_some();
    let definition = definition::find(&account.ecs, &task.task_definition);
    let detail = |name: &str, value: &str| json!({"name": name, "value": value});
    let mut details = vec![detail("subnetId", &interface.subnet)];
    if connected {
        details.push(detail("networkInterfaceId", &interface.eni));
        details.push(detail("macAddress", &interface.mac));
        details.push(detail("privateDnsName", &format!("ip-{}.ec2.internal", task.ip.replace('.', "-"))));
        details.push(detail("privateIPv4Address", &task.ip));
    }
    let attachment = match task.status {
        Status::Provisioning => "PRECREATED",
        Status::Stopped => "DELETED",
        _ => "ATTACHED",
    };
    without_nulls(json!({
        "attachments": [{
            "id": interface.attachment, "type": "ElasticNetworkInterface", "status": attachment, "details": details,
        }],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": interface.zone,
        "clusterArn": cluster::arn(&task.cluster),
        "connectivity": connected.then_some("CONNECTED"),
        "connectivityAt": maybe_epoch(times.connected),
        "containers": task.containers.iter().map(|container| shown_container(task, container)).collect::<Vec<_>>(),
        "cpu": task.size.0.to_string(),
        "memory": task.size.1.to_string(),
        "createdAt": epoch(times.created),
        "desiredStatus": if task.should_run { "RUNNING" } else { "STOPPED" },
        "enableExecuteCommand": task.enable_execute_command,
        "ephemeralStorage": definition
            .and_then(|definition| definition.echoed.get("ephemeralStorage"))
            .cloned()
            .unwrap_or_else(|| json!({"sizeInGiB": 20})),
        "group": format!("service:{}", last(&task.service)),
        "healthStatus": health(task, task.containers.iter().any(|container| container.health_checked)),
        "lastStatus": task.status,
        "launchType": "FARGATE",
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "pullStartedAt": maybe_epoch(times.pull_started),
        "pullStoppedAt": maybe_epoch(times.pull_stopped),
        "startedAt": maybe_epoch(times.started),
        "startedBy": task.deployment,
        "stopCode": task.stop_code,
        "stoppedReason": task.stopped_reason,
        "stoppingAt": maybe_epoch(times.stopping),
        "executionStoppedAt": maybe_epoch(times.execution_stopped),
        "stoppedAt": maybe_epoch(times.stopped),
        "tags": if with_tags { shown_tags(account.ecs.tags.get(&arn)) } else { json!([]) },
        "taskArn": arn,
        "taskDefinitionArn": task.task_definition,
        "version": task.version,
    }))
}

/// The health of a task or container with or without a health check.
fn health(task: &EcsTask, checked: bool) -> &'static str {
    let runs = matches!(task.status, Status::Running | Status::Deactivating | Status::Stopping);
    if checked && runs { "HEALTHY" } else { "UNKNOWN" }
}

fn shown_container(task: &EcsTask, container: &Container) -> Value {
    let status = match task.status {
        Status::Provisioning | Status::Pending => "PENDING",
        Status::Running | Status::Deactivating | Status::Stopping => "RUNNING",
        Status::Stopped => "STOPPED",
    };
    let interfaces = match task.times.connected {
        Some(_) => json!([{"attachmentId": task.interface.attachment, "privateIpv4Address": task.ip}]),
        None => json!([]),
    };
    without_nulls(json!({
        "containerArn": identity::arn("ecs", &format!("container/{}/{}/{}", task.cluster, task.id, container.id)),
        "taskArn": arn(task),
        "name": container.name,
        "image": container.image,
        "runtimeId": task.times.started.map(|_| &container.runtime_id),
        "lastStatus": status,
        "exitCode": container.exit_code,
        "reason": container.reason,
        "networkBindings": [],
        "networkInterfaces": interfaces,
        "healthStatus": health(task, container.health_checked),
        "cpu": "0",
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Describe {
    cluster: Option<String>,
    #[serde(default)]
    tasks: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: Describe = parse("DescribeTasks", input)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    if input.tasks.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if input.tasks.len() > 100 {
        return Err(invalid("Too many tasks: at most 100 can be described in one call."));
    }
    let with_tags = input.include.iter().any(|include| include == "TAGS");
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for given in &input.tasks {
        match account.ecs.tasks.get(last(given)).filter(|task| task.cluster == cluster) {
            Some(task) => tasks.push(shown(account, task, with_tags)),
            None => {
                let arn = identity::arn("ecs", &format!("task/{cluster}/{}", last(given)));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    cluster: Option<String>,
    service_name: Option<String>,
    family: Option<String>,
    started_by: Option<String>,
    desired_status: Option<String>,
    launch_type: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn list(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: List = parse("ListTasks", input)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    let key = input.service_name.as_deref().map(|name| service::key(&cluster, last(name)));
    if key.as_ref().is_some_and(|key| !account.ecs.services.contains_key(key)) {
        return Err(Refusal::bad("ServiceNotFoundException", "Service not found."));
    }
    let should_run = match input.desired_status.as_deref().unwrap_or("RUNNING") {
        "RUNNING" => Some(true),
        "STOPPED" => Some(false),
        // AWS accepts it and finds nothing, because ECS never sets it.
        "PENDING" => None,
        other => return Err(invalid(format!("Invalid desiredStatus: {other}."))),
    };
    let family = |task: &EcsTask| last(&task.task_definition).split(':').next().unwrap_or_default().to_owned();
    let fargate = input.launch_type.is_none_or(|launch| launch == "FARGATE");
    let arns: Vec<String> = account
        .ecs
        .tasks
        .values()
        .filter(|task| task.cluster == cluster && Some(task.should_run) == should_run && fargate)
        .filter(|task| key.as_ref().is_none_or(|key| *key == task.service))
        .filter(|task| input.family.as_ref().is_none_or(|asked| *asked == family(task)))
        .filter(|task| input.started_by.as_ref().is_none_or(|asked| *asked == task.deployment))
        .map(arn)
        .collect();
    Page { max_results: input.max_results, next_token: input.next_token }.of("taskArns", &arns, 100)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

pub(super) fn stop(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let input: Stop = parse("StopTask", input)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    let id = last(&input.task);
    if account.ecs.tasks.get(id).is_none_or(|task| task.cluster != cluster) {
        return Err(invalid("The referenced task was not found."));
    }
    lifecycle::stop(account, id, "UserInitiated", input.reason.as_deref().unwrap_or("Task stopped by user"));
    let task = account.ecs.tasks.get(id).map(|task| shown(account, task, false));
    Ok(json!({"task": task}))
}
