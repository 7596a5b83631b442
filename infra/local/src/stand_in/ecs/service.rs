//! Services and their deployments: their state and description; DescribeServices, ListServices. `create` and `update`
//! create, change and delete them; `scheduler` keeps their tasks running.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::{Page, epoch, invalid, last, parse, shown_tags, uuid, without_nulls};
use super::{Ecs, cluster, deploying, task};
use crate::stand_in::account::Account;
use crate::stand_in::identity;
use crate::stand_in::refusal::Refusal;

/// A service's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Its tasks are kept running.
    Active,
    /// Deleted; its tasks are being drained and stopped.
    Draining,
    /// Deleted, all tasks stopped. The name may be used again.
    Inactive,
}

/// A service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Its cluster's name.
    pub cluster: String,
    /// Its name.
    pub name: String,
    /// Distinguishes it from earlier services of the same name.
    pub(super) serial: u64,
    /// Its status.
    pub status: Status,
    /// The desired number of tasks.
    pub desired: u32,
    /// The PRIMARY deployment first.
    pub deployments: Vec<Deployment>,
    /// The newest deployment that was completed, to roll back to.
    pub(super) last_good: Option<Deployment>,
    pub(super) configuration: deploying::Configuration,
    pub(super) grace_seconds: Option<u32>,
    pub(super) client_token: Option<String>,
    /// The request that created it, to recognise a repeated request.
    pub(super) request: Value,
    pub(super) propagate_tags: Option<String>,
    pub(super) enable_execute_command: bool,
    pub(super) enable_managed_tags: bool,
    pub(super) zone_rebalancing: Option<String>,
    created_at: Timestamp,
    /// The newest first.
    events: Vec<ServiceEvent>,
    /// Whether its steady state has been announced.
    pub(super) steady: bool,
    /// The number of the next look at its tasks; earlier looks have no effect. Not stored: each start looks.
    #[serde(skip)]
    pub(super) next_look: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ServiceEvent {
    id: String,
    at: Timestamp,
    message: String,
}

/// A deployment's task definition, network and targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The task definition's ARN.
    pub task_definition: String,
    pub(super) network: Network,
    pub(super) load_balancers: Vec<LoadBalancer>,
}

/// `awsvpcConfiguration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Network {
    #[serde(default)]
    pub(super) subnets: Vec<String>,
    #[serde(default)]
    pub(super) security_groups: Vec<String>,
    #[serde(default = "disabled")]
    pub(super) assign_public_ip: String,
}

fn disabled() -> String {
    "DISABLED".to_owned()
}

/// A container port that is a target in a target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LoadBalancer {
    pub(super) target_group_arn: String,
    pub(super) container_name: String,
    pub(super) container_port: u16,
}

/// A deployment's progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rollout {
    /// Its tasks are being started.
    InProgress,
    /// All its tasks have been running and healthy.
    Completed,
    /// The circuit breaker has stopped it.
    Failed,
}

/// One deployment of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deployment {
    /// `ecs-svc/` and 19 digits.
    pub id: String,
    /// Its plan.
    pub plan: Plan,
    /// Its progress.
    pub rollout: Rollout,
    pub(super) rollout_reason: String,
    /// Tasks that failed while it was in progress.
    pub failed_tasks: u32,
    /// The number of tasks in a row that never reached RUNNING; the back-off grows with it.
    pub(super) never_ran: u32,
    /// No task is started before this time.
    pub(super) not_before: Option<Timestamp>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Deployment {
    /// A deployment that starts now.
    pub(super) fn new(account: &mut Account, plan: Plan) -> Self {
        let digits = rand::Rng::next_u64(account.engine.rng()) % 10_000_000_000_000_000_000;
        let id = format!("ecs-svc/{digits:019}");
        let now = account.engine.now();
        Self {
            rollout_reason: format!("ECS deployment {id} in progress."),
            id,
            plan,
            rollout: Rollout::InProgress,
            failed_tasks: 0,
            never_ran: 0,
            not_before: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// The properties of a new service, besides its first deployment.
pub(super) struct ServiceProperties {
    pub(super) cluster: String,
    pub(super) name: String,
    pub(super) desired: u32,
    pub(super) configuration: deploying::Configuration,
    pub(super) grace_seconds: Option<u32>,
    pub(super) client_token: Option<String>,
    pub(super) request: Value,
    pub(super) propagate_tags: Option<String>,
    pub(super) enable_execute_command: bool,
    pub(super) enable_managed_tags: bool,
    pub(super) zone_rebalancing: Option<String>,
}

impl Service {
    pub(super) fn new(account: &mut Account, properties: ServiceProperties, plan: Plan) -> Self {
        let deployment = Deployment::new(account, plan);
        Self {
            cluster: properties.cluster,
            name: properties.name,
            serial: account.ecs.count(),
            status: Status::Active,
            desired: properties.desired,
            deployments: vec![deployment],
            last_good: None,
            configuration: properties.configuration,
            grace_seconds: properties.grace_seconds,
            client_token: properties.client_token,
            request: properties.request,
            propagate_tags: properties.propagate_tags,
            enable_execute_command: properties.enable_execute_command,
            enable_managed_tags: properties.enable_managed_tags,
            zone_rebalancing: properties.zone_rebalancing,
            created_at: account.engine.now(),
            events: Vec::new(),
            steady: false,
            next_look: 0,
        }
    }

    /// Its key among all services; also the end of its ARN.
    pub(super) fn key(&self) -> String {
        key(&self.cluster, &self.name)
    }

    /// The PRIMARY deployment.
    pub(super) fn primary(&self) -> Option<&Deployment> {
        self.deployments.first()
    }

    /// The plan that the service runs, or ran last.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.primary().or(self.last_good.as_ref()).map(|deployment| &deployment.plan)
    }
}

pub(super) fn key(cluster: &str, name: &str) -> String {
    format!("{cluster}/{name}")
}

pub(super) fn arn(key: &str) -> String {
    identity::arn("ecs", &format!("service/{key}"))
}

/// Writes a service event: "(service NAME) " and `message`.
pub(super) fn record_event(account: &mut Account, key: &str, message: &str) {
    let (id, at) = (uuid(account), account.engine.now());
    let Some(service) = account.ecs.services.get_mut(key) else { return };
    let message = format!("(service {}) {message}", service.name);
    service.events.insert(0, ServiceEvent { id, at, message });
    service.events.truncate(100);
}

/// The service as in replies.
pub(super) fn shown(account: &Account, key: &str, with_tags: bool) -> Value {
    let Some(service) = account.ecs.services.get(key) else { return Value::Null };
    let arn = arn(key);
    let all = Counts::of(&account.ecs, key, None);
    let events: Vec<Value> = service
        .events
        .iter()
        .map(|event| json!({"id": event.id, "createdAt": epoch(event.at), "message": event.message}))
        .collect();
    let deployments: Vec<Value> = service
        .deployments
        .iter()
        .enumerate()
        .map(|(index, deployment)| shown_deployment(&account.ecs, service, deployment, index == 0))
        .collect();
    without_nulls(json!({
        "serviceName": service.name,
        "clusterArn": cluster::arn(&service.cluster),
        "status": service.status,
        "desiredCount": service.desired,
        "runningCount": all.running,
        "pendingCount": all.pending,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": service.plan().map(|plan| &plan.task_definition),
        "loadBalancers": service.plan().map(|plan| &plan.load_balancers),
        "networkConfiguration": service.plan().map(|plan| json!({"awsvpcConfiguration": plan.network})),
        "serviceRegistries": [],
        "deploymentConfiguration": service.configuration.shown(),
        "deployments": deployments,
        "roleArn": service.plan().filter(|plan| !plan.load_balancers.is_empty()).map(|_| format!(
            "arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", identity::ACCOUNT
        )),
        "events": events,
        "createdAt": epoch(service.created_at),
        "createdBy": format!("arn:aws:iam::{}:root", identity::ACCOUNT),
        "placementConstraints": [],
        "placementStrategy": [],
        "healthCheckGracePeriodSeconds": service.grace_seconds,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": service.enable_managed_tags,
        "propagateTags": service.propagate_tags.as_deref().unwrap_or("NONE"),
        "enableExecuteCommand": service.enable_execute_command,
        "availabilityZoneRebalancing": service.zone_rebalancing.as_deref().unwrap_or("DISABLED"),
        "tags": if with_tags { shown_tags(account.ecs.tags.get(&arn)) } else { Value::Null },
        "serviceArn": arn,
    }))
}

fn shown_deployment(ecs: &Ecs, service: &Service, deployment: &Deployment, primary: bool) -> Value {
    let counts = Counts::of(ecs, &service.key(), Some(&deployment.id));
    json!({
        "id": deployment.id,
        "status": if primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": deployment.plan.task_definition,
        "desiredCount": if primary { service.desired } else { 0 },
        "runningCount": counts.running,
        "pendingCount": counts.pending,
        "failedTasks": deployment.failed_tasks,
        "createdAt": epoch(deployment.created_at),
        "updatedAt": epoch(deployment.updated_at),
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": {"awsvpcConfiguration": deployment.plan.network},
        "rolloutState": deployment.rollout,
        "rolloutStateReason": deployment.rollout_reason,
    })
}

/// How many tasks run and are to run.
pub(super) struct Counts {
    pub(super) running: usize,
    pub(super) pending: usize,
}

impl Counts {
    /// Of a service, or of one of its deployments.
    pub(super) fn of(ecs: &Ecs, key: &str, deployment: Option<&str>) -> Self {
        let tasks = || {
            ecs.tasks_of(key).filter(move |task| deployment.is_none_or(|id| task.deployment == id) && task.should_run)
        };
        Self {
            running: tasks().filter(|task| task.status == task::Status::Running).count(),
            pending: tasks().filter(|task| task.status < task::Status::Running).count(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Describe {
    cluster: Option<String>,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

pub(super) fn describe(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: Describe = parse("DescribeServices", input)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    if input.services.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if input.services.len() > 10 {
        return Err(invalid("Too many services: at most 10 can be described in one call."));
    }
    let with_tags = input.include.iter().any(|include| include == "TAGS");
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for given in &input.services {
        let key = key(&cluster, last(given));
        match account.ecs.services.contains_key(&key) {
            true => services.push(shown(account, &key, with_tags)),
            // AWS leaves the cluster out here.
            false => {
                let arn = identity::arn("ecs", &format!("service/{}", last(given)));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"services": services, "failures": failures}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct List {
    cluster: Option<String>,
    launch_type: Option<String>,
    scheduling_strategy: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

pub(super) fn list(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let input: List = parse("ListServices", input)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    let asked_for_others = input.launch_type.is_some_and(|launch| launch != "FARGATE")
        || input.scheduling_strategy.is_some_and(|strategy| strategy != "REPLICA");
    let arns: Vec<String> = account
        .ecs
        .services
        .values()
        .filter(|service| service.cluster == cluster && service.status == Status::Active && !asked_for_others)
        .map(|service| arn(&service.key()))
        .collect();
    Page { max_results: input.max_results, next_token: input.next_token }.of("serviceArns", &arns, 10)
}
