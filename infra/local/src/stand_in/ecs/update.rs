//! UpdateService and DeleteService.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::create::{NetworkConfiguration, plan};
use super::input::{invalid, last, parse};
use super::service::{self, Deployment, LoadBalancer, Plan, Status};
use super::{Event, cluster, deploying, lifecycle, scheduler, task};
use crate::stand_in::account::{self, Account};
use crate::stand_in::profile::Latency;
use crate::stand_in::refusal::Refusal;

/// How long an INACTIVE service can be described.
pub(super) const REMEMBERED: Duration = Duration::from_secs(3600);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    cluster: Option<String>,
    service: String,
    desired_count: Option<u32>,
    task_definition: Option<String>,
    #[serde(default)]
    force_new_deployment: bool,
    health_check_grace_period_seconds: Option<u32>,
    deployment_configuration: Option<deploying::Configuration>,
    network_configuration: Option<NetworkConfiguration>,
    load_balancers: Option<Vec<LoadBalancer>>,
    propagate_tags: Option<String>,
    enable_execute_command: Option<bool>,
    #[serde(rename = "enableECSManagedTags")]
    enable_managed_tags: Option<bool>,
    availability_zone_rebalancing: Option<String>,
}

pub(super) fn update(account: &mut Account, request: &Value) -> Result<Value, Refusal> {
    let input: Update = parse("UpdateService", request)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    let key = service::key(&cluster, last(&input.service));
    let service = account.ecs.services.get(&key).ok_or_else(not_found)?;
    if service.status != Status::Active {
        return Err(Refusal::bad("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    let current = service.plan().cloned().ok_or_else(not_found)?;
    let configuration = match input.deployment_configuration {
        None => service.configuration.clone(),
        Some(newer) => {
            newer.check("UpdateService")?;
            let given = &request["deploymentConfiguration"]["deploymentCircuitBreaker"];
            let configuration = service.configuration.with(newer, !given.is_null());
            configuration.check("UpdateService")?;
            configuration
        }
    };
    let replanned = input.task_definition.is_some()
        || input.force_new_deployment
        || input.network_configuration.is_some()
        || input.load_balancers.is_some();
    let wanted = match replanned {
        false => current.clone(),
        true => plan(
            account,
            input.task_definition.as_deref().unwrap_or(&current.task_definition),
            Some(match input.network_configuration {
                Some(given) => given.awsvpc_configuration.ok_or_else(|| invalid("awsvpcConfiguration is missing."))?,
                None => current.network.clone(),
            }),
            input.load_balancers.unwrap_or_else(|| current.load_balancers.clone()),
        )?,
    };
    if input.health_check_grace_period_seconds.is_some() && wanted.load_balancers.is_empty() {
        return Err(invalid("Health check grace period is only valid for services configured to use load balancers"));
    }

    if let Some(service) = account.ecs.services.get_mut(&key) {
        service.configuration = configuration;
        service.desired = input.desired_count.unwrap_or(service.desired);
        service.grace_seconds = input.health_check_grace_period_seconds.or(service.grace_seconds);
        service.propagate_tags = input.propagate_tags.or(service.propagate_tags.take());
        service.enable_execute_command = input.enable_execute_command.unwrap_or(service.enable_execute_command);
        service.enable_managed_tags = input.enable_managed_tags.unwrap_or(service.enable_managed_tags);
        service.zone_rebalancing = input.availability_zone_rebalancing.or(service.zone_rebalancing.take());
    }
    if input.force_new_deployment || wanted != current {
        begin(account, &key, wanted);
    }
    scheduler::reconcile(account, &key);
    scheduler::look_soon(account, &key);
    Ok(json!({"service": service::shown(account, &key, true)}))
}

/// Puts a new PRIMARY deployment before the others.
fn begin(account: &mut Account, key: &str, plan: Plan) {
    let deployment = Deployment::new(account, plan);
    if let Some(service) = account.ecs.services.get_mut(key) {
        service.deployments.insert(0, deployment);
        service.steady = false;
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delete {
    cluster: Option<String>,
    service: String,
    #[serde(default)]
    force: bool,
}

pub(super) fn delete(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let input: Delete = parse("DeleteService", input)?;
    let cluster = cluster::named(&account.ecs, input.cluster.as_deref())?;
    let key = service::key(&cluster, last(&input.service));
    let service = account.ecs.services.get(&key).ok_or_else(not_found)?;
    match service.status {
        Status::Inactive => return Err(not_found()),
        // A second deletion changes nothing.
        Status::Draining => return Ok(json!({"service": service::shown(account, &key, true)})),
        Status::Active => {}
    }
    if !input.force {
        if service.desired > 0 {
            return Err(invalid("The service cannot be stopped while it is scaled above 0."));
        }
        if service.deployments.len() > 1 {
            return Err(invalid("The service cannot be stopped while deployments are active."));
        }
    }
    let serial = service.serial;
    if let Some(service) = account.ecs.services.get_mut(&key) {
        service.status = Status::Draining;
        service.desired = 0;
    }
    let tasks: Vec<(String, String)> =
        account.ecs.tasks_of(&key).map(|task| (task.id.clone(), task.deployment.clone())).collect();
    for (task, deployment) in tasks {
        lifecycle::stop(account, &task, "ServiceSchedulerInitiated", &scheduler::scaling(&deployment));
    }
    // Without tasks, no other event would end the draining.
    let latency = account.engine.take(Latency::TaskStopped);
    account.engine.after(latency, account::Event::Ecs(Event::Drained { service: key.clone(), serial }));
    Ok(json!({"service": service::shown(account, &key, true)}))
}

fn not_found() -> Refusal {
    Refusal::bad("ServiceNotFoundException", "Service not found.")
}

/// DRAINING becomes INACTIVE once every task is STOPPED.
pub(super) fn finish_draining(account: &mut Account, key: &str) {
    let stopped = account.ecs.tasks_of(key).all(|task| task.status == task::Status::Stopped);
    let Some(service) = account.ecs.services.get_mut(key) else { return };
    if service.status != Status::Draining || !stopped {
        return;
    }
    service.status = Status::Inactive;
    if let Some(last) = service.deployments.drain(..).next() {
        service.last_good = Some(last);
    }
    let serial = service.serial;
    account.engine.after(REMEMBERED, account::Event::Ecs(Event::ForgetService { service: key.to_owned(), serial }));
}
