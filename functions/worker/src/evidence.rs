//! Collects what can be seen of a failure before anything is undone. Evidence must not stop the unwinding: it has a limit of
//! time and of size. A source that cannot be read is named, with the reason.
//!
//! How AWS is asked is in `functions/aws/src/resources`; what is kept, and what follows from it, in
//! `functions/domain/src/failure`.

use std::time::Duration;

use berth_aws::resources::{EcsTask, LoadBalancerState, Log, Service, VpcLinkState};
use berth_domain::failure::{Evidence, Observation, Source, evidence};
use berth_domain::names::ResourceName;
use berth_domain::{Environment, Error, ResourceKind, Step};
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
pub(crate) async fn collect(context: &Context, environment: &Environment, step: Step) -> Vec<Evidence> {
    let deadline = Instant::now() + context.clock.limit(LIMIT);
    let mut collection = Collection { context, environment, deadline, seen: Vec::new() };
    match step {
        Step::EnsureReachable => {
            // The step's own last words carry the answer to its request.
            let answer = environment.step(step).and_then(|record| record.why.clone().zip(Some(record.observation)));
            let evidence = |(why, observation)| Evidence::new(Source::Gateway, why).observed(observation);
            collection.seen.extend(answer.map(evidence));
            collection.service().await;
        }
        Step::EnsureService | Step::EnsureTargetHealth => collection.service().await,
        Step::EnsureLoadBalancerActive => collection.load_balancer().await,
        Step::EnsureVpcLink => collection.vpc_link().await,
        // What AWS said to these is in the failure's message.
        _ => {}
    }
    evidence::bounded(collection.seen)
}

struct Collection<'a> {
    context: &'a Context,
    environment: &'a Environment,
    deadline: Instant,
    seen: Vec<Evidence>,
}

impl Collection<'_> {
    fn name(&self) -> ResourceName {
        ResourceName::of(&self.environment.id)
    }

    /// What `reading` finds at `source`, unless it fails or time is up.
    async fn read<T>(&mut self, source: Source, reading: impl Future<Output = Result<T, Error>>) -> Option<T> {
        let why = match tokio::time::timeout_at(self.deadline, reading).await {
            Ok(Ok(found)) => return Some(found),
            Ok(Err(error)) => {
                tracing::warn!(cause = error.cause(), %source, "evidence could not be read");
                error.public().to_owned()
            }
            Err(_) => format!("not collected: the {} s limit for collecting evidence was reached", LIMIT.as_secs()),
        };
        self.seen.push(Evidence::unread(source, &why));
        None
    }

    async fn load_balancer(&mut self) {
        let aws = &self.context.aws;
        let found = self.read(Source::LoadBalancer, aws.load_balancer_find(&self.name())).await;
        let detail = match found {
            Some(Some(load_balancer)) => match load_balancer.state {
                LoadBalancerState::Failed(reason) => format!("{} failed: {reason}", load_balancer.arn),
                LoadBalancerState::Provisioning => format!("{} is provisioning", load_balancer.arn),
                LoadBalancerState::Active => format!("{} is active", load_balancer.arn),
            },
            Some(None) => "there is no load balancer".to_owned(),
            None => return,
        };
        self.seen.push(Evidence::new(Source::LoadBalancer, detail));
    }

    async fn vpc_link(&mut self) {
        let Some(id) = self.environment.ledger().id(ResourceKind::VpcLink) else { return };
        let aws = &self.context.aws;
        let detail = match self.read(Source::VpcLink, aws.vpc_link_get(id)).await {
            Some(Some(link)) => match link.state {
                VpcLinkState::Failed(message) => format!("{id} FAILED: {message}"),
                VpcLinkState::Pending => format!("{id} is PENDING"),
                VpcLinkState::Available => format!("{id} is AVAILABLE"),
                VpcLinkState::Deleting => format!("{id} is DELETING"),
            },
            Some(None) => format!("there is no VPC link {id}"),
            None => return,
        };
        self.seen.push(Evidence::new(Source::VpcLink, detail));
    }

    /// The service, its stopped tasks, its targets, and what its programs wrote last.
    async fn service(&mut self) {
        let (aws, environment) = (&self.context.aws, self.environment);
        let found = self.read(Source::Service, aws.service_find(&environment.spec.cluster, &self.name())).await;
        match &found {
            Some(Some(service)) => self.seen.push(running(service)),
            Some(None) => self.seen.push(Evidence::new(Source::Service, "there is no service")),
            None => {}
        }
        let service = found.flatten();
        let stopped = self.read(Source::StoppedTask, aws.stopped_tasks(&environment.spec.cluster, &self.name())).await;
        for task in stopped.iter().flatten() {
            self.seen.push(Evidence::new(Source::StoppedTask, &*task.detail));
        }
        let mut events: Vec<&String> = service.iter().flat_map(|service| &service.events).collect();
        events.sort_by_key(|event| !TROUBLE.iter().any(|word| event.contains(word)));
        for event in events.into_iter().take(EVENTS) {
            self.seen.push(Evidence::new(Source::ServiceEvent, event));
        }
        if let Some(target_group) = environment.ledger().id(ResourceKind::TargetGroup) {
            let mut targets =
                self.read(Source::TargetHealth, aws.target_health(target_group)).await.unwrap_or_default();
            targets.sort_by_key(|target| target.healthy);
            for target in targets.into_iter().take(TARGETS) {
                self.seen.push(Evidence::new(Source::TargetHealth, format!("{}: {}", target.address, target.why)));
            }
        }
        let task = match stopped.and_then(|tasks| tasks.into_iter().next()) {
            Some(task) => Some(task),
            None => self.read(Source::Log, aws.running_task(&environment.spec.cluster, &self.name())).await.flatten(),
        };
        if let Some(task) = task {
            self.logs(&task).await;
        }
    }

    /// The last lines of the containers of `task` that failed, else of the one that is to answer.
    async fn logs(&mut self, task: &EcsTask) {
        let (aws, environment) = (&self.context.aws, self.environment);
        let answers = std::slice::from_ref(&environment.spec.container.name);
        let wanted = if task.failed.is_empty() { answers } else { task.failed.as_slice() };
        let logs = self.read(Source::Log, aws.logs(&environment.spec.task_definition)).await.unwrap_or_default();
        for Log { container, place } in logs.iter().filter(|log| wanted.contains(&log.container)).take(LOGS) {
            let place = match place {
                Ok(place) => place,
                Err(why) => {
                    self.seen.extend(Evidence::log_lines(container, &[format!("({why})")]));
                    continue;
                }
            };
            match self.read(Source::Log, aws.log_lines(container, place, &task.id)).await {
                Some(Some(lines)) => self.seen.extend(Evidence::log_lines(container, &lines)),
                Some(None) => {
                    let why = format!("(task {} has no log stream)", task.id);
                    self.seen.extend(Evidence::log_lines(container, &[why]));
                }
                None => {}
            }
        }
    }
}

/// How many of the service's tasks run.
fn running(service: &Service) -> Evidence {
    if service.running >= service.desired {
        let detail = format!("all tasks are running: {}", service.running);
        return Evidence::new(Source::Service, detail).observed(Some(Observation::AllTasksRunning));
    }
    Evidence::new(Source::Service, format!("{} of {} tasks are running", service.running, service.desired))
}
