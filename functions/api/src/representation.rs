//! What a caller sees of an environment.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_app::App;
use berth_domain::environment::{StepRecord, StepState};
use berth_domain::failure::Failure;
use berth_domain::spec::{Container, HealthCheck, Network, RestApiSpec, Throttle, Topology};
use berth_domain::step::Direction;
use berth_domain::{Clock, Environment, EnvironmentId, ResourceKind, Status, Step, Team};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::AccessView;

/// An environment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Environment)]
pub struct EnvironmentView {
    /// The id that Berth gave it: `env_` and a ULID, so that ids sort by creation.
    pub id: EnvironmentId,
    /// The name that the caller chose; unique in the team among the environments that are not deleted.
    pub name: String,
    /// The team that owns it: the one in the token of the caller who created it.
    pub team: Team,
    /// The subject (`sub`) of the token of the caller who created it.
    pub created_by: String,
    /// The current state of its lifecycle.
    pub status: Status,
    /// The service's public URL; `null` until a request through it has been answered.
    pub url: Option<String>,
    /// The ARN of the task definition with the revision that was pinned at creation.
    pub task_definition: String,
    /// The container that answers requests, and its port.
    pub container: Container,
    /// How many tasks the service runs.
    pub desired_count: u32,
    /// How the load balancer finds out that a task is healthy.
    pub health_check: HealthCheck,
    /// The network of load balancer and tasks.
    pub network: Network,
    /// Which AWS resources the environment shares with others.
    pub topology: Topology,
    /// The REST API in front of the service.
    pub api: RestApiSpec,
    /// Who may reach `url`, and how to request it.
    pub access: AccessView,
    /// How many requests its stage lets through; API Gateway answers 429 to the others.
    pub throttle: Throttle,
    /// The labels of the request that created it.
    pub labels: BTreeMap<String, String>,
    /// The steps of the operation under way, or of the last one, in their order.
    pub steps: Vec<StepView>,
    /// How far the operation has come, in percent, by the steps' usual durations. It can go back: when a finished step is
    /// checked again and has to wait, and when Berth recovers an interrupted workflow.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: u8,
    /// Get the environment again after this many seconds; `null` when no operation is under way.
    pub retry_after_seconds: Option<u64>,
    /// Why provisioning failed, and what to do; `null` when it did not fail.
    pub failure: Option<Failure>,
    /// The resources that could not be removed; empty unless `status` is `cleanup_failed`.
    pub leftovers: Vec<Leftover>,
    /// When Berth retries the removal; `null` when nothing is left, or when an operator has to remove the leftovers.
    pub next_attempt_at: Option<Timestamp>,
    /// Every resource that it has or had in AWS. For a deleted environment this is the receipt: Berth has verified that each
    /// one is absent.
    pub resources: Vec<ResourceView>,
    /// Recorded resources that another client removed from AWS. The service may not answer: delete this environment and
    /// create a new one.
    pub missing: Vec<Missing>,
    /// When its lifetime ends and Berth deletes it; `null` when it lives until a caller deletes it.
    pub expires_at: Option<Timestamp>,
    /// Until when Berth keeps a deleted environment with its receipt and its events; `null` while it is not
    /// deleted. Then there is no such environment.
    pub kept_until: Option<Timestamp>,
    /// When Berth recorded the request that created it.
    pub created_at: Timestamp,
    /// When its record last changed: a status, a step or a resource.
    pub updated_at: Timestamp,
    /// Paths of this environment and of what belongs to it.
    pub links: Links,
}

/// One step of the operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub struct StepView {
    /// The name of the step's state in the state machine.
    pub name: Step,
    /// Whether the step has not begun, is at work, or has ended.
    pub state: StepState,
    /// Why the step waits or failed, or the result that it found, for people; `null` when there is nothing to say.
    pub why: Option<String>,
    /// When the step first ran in this operation; `null` before that.
    pub started_at: Option<Timestamp>,
    /// When the step finished or failed; `null` before that.
    pub finished_at: Option<Timestamp>,
    /// How long the step usually takes, in seconds, without the wait in a queue.
    pub usual_seconds: u64,
    /// When the step should end, by its usual duration; `null` when it is not at work.
    pub expected_at: Option<Timestamp>,
    /// The step's place in the queue for an AWS operation that has an account-wide rate limit; `null` when it does not wait
    /// for one.
    pub queue: Option<Queue>,
}

/// A place in the queue for an AWS operation that has an account-wide rate limit.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Queue {
    /// 1 is the next one to call AWS.
    #[schema(minimum = 1)]
    pub place: u64,
    /// When the step may call AWS.
    pub slot_at: Timestamp,
}

/// A resource in AWS that the environment has or had.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Resource)]
pub struct ResourceView {
    /// The kind of AWS resource.
    pub resource: ResourceKind,
    /// Its ARN, or its id where AWS gives no ARN; `null` when Berth announced the creation and never saw the resource.
    pub id: Option<String>,
    /// When Berth recorded that it is going to create the resource, before the call to AWS.
    pub announced_at: Timestamp,
    /// When Berth recorded the id; `null` as long as `id` is.
    pub recorded_at: Option<Timestamp>,
    /// When Berth verified that the resource is absent; `null` before that.
    pub absent_at: Option<Timestamp>,
}

/// A recorded resource that another client removed from AWS.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Missing {
    /// The kind of AWS resource.
    pub resource: ResourceKind,
    /// Its ARN, or its id where AWS gives no ARN.
    pub id: Option<String>,
    /// When an audit first found the resource absent.
    pub since: Timestamp,
}

/// A resource that could not be removed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Leftover {
    /// The kind of AWS resource.
    pub resource: ResourceKind,
    /// Its ARN, or its id where AWS gives no ARN; `null` when Berth never saw the resource.
    pub id: Option<String>,
    /// Why the last attempt to remove it failed, for people; `null` when the attempt did not get to it.
    pub why: Option<String>,
}

/// Paths of an environment and of what belongs to it, relative to the API's host.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Links {
    /// The environment itself.
    #[serde(rename = "self")]
    pub itself: String,
    /// The events of the environment.
    pub events: String,
}

impl EnvironmentView {
    /// What a caller sees of `environment` at `now`, whose URL begins with `base`.
    #[must_use]
    pub fn from_record(environment: &Environment, app: &App, now: Timestamp, base: &str) -> Self {
        let (id, clock) = (&environment.id, &app.clock);
        let spec = environment.spec.clone();
        Self {
            id: id.clone(),
            name: environment.name.clone(),
            team: environment.team.clone(),
            created_by: environment.created_by.clone(),
            status: environment.status(),
            url: environment.url(&app.settings),
            task_definition: spec.task_definition,
            container: spec.container,
            desired_count: spec.desired_count,
            health_check: spec.health_check,
            network: spec.network,
            topology: spec.topology,
            api: spec.api,
            access: AccessView::of(&spec.access, environment.url(&app.settings).as_deref(), &app.settings.region),
            throttle: spec.throttle,
            labels: environment.labels.clone(),
            steps: environment.steps().iter().map(|record| step(environment, record, clock, now)).collect(),
            progress: progress(environment, clock, now),
            retry_after_seconds: retry_after(environment, clock, now),
            failure: environment.failure().cloned(),
            leftovers: leftovers(environment),
            next_attempt_at: environment.next_attempt_at(),
            resources: resources(environment),
            missing: missing(environment),
            expires_at: environment.expires_at(),
            kept_until: environment.kept_until(),
            created_at: environment.created_at,
            updated_at: environment.updated_at(),
            links: Links {
                itself: format!("{base}/environments/{id}"),
                events: format!("{base}/environments/{id}/events"),
            },
        }
    }
}

fn step(environment: &Environment, record: &StepRecord, clock: &Clock, now: Timestamp) -> StepView {
    let usual = record.name.usual();
    let working = matches!(record.state, StepState::Running | StepState::Waiting);
    let began = environment.working_since(record.name).filter(|_| working && !usual.is_zero());
    let left = until_slot(record, clock, now);
    let queue = record.slot_at.filter(|_| working && !left.is_zero()).zip(record.name.rate_limit());
    StepView {
        name: record.name,
        state: record.state,
        why: record.why.clone(),
        started_at: record.started_at,
        finished_at: record.finished_at,
        usual_seconds: usual.as_secs(),
        expected_at: began.map(|began| clock.add(began, usual)),
        queue: queue.map(|(slot_at, rate_limit)| Queue { place: rate_limit.place(left), slot_at }),
    }
}

fn resources(environment: &Environment) -> Vec<ResourceView> {
    let view = |(kind, resource): (ResourceKind, &berth_domain::environment::Resource)| ResourceView {
        resource: kind,
        id: resource.id.clone(),
        announced_at: resource.announced_at,
        recorded_at: resource.recorded_at,
        absent_at: resource.absent_at,
    };
    environment.ledger().all().map(view).collect()
}

fn missing(environment: &Environment) -> Vec<Missing> {
    let id = |kind| environment.ledger().id(kind).map(str::to_owned);
    environment
        .missing()
        .iter()
        .map(|(kind, since)| Missing { resource: *kind, id: id(*kind), since: *since })
        .collect()
}

/// How long `step` has been working at `now`, in AWS time; waiting for a slot does not count. A recovered operation counts from
/// its new execution, and not at all until that begins: otherwise its progress would go back there.
fn elapsed(environment: &Environment, step: Step, clock: &Clock, now: Timestamp) -> Duration {
    if environment.operation().execution_started_at.is_none() {
        return Duration::ZERO;
    }
    let began = environment.working_since(step).unwrap_or(now);
    Duration::try_from(now.duration_since(began)).unwrap_or(Duration::ZERO).mul_f64(clock.speed())
}

/// How long `record` still has to wait for its turn at `now`, in AWS time.
fn until_slot(record: &StepRecord, clock: &Clock, now: Timestamp) -> Duration {
    let slot = record.slot_at.unwrap_or(now);
    Duration::try_from(slot.duration_since(now)).unwrap_or(Duration::ZERO).mul_f64(clock.speed())
}

fn progress(environment: &Environment, clock: &Clock, now: Timestamp) -> u8 {
    if !environment.status().is_moving() {
        return 100;
    }
    let (mut done, mut all) = (0.0, 0.0);
    for record in environment.steps_under_way() {
        let weight = record.name.usual().as_secs_f64() + 1.0;
        all += weight;
        done += match record.state {
            StepState::Done | StepState::Failed => weight,
            StepState::Running | StepState::Waiting => {
                elapsed(environment, record.name, clock, now).as_secs_f64().min(weight * 0.9)
            }
            StepState::Pending => 0.0,
        };
    }
    if all > 0.0 { (done / all * 100.0).clamp(0.0, 99.0) as u8 } else { 0 }
}

/// A tenth of the longest usual time that a step under way still has to go, between 2 and 30 s of AWS time.
fn retry_after(environment: &Environment, clock: &Clock, now: Timestamp) -> Option<u64> {
    if !environment.status().is_moving() {
        return None;
    }
    let left = environment
        .steps_under_way()
        .filter(|record| matches!(record.state, StepState::Running | StepState::Waiting))
        .map(|record| {
            let rest = record.name.usual().saturating_sub(elapsed(environment, record.name, clock, now));
            rest + until_slot(record, clock, now)
        })
        .max()
        .unwrap_or(Duration::ZERO);
    let aws_time = (left / 10).clamp(Duration::from_secs(2), Duration::from_secs(30));
    Some(clock.scale(aws_time).as_secs_f64().ceil().max(1.0) as u64)
}

fn leftovers(environment: &Environment) -> Vec<Leftover> {
    if environment.status() != Status::CleanupFailed {
        return Vec::new();
    }
    let why = |kind| {
        environment
            .steps()
            .iter()
            .find(|record| record.name.direction() == Direction::Backward && record.name.resource() == Some(kind))
            .and_then(|record| record.why.clone())
    };
    environment
        .ledger()
        .left()
        .map(|(kind, resource)| Leftover { resource: kind, id: resource.id.clone(), why: why(kind) })
        .collect()
}
