//! What can be seen of a failure, gathered before anything is undone. Evidence must not stop the unwinding: it has a limit
//! of time and of size, and what cannot be read is said, not swallowed.
//!
//! How AWS is asked is in `functions/aws/src/resources`, what is kept in `functions/domain/src/evidence.rs`, and what
//! follows from it in `functions/domain/src/causes`.

use std::time::Duration;

use berth_aws::resources::{LoadBalancerState, Log, Service, Task, VpcLinkState};
use berth_domain::environment::{Evidence, ResourceKind};
use berth_domain::{Environment, Error, Step, evidence};
use tokio::time::Instant;

use crate::context::Context;

/// How long all of it may take: half of what a call of the worker has.
const LIMIT: Duration = Duration::from_secs(30);
/// How many events of the service, targets and containers' logs are kept of each: they repeat.
const EVENTS: usize = 3;
const TARGETS: usize = 5;
const LOGS: usize = 2;
/// The events of a service that tell of trouble have one of these (docs/aws.md#deployments); the others tell of its daily work.
const TROUBLE: [&str; 4] = ["unable to", "unhealthy", "failed", "throttled"];

/// What can be seen of a failure of `step`.
pub(crate) async fn gather(context: &Context, environment: &Environment, step: Step) -> Vec<Evidence> {
    let deadline = Instant::now() + context.clock.limit(LIMIT);
    let mut gathering = Gathering { context, environment, deadline, seen: Vec::new() };
    match step {
        Step::EnsureReachable => {
            // The step's own last words carry the answer to its request.
            let answer = environment.step(step).and_then(|record| record.why.clone());
            gathering.seen.extend(answer.map(|answer| Evidence::new("gateway", answer)));
            gathering.service().await;
        }
        Step::EnsureService | Step::EnsureTargetHealth => gathering.service().await,
        Step::EnsureLoadBalancerActive => gathering.load_balancer().await,
        Step::EnsureVpcLink => gathering.vpc_link().await,
        // What AWS said to these is in the failure's message.
        _ => {}
    }
    evidence::bounded(gathering.seen)
}

struct Gathering<'a> {
    context: &'a Context,
    environment: &'a Environment,
    deadline: Instant,
    seen: Vec<Evidence>,
}

impl Gathering<'_> {
    /// What `reading` finds at `source`, unless it fails or time is up.
    async fn read<T>(&mut self, source: &str, reading: impl Future<Output = Result<T, Error>>) -> Option<T> {
        let why = match tokio::time::timeout_at(self.deadline, reading).await {
            Ok(Ok(found)) => return Some(found),
            Ok(Err(error)) => {
                tracing::warn!(cause = error.cause(), source, "evidence could not be read");
                error.public().to_owned()
            }
            Err(_) => format!("gathering evidence may take {} s, and they were over", LIMIT.as_secs()),
        };
        self.seen.push(Evidence::unread(source, &why));
        None
    }

    async fn load_balancer(&mut self) {
        let resources = &self.context.resources;
        let found = self.read("load_balancer", resources.load_balancer_find(self.environment)).await;
        let detail = match found {
            Some(Some(load_balancer)) => match load_balancer.state {
                LoadBalancerState::Failed(reason) => format!("{} failed: {reason}", load_balancer.arn),
                LoadBalancerState::Provisioning => format!("{} is provisioning", load_balancer.arn),
                LoadBalancerState::Active => format!("{} is active", load_balancer.arn),
            },
            Some(None) => "there is no load balancer".to_owned(),
            None => return,
        };
        self.seen.push(Evidence::new("load_balancer", detail));
    }

    async fn vpc_link(&mut self) {
        let Some(id) = self.environment.resources.id(ResourceKind::VpcLink) else { return };
        let resources = &self.context.resources;
        let detail = match self.read("vpc_link", resources.vpc_link_get(id)).await {
            Some(Some(link)) => match link.state {
                VpcLinkState::Failed(message) => format!("{id} FAILED: {message}"),
                VpcLinkState::Pending => format!("{id} is PENDING"),
                VpcLinkState::Available => format!("{id} is AVAILABLE"),
                VpcLinkState::Deleting => format!("{id} is DELETING"),
            },
            Some(None) => format!("there is no VPC link {id}"),
            None => return,
        };
        self.seen.push(Evidence::new("vpc_link", detail));
    }

    /// The service, its stopped tasks, its targets, and what its programs wrote last.
    async fn service(&mut self) {
        let (resources, environment) = (&self.context.resources, self.environment);
        let found = self.read("service", resources.service_find(environment)).await;
        match &found {
            Some(Some(service)) => self.seen.push(Evidence::new("service", running(service))),
            Some(None) => self.seen.push(Evidence::new("service", "there is no service")),
            None => {}
        }
        let service = found.flatten();
        let stopped = self.read("stopped_task", resources.stopped_tasks(environment)).await;
        for task in stopped.iter().flatten() {
            self.seen.push(Evidence::new("stopped_task", &*task.detail));
        }
        let mut events: Vec<&String> = service.iter().flat_map(|service| &service.events).collect();
        events.sort_by_key(|event| !TROUBLE.iter().any(|word| event.contains(word)));
        for event in events.into_iter().take(EVENTS) {
            self.seen.push(Evidence::new("service_event", event));
        }
        if let Some(target_group) = environment.resources.id(ResourceKind::TargetGroup) {
            let mut targets =
                self.read("target_health", resources.target_health(target_group)).await.unwrap_or_default();
            targets.sort_by_key(|target| target.healthy);
            for target in targets.into_iter().take(TARGETS) {
                self.seen.push(Evidence::new("target_health", format!("{}: {}", target.address, target.why)));
            }
        }
        let task = match stopped.and_then(|tasks| tasks.into_iter().next()) {
            Some(task) => Some(task),
            None => self.read("log", resources.running_task(environment)).await.flatten(),
        };
        if let Some(task) = task {
            self.logs(&task).await;
        }
    }

    /// The last lines of the containers of `task` that failed, else of the one that is to answer.
    async fn logs(&mut self, task: &Task) {
        let (resources, environment) = (&self.context.resources, self.environment);
        let answers = std::slice::from_ref(&environment.spec.container.name);
        let wanted = if task.failed.is_empty() { answers } else { task.failed.as_slice() };
        let logs = self.read("log", resources.logs(environment)).await.unwrap_or_default();
        for Log { container, place } in logs.iter().filter(|log| wanted.contains(&log.container)).take(LOGS) {
            let place = match place {
                Ok(place) => place,
                Err(why) => {
                    self.seen.push(Evidence::log_line(container, &format!("({why})")));
                    continue;
                }
            };
            match self.read("log", resources.log_lines(container, place, &task.id)).await {
                Some(Some(lines)) => self.seen.extend(lines.iter().map(|line| Evidence::log_line(container, line))),
                Some(None) => {
                    self.seen.push(Evidence::log_line(container, &format!("(task {} has no log stream)", task.id)));
                }
                None => {}
            }
        }
    }
}

/// How many of the service's tasks run; the first words of the one, `causes` goes by.
fn running(service: &Service) -> String {
    if service.running >= service.desired {
        format!("all tasks are running: {}", service.running)
    } else {
        format!("{} of {} tasks are running", service.running, service.desired)
    }
}
