//! What can be seen of a service that does not come up: its tasks, and what their programs wrote last. It is collected before
//! anything is undone, because stopped tasks are describable for about an hour only and everything else goes with the
//! unwinding. Which of it is asked for is decided in `functions/worker/src/evidence.rs`.

use std::cmp::Reverse;

use aws_sdk_ecs::types::{ContainerDefinition, DesiredStatus, LogDriver, Task as Described};
use aws_smithy_types::DateTime;
use berth_domain::Error;
use berth_domain::names::ResourceName;

use super::Resources;
use crate::error::{code, convert};

/// How many stopped tasks are kept: they repeat.
const KEPT: usize = 3;
/// How many of a container's last lines are read.
const LINES: i32 = 20;

/// A task of a service, as ECS describes it.
#[derive(Clone, Debug)]
pub struct EcsTask {
    /// Its id.
    pub id: String,
    /// Why it stopped, with exit codes, or how far it has come.
    pub detail: String,
    /// The containers that ended with an error.
    pub failed: Vec<String>,
}

/// Where a container's lines go.
#[derive(Clone, Debug)]
pub struct Log {
    /// The container's name.
    pub container: String,
    /// Where to read them, or why they cannot be read there.
    pub place: Result<LogPlace, String>,
}

/// A log group and the prefix of the streams in it.
#[derive(Clone, Debug)]
pub struct LogPlace {
    group: String,
    prefix: String,
}

impl Resources {
    /// The newest stopped tasks of the service, at most three.
    ///
    /// # Errors
    /// What ECS answers.
    pub async fn stopped_tasks(&self, cluster: &str, service: &ResourceName) -> Result<Vec<EcsTask>, Error> {
        let mut tasks = self.tasks(cluster, service, DesiredStatus::Stopped).await?;
        tasks.sort_by_key(|task| Reverse(task.stopped_at().map(DateTime::secs)));
        Ok(tasks.iter().take(KEPT).map(understood).collect())
    }

    /// The newest task of the service that is to run.
    ///
    /// # Errors
    /// What ECS answers.
    pub async fn running_task(&self, cluster: &str, service: &ResourceName) -> Result<Option<EcsTask>, Error> {
        let tasks = self.tasks(cluster, service, DesiredStatus::Running).await?;
        let newest = tasks.iter().max_by_key(|task| task.created_at().map(DateTime::secs));
        Ok(newest.map(understood))
    }

    async fn tasks(
        &self,
        cluster: &str,
        service: &ResourceName,
        desired: DesiredStatus,
    ) -> Result<Vec<Described>, Error> {
        let listed = self
            .clients
            .ecs
            .list_tasks()
            .cluster(cluster)
            .service_name(service.as_str())
            .desired_status(desired)
            .send()
            .await;
        let listed = match listed {
            Ok(listed) => listed,
            // A service that has just been created need not show everywhere yet.
            Err(error) if code(&error) == Some("ServiceNotFoundException") => return Ok(Vec::new()),
            Err(error) => return Err(convert("ListTasks", error)),
        };
        let arns: Vec<String> = listed.task_arns().iter().take(100).cloned().collect();
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let described = self
            .clients
            .ecs
            .describe_tasks()
            .cluster(cluster)
            .set_tasks(Some(arns))
            .send()
            .await
            .map_err(|error| convert("DescribeTasks", error))?;
        Ok(described.tasks.unwrap_or_default())
    }

    /// Where the containers of a task definition write their logs.
    ///
    /// # Errors
    /// What ECS answers.
    pub async fn logs(&self, task_definition: &str) -> Result<Vec<Log>, Error> {
        let reply = self
            .clients
            .ecs
            .describe_task_definition()
            .task_definition(task_definition)
            .send()
            .await
            .map_err(|error| convert("DescribeTaskDefinition", error))?;
        let containers = reply.task_definition().map(|definition| definition.container_definitions());
        let log = |container: &ContainerDefinition| Log {
            container: container.name().unwrap_or_default().to_owned(),
            place: place(container),
        };
        Ok(containers.unwrap_or_default().iter().map(log).collect())
    }

    /// The last lines that `container` of `task` wrote, the newest last; `None` when it has no log stream, which is made
    /// when a container starts.
    ///
    /// # Errors
    /// What CloudWatch Logs answers beyond "not found".
    pub async fn log_lines(&self, container: &str, place: &LogPlace, task: &str) -> Result<Option<Vec<String>>, Error> {
        let read = self
            .clients
            .logs
            .get_log_events()
            .log_group_name(&place.group)
            // The name that the awslogs driver gives a stream: prefix/container/task.
            .log_stream_name(format!("{}/{container}/{task}", place.prefix))
            .limit(LINES)
            .start_from_head(false)
            .send()
            .await;
        match read {
            Ok(reply) => Ok(Some(
                reply
                    .events()
                    .iter()
                    .filter_map(|event| event.message())
                    .map(|line| line.trim_end().to_owned())
                    .collect(),
            )),
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(convert("GetLogEvents", error)),
        }
    }
}

/// Where `container` writes its log, if it is where Berth can read it: CloudWatch Logs, in streams that a prefix names.
fn place(container: &ContainerDefinition) -> Result<LogPlace, String> {
    let configuration = container.log_configuration();
    let driver = configuration.map(|configuration| configuration.log_driver());
    if driver != Some(&LogDriver::Awslogs) {
        return Err("its task definition has no awslogs log driver, so it leaves no lines to read".to_owned());
    }
    let options = configuration.and_then(|configuration| configuration.options());
    let option = |name: &str| options.and_then(|options| options.get(name)).cloned();
    match (option("awslogs-group"), option("awslogs-stream-prefix")) {
        (Some(group), Some(prefix)) => Ok(LogPlace { group, prefix }),
        _ => Err("its log configuration lacks awslogs-group or awslogs-stream-prefix".to_owned()),
    }
}

fn understood(task: &Described) -> EcsTask {
    let id = task.task_arn().and_then(|arn| arn.rsplit('/').next()).unwrap_or_default();
    let mut detail = match task.stop_code() {
        Some(code) => format!("task {id}: {}: {}", code.as_str(), task.stopped_reason().unwrap_or("no reason")),
        None => format!("task {id}: {}", task.last_status().unwrap_or("no status")),
    };
    let mut failed = Vec::new();
    for container in task.containers() {
        let name = container.name().unwrap_or_default();
        if let Some(exit) = container.exit_code() {
            detail.push_str(&format!("; container {name} exited with code {exit}"));
        }
        if let Some(reason) = container.reason() {
            detail.push_str(&format!("; container {name}: {reason}"));
        }
        if container.exit_code().is_some_and(|exit| exit != 0) || container.reason().is_some() {
            failed.push(name.to_owned());
        }
    }
    EcsTask { id: id.to_owned(), detail, failed }
}
