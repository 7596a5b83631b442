//! The service scheduler: keeps the desired number of tasks running, rolls deployments, replaces failed and unhealthy
//! tasks, backs off, and breaks the circuit. The states of a task are in `lifecycle`.

use std::time::Duration;

use jiff::Timestamp;

use super::lifecycle::Unplaced;
use super::service::{self, Deployment, Rollout, Service, Status};
use super::task::{self, EcsTask};
use super::{Event, lifecycle, update};
use crate::stand_in::account::{self, Account};
use crate::stand_in::elb;

/// The interval between two looks at a service: while it changes, and while it is steady.
const LOOK_CHANGING: Duration = Duration::from_secs(5);
const LOOK_STEADY: Duration = Duration::from_secs(30);
/// How long a task must have been RUNNING to count as started: one whose program ends at once never counts.
const STEADY_AFTER: Duration = Duration::from_secs(5);
/// The back-off for tasks that never reach RUNNING: the first delay, doubled each time, and the longest.
const FIRST_DELAY: Duration = Duration::from_secs(10);
const LONGEST_DELAY: Duration = Duration::from_secs(27 * 60);
/// How long until a task that could not be placed is tried again.
const PLACE_AGAIN: Duration = Duration::from_secs(60);

/// Why the scheduler itself stops a task.
pub(super) fn scaling(deployment: &str) -> String {
    format!("Scaling activity initiated by (deployment {deployment})")
}

/// Starts and stops tasks until the service has the desired tasks.
pub(super) fn reconcile(account: &mut Account, key: &str) {
    drop_finished_deployments(account, key);
    let Some(service) = account.ecs.services.get(key).filter(|service| service.status == Status::Active) else {
        return;
    };
    let Some(primary) = service.primary().cloned() else { return };
    let (desired, configuration) = (service.desired as usize, service.configuration.clone());
    let (new, old): (Vec<EcsTask>, Vec<EcsTask>) = account
        .ecs
        .tasks_of(key)
        .filter(|task| task.should_run)
        .cloned()
        .partition(|task| task.deployment == primary.id);

    let mut stopped = surplus(&new, desired);
    let ready = new.iter().filter(|task| task.ready).count();
    stopped.extend(replaced(&old, ready, desired, configuration.least(service.desired) as usize));
    let left = new.len() + old.len() - stopped.len();
    for task in &stopped {
        lifecycle::stop(account, &task.id, "ServiceSchedulerInitiated", &scaling(&primary.id));
    }

    let missing = desired.saturating_sub(new.len());
    let room = (configuration.most(desired as u32) as usize).saturating_sub(left);
    let waits = primary.not_before.is_some_and(|at| at > account.engine.now());
    if primary.rollout != Rollout::Failed && !waits {
        launch(account, key, &primary, missing.min(room));
    }
    announce(account, key);
}

/// The tasks beyond the desired number: those that do not run yet go first, then the newest.
fn surplus(tasks: &[EcsTask], desired: usize) -> Vec<EcsTask> {
    let mut tasks = tasks.to_vec();
    tasks.sort_by_key(|task| (task.status == task::Status::Running, std::cmp::Reverse(task.times.created)));
    tasks.truncate(tasks.len().saturating_sub(desired));
    tasks
}

/// The tasks of older deployments that may go: those that do not run yet, and as many running ones as leaves `least`.
fn replaced(old: &[EcsTask], ready: usize, desired: usize, least: usize) -> Vec<EcsTask> {
    if ready >= desired {
        return old.to_vec();
    }
    let (running, others): (Vec<EcsTask>, Vec<EcsTask>) =
        old.iter().cloned().partition(|task| task.status == task::Status::Running);
    let spare = (running.len() + ready).saturating_sub(least);
    others.into_iter().chain(running.into_iter().take(spare)).collect()
}

fn launch(account: &mut Account, key: &str, deployment: &Deployment, count: usize) {
    let mut started = Vec::new();
    let mut unplaced = None;
    for _ in 0..count {
        match lifecycle::launch(account, key, &deployment.id, &deployment.plan) {
            Ok(task) => started.push(format!("(task {task})")),
            Err(why) => {
                unplaced = Some(why);
                break;
            }
        }
    }
    if !started.is_empty() {
        service::record_event(account, key, &format!("has started {} tasks: {}.", started.len(), started.join(" ")));
    }
    if let Some(why) = unplaced {
        let reason = match why {
            Unplaced::Quota => "You've reached the limit on the number of vCPUs you can run concurrently",
            Unplaced::Addresses => "The subnets have no free IP addresses",
            Unplaced::Definition => "The task definition does not exist",
        };
        service::record_event(account, key, &format!("was unable to place a task. Reason: {reason}."));
        wait(account, key, &deployment.id, PLACE_AGAIN);
    }
}

/// Delays the start of this deployment's tasks by `delay`.
fn wait(account: &mut Account, key: &str, deployment: &str, delay: Duration) {
    let at = account.engine.clock.add(account.engine.now(), delay);
    if let Some(deployment) = deployment_mut(account, key, deployment) {
        deployment.not_before = Some(at);
    }
    account.engine.after(delay, account::Event::Ecs(Event::Reconcile { service: key.to_owned() }));
}

/// Removes older deployments whose last task has stopped.
fn drop_finished_deployments(account: &mut Account, key: &str) {
    let live: Vec<String> = account
        .ecs
        .tasks_of(key)
        .filter(|task| task.status != task::Status::Stopped)
        .map(|task| task.deployment.clone())
        .collect();
    let Some(service) = account.ecs.services.get_mut(key) else { return };
    let mut first = true;
    service.deployments.retain(|deployment| std::mem::take(&mut first) || live.contains(&deployment.id));
}

/// Records that a deployment is completed, and that the service is steady.
fn announce(account: &mut Account, key: &str) {
    let now = account.engine.now();
    let Some(service) = account.ecs.services.get(key) else { return };
    let Some(primary) = service.primary() else { return };
    let desired = service.desired as usize;
    let live: Vec<&EcsTask> = account.ecs.tasks_of(key).filter(|task| task.should_run).collect();
    let of_primary = live.iter().filter(|task| task.deployment == primary.id).count();
    let alone = live.len() == of_primary && of_primary == desired;
    let steady = alone && service.deployments.len() == 1 && live.iter().all(|task| is_steady(account, task, now));
    let completed = alone && primary.rollout == Rollout::InProgress && live.iter().all(|task| task.ready);
    let (id, was_steady) = (primary.id.clone(), service.steady);

    if let Some(service) = account.ecs.services.get_mut(key) {
        service.steady = steady;
        if completed && let Some(primary) = service.deployments.first_mut() {
            primary.rollout = Rollout::Completed;
            primary.rollout_reason = format!("ECS deployment {id} completed.");
            primary.updated_at = now;
            service.last_good = Some(primary.clone());
        }
    }
    if completed {
        service::record_event(account, key, &format!("(deployment {id}) deployment completed."));
    }
    if steady && !was_steady {
        service::record_event(account, key, "has reached a steady state.");
    }
}

fn is_steady(account: &Account, task: &EcsTask, now: Timestamp) -> bool {
    let started = task.times.started.filter(|_| task.status == task::Status::Running);
    started.is_some_and(|started| account.engine.clock.add(started, STEADY_AFTER) <= now)
}

/// Handles the end of a task: counts it if it failed, ends the draining, starts another one.
pub(super) fn task_stopped(account: &mut Account, id: &str) {
    let Some(task) = account.ecs.tasks.get(id) else { return };
    let (key, deployment) = (task.service.clone(), task.deployment.clone());
    let never_ran = task.times.started.is_none();
    let failed = matches!(task.stop_code.as_deref(), Some("TaskFailedToStart" | "EssentialContainerExited"));
    match account.ecs.services.get(&key).map(|service| service.status) {
        Some(Status::Active) => {
            if failed {
                count_failure(account, &key, &deployment, never_ran);
            }
            reconcile(account, &key);
        }
        Some(Status::Draining) => update::finish_draining(account, &key),
        Some(Status::Inactive) | None => {}
    }
}

fn count_failure(account: &mut Account, key: &str, id: &str, never_ran: bool) {
    let now = account.engine.now();
    let Some(deployment) = deployment_mut(account, key, id) else { return };
    if deployment.rollout == Rollout::InProgress {
        deployment.failed_tasks += 1;
        deployment.updated_at = now;
    }
    if never_ran {
        deployment.never_ran += 1;
        let times = deployment.never_ran;
        let delay = FIRST_DELAY.saturating_mul(1 << (times - 1).min(10)).min(LONGEST_DELAY);
        wait(account, key, id, delay);
        if times >= 3 {
            service::record_event(account, key, "is unable to consistently start tasks successfully.");
        }
    }
    break_circuit(account, key, id);
}

/// The circuit breaker: stops a deployment with too many failed tasks. With rollback, the newest completed deployment
/// replaces it. A first deployment has none and stalls.
fn break_circuit(account: &mut Account, key: &str, id: &str) {
    let now = account.engine.now();
    let Some(service) = account.ecs.services.get_mut(key) else { return };
    let limit = service.configuration.breaks_after(service.desired);
    let Some(primary) = service.deployments.first_mut().filter(|primary| primary.id == id) else { return };
    if primary.rollout != Rollout::InProgress || limit.is_none_or(|limit| primary.failed_tasks < limit) {
        return;
    }
    primary.rollout = Rollout::Failed;
    primary.rollout_reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
    primary.updated_at = now;
    let back = service.last_good.clone().filter(|good| service.configuration.rolls_back() && good.id != id);
    if let Some(good) = &back {
        service.deployments.retain(|deployment| deployment.id != good.id);
        service.deployments.insert(
            0,
            Deployment {
                rollout: Rollout::InProgress,
                rollout_reason: format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", good.id),
                failed_tasks: 0,
                never_ran: 0,
                not_before: None,
                updated_at: now,
                ..good.clone()
            },
        );
    }
    service::record_event(account, key, &format!("(deployment {id}) deployment failed: tasks failed to start."));
    if let Some(good) = back {
        service::record_event(account, key, &format!("rolling back to deployment {}.", good.id));
    }
}

fn deployment_mut<'a>(account: &'a mut Account, key: &str, id: &str) -> Option<&'a mut Deployment> {
    account.ecs.services.get_mut(key)?.deployments.iter_mut().find(|deployment| deployment.id == id)
}

/// Schedules a look at the service's tasks. An earlier scheduled look has no effect any more.
pub(super) fn look_soon(account: &mut Account, key: &str) {
    account.ecs.looks += 1;
    let number = account.ecs.looks;
    let Some(service) = account.ecs.services.get_mut(key).filter(|service| service.status == Status::Active) else {
        return;
    };
    service.next_look = number;
    let settled = service.steady && service.primary().is_some_and(|primary| primary.rollout != Rollout::InProgress);
    let delay = if settled { LOOK_STEADY } else { LOOK_CHANGING };
    account.engine.after(delay, account::Event::Ecs(Event::Look { service: key.to_owned(), number }));
}

/// Looks at the service's tasks: finds those that are ready, and those that are unhealthy in a target group after the
/// grace period.
pub(super) fn look(account: &mut Account, key: &str, number: u64) {
    let awaited = |service: &&Service| service.status == Status::Active && service.next_look == number;
    let Some(service) = account.ecs.services.get(key).filter(awaited) else { return };
    let now = account.engine.now();
    let grace = Duration::from_secs(service.grace_seconds.unwrap_or(0).into());
    let forgives = service.configuration.forgives();
    let running: Vec<EcsTask> = account
        .ecs
        .tasks_of(key)
        .filter(|task| task.should_run && task.status == task::Status::Running)
        .cloned()
        .collect();
    for task in running {
        let sick = unhealthy(account, &task)
            .filter(|_| task.times.started.is_some_and(|started| account.engine.clock.add(started, grace) <= now));
        if let Some((group, reason)) = sick {
            service::record_event(
                account,
                key,
                &format!("(task {}) is unhealthy in (target-group {group}) due to (reason {reason})", task.id),
            );
            count_failure(account, key, &task.deployment, false);
            let why = format!("Task failed ELB health checks in (target-group {group})");
            lifecycle::stop(account, &task.id, "ServiceSchedulerInitiated", &why);
            continue;
        }
        let ready = is_steady(account, &task, now) && healthy(account, &task);
        if let Some(kept) = account.ecs.tasks.get_mut(&task.id) {
            kept.ready = ready;
        }
        if ready
            && !task.ready
            && let Some(deployment) = deployment_mut(account, key, &task.deployment)
        {
            deployment.never_ran = 0;
            if forgives && deployment.rollout == Rollout::InProgress {
                deployment.failed_tasks = 0;
            }
        }
    }
    reconcile(account, key);
    look_soon(account, key);
}

/// The target group in which the task is unhealthy, and why.
fn unhealthy(account: &Account, task: &EcsTask) -> Option<(String, String)> {
    task.targets.iter().find_map(|(group, port)| {
        let health = elb::target_health(account, group, &task.ip, *port)?;
        let sick = health.state == "unhealthy";
        sick.then(|| (group.clone(), "Health checks failed".to_owned()))
    })
}

fn healthy(account: &Account, task: &EcsTask) -> bool {
    task.targets.iter().all(|(group, port)| {
        elb::target_health(account, group, &task.ip, *port).is_some_and(|health| health.state == "healthy")
    })
}
