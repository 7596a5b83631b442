//! What a caller sees of an environment.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_app::App;
use berth_domain::environment::{StepRecord, StepState};
use berth_domain::failure::Failure;
use berth_domain::spec::{Container, HealthCheck, Network, RestApiSpec, Topology};
use berth_domain::step::Direction;
use berth_domain::{Clock, Environment, EnvironmentId, ResourceKind, Status, Step, Team};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// An environment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Environment)]
pub struct EnvironmentView {
    /// Its identity.
    pub id: EnvironmentId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub team: Team,
    /// Who asked for it.
    pub created_by: String,
    /// Where it stands.
    pub status: Status,
    /// Where the service answers, once proven.
    pub url: Option<String>,
    /// The pinned task definition.
    pub task_definition: String,
    /// The container that answers, and its port.
    pub container: Container,
    /// How many tasks.
    pub desired_count: u32,
    /// How the load balancer tells that a task is healthy.
    pub health_check: HealthCheck,
    /// Where it stands.
    pub network: Network,
    /// What is shared with other environments.
    pub topology: Topology,
    /// The REST API in front.
    pub api: RestApiSpec,
    /// The caller's own marks.
    pub labels: BTreeMap<String, String>,
    /// The steps of the operation under way, or of the last one.
    pub steps: Vec<StepView>,
    /// How far the operation has come, 0 to 100, by the steps' usual durations. It goes back where a step that was done is
    /// looked at again and has to wait, and when the workflow is taken up again.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: u8,
    /// When to look again; `null` when nothing moves.
    pub retry_after_seconds: Option<u64>,
    /// Why provisioning failed, if it did.
    pub failure: Option<Failure>,
    /// What could not be removed.
    pub leftovers: Vec<Leftover>,
    /// When the removal is tried again by itself; `null` when nothing is left, or somebody has to look.
    pub next_attempt_at: Option<Timestamp>,
    /// Every resource it has or ever had in AWS. Of a deleted environment this is the receipt: each one's absence was
    /// verified.
    pub resources: Vec<ResourceView>,
    /// Recorded resources that are not there any more although nobody asked Berth to remove them: the service may not
    /// answer. Delete this environment and create it again.
    pub missing: Vec<Missing>,
    /// When its lifetime is over and it is deleted; `null` when it lives until somebody deletes it.
    pub expires_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Where to go from here.
    pub links: Links,
}

/// One step of the operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub struct StepView {
    /// The step, as the state machine calls it.
    pub name: Step,
    /// What it is doing.
    pub state: StepState,
    /// Why it waits, failed, or what it found.
    pub why: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long it usually takes, in seconds, once it is its turn.
    pub usual_seconds: u64,
    /// When it should end, while it is at work.
    pub expected_at: Option<Timestamp>,
    /// Its place among all who wait for an operation that AWS allows the whole account at a rate only.
    pub queue: Option<Queue>,
}

/// A place in a queue.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Queue {
    /// 1 is the next one.
    #[schema(minimum = 1)]
    pub place: u64,
    /// When its turn comes.
    pub slot_at: Timestamp,
}

/// A resource in AWS that the environment has or had.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Resource)]
pub struct ResourceView {
    /// What.
    pub resource: ResourceKind,
    /// Its ARN or id; `null` when its creation was announced and it was never seen.
    pub id: Option<String>,
    /// When its creation was announced.
    pub announced_at: Timestamp,
    /// When its id was recorded.
    pub recorded_at: Option<Timestamp>,
    /// When its absence was verified; `null` while it is there.
    pub absent_at: Option<Timestamp>,
}

/// A recorded resource that is not there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Missing {
    /// What.
    pub resource: ResourceKind,
    /// Its ARN or id.
    pub id: Option<String>,
    /// Since when this is known.
    pub since: Timestamp,
}

/// Something that could not be removed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Leftover {
    /// What.
    pub resource: ResourceKind,
    /// Its ARN or id, where known.
    pub id: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// Where to go from here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Links {
    /// This environment.
    #[serde(rename = "self")]
    pub itself: String,
    /// What happened to it.
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

/// How long `step` has been at work at `now`, in AWS time; not counted what it waited for its turn. An operation that is
/// taken up again counts from its new beginning, and until then not at all: or its progress would go back there.
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
