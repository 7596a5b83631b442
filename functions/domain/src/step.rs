//! The steps of the workflow, one row each. The names are those of the Task states in `statemachine/environment.asl.json`,
//! which is generated from this table and from `plan`.
//!
//! Which steps an operation runs, and in which order, is in `plan`. What a step does is in `functions/worker/src/steps`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rate_limit::RateLimit;
use crate::resource::ResourceKind;

/// One step. `Ensure*` goes forward, `Undo*` backward; the others only touch the record. The first line of a step's
/// documentation is its state's comment in the state machine.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumMessage,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[schema(as = StepName)]
pub enum Step {
    /// Reads the record, which is the truth, and says where to go. A repeated execution finds its way from here.
    Begin,
    /// Creates the internal network load balancer; it becomes active while the rest goes on.
    EnsureLoadBalancer,
    /// Creates the target group that the service registers its tasks in.
    EnsureTargetGroup,
    /// Creates the listener that forwards to the target group.
    EnsureListener,
    /// Creates the ECS service and waits until its tasks run.
    EnsureService,
    /// Waits until the load balancer finds the tasks healthy.
    EnsureTargetHealth,
    /// Waits until the load balancer is active.
    EnsureLoadBalancerActive,
    /// Creates the VPC link to the load balancer and waits until it is available.
    EnsureVpcLink,
    /// Creates the REST API with its resources, methods and integrations.
    EnsureRestApi,
    /// Creates the API's deployment and its stage, which names the link.
    EnsureStage,
    /// Proves that the service answers, by a request through the public URL of the stage.
    EnsureReachable,
    /// Writes `ready`, unless a failure or a delete came first. This is the commit point.
    MarkReady,
    /// Saves why provisioning failed, with evidence, before anything is undone.
    RecordFailure,
    /// Writes `deleting`: from here on everything is removed.
    BeginRemoval,
    /// Deletes the REST API with its stage and deployments.
    UndoRestApi,
    /// Deletes the VPC link.
    UndoVpcLink,
    /// Deletes the load balancer.
    UndoLoadBalancer,
    /// Deletes the ECS service and waits until its tasks are gone.
    UndoService,
    /// Deletes the listener.
    UndoListener,
    /// Deletes the target group.
    UndoTargetGroup,
    /// Writes `deleted` or `failed` when nothing is left, else `cleanup_failed`.
    MarkGone,
}

/// Which way a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It brings something about in AWS, or waits for it.
    Forward,
    /// It removes something from AWS.
    Backward,
    /// It only touches the record.
    Record,
}

/// What the workflow knows of a step.
struct Row {
    direction: Direction,
    resource: Option<ResourceKind>,
    usual_seconds: u64,
    limit_seconds: u64,
    rate_limit: Option<RateLimit>,
    waits_for: &'static [ResourceKind],
}

impl Step {
    /// All of them, in the order of their declaration.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The table: usual time and limit in seconds of AWS time (docs/aws.md#durations), the AWS operation whose rate the whole
    /// account shares (docs/aws.md#rates), and the resources that must be gone first (docs/aws.md#deletion-order).
    ///
    /// The stage has no undo of its own: deleting the REST API deletes its stages and deployments.
    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Direction::{Backward, Forward, Record};
        use ResourceKind::{Listener, LoadBalancer, RestApi, Service, Stage, TargetGroup, VpcLink};
        let (direction, resource, usual_seconds, limit_seconds, rate_limit, waits_for): (_, _, _, _, _, &'static [_]) = match self {
            Self::Begin                    => (Record,   None,               0,   300, None,                                &[]),
            Self::EnsureLoadBalancer       => (Forward,  Some(LoadBalancer), 0,   300, Some(RateLimit::CreateLoadBalancer), &[]),
            Self::EnsureTargetGroup        => (Forward,  Some(TargetGroup),  0,   300, None,                                &[]),
            Self::EnsureListener           => (Forward,  Some(Listener),     0,   300, None,                                &[]),
            Self::EnsureService            => (Forward,  Some(Service),     40, 1_200, None,                                &[]),
            Self::EnsureTargetHealth       => (Forward,  None,             100, 1_200, None,                                &[]),
            Self::EnsureLoadBalancerActive => (Forward,  None,             155,   900, None,                                &[]),
            Self::EnsureVpcLink            => (Forward,  Some(VpcLink),    240, 1_500, None,                                &[]),
            Self::EnsureRestApi            => (Forward,  Some(RestApi),      0,   300, Some(RateLimit::CreateRestApi),      &[]),
            Self::EnsureStage              => (Forward,  Some(Stage),        0,   300, Some(RateLimit::CreateDeployment),   &[]),
            Self::EnsureReachable          => (Forward,  None,               3,   300, None,                                &[]),
            Self::MarkReady                => (Record,   None,               0,   300, None,                                &[]),
            Self::RecordFailure            => (Record,   None,               0,   300, None,                                &[]),
            Self::BeginRemoval             => (Record,   None,               0,   300, None,                                &[]),
            Self::UndoRestApi              => (Backward, Some(RestApi),      0, 1_800, Some(RateLimit::DeleteRestApi),      &[]),
            Self::UndoVpcLink              => (Backward, Some(VpcLink),     90, 1_500, None,                                &[RestApi]),
            Self::UndoLoadBalancer         => (Backward, Some(LoadBalancer), 45, 1_200, None,                               &[VpcLink]),
            Self::UndoService              => (Backward, Some(Service),    120, 1_200, None,                                &[]),
            Self::UndoListener             => (Backward, Some(Listener),     0,   300, None,                                &[]),
            Self::UndoTargetGroup          => (Backward, Some(TargetGroup),  0,   300, None,                                &[Listener]),
            Self::MarkGone                 => (Record,   None,               0,   300, None,                                &[]),
        };
        Row { direction, resource, usual_seconds, limit_seconds, rate_limit, waits_for }
    }

    /// The name, as it stands in the state machine.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Which way it goes.
    #[must_use]
    pub const fn direction(self) -> Direction {
        self.row().direction
    }

    /// The resource that an `Ensure*` step creates or an `Undo*` step removes. The steps that only wait or prove have none.
    #[must_use]
    pub const fn resource(self) -> Option<ResourceKind> {
        self.row().resource
    }

    /// How long it usually takes, in AWS time; zero for those that take one call.
    #[must_use]
    pub const fn usual(self) -> Duration {
        Duration::from_secs(self.row().usual_seconds)
    }

    /// After how long it gives up, in AWS time; waiting for a slot does not count.
    #[must_use]
    pub const fn limit(self) -> Duration {
        Duration::from_secs(self.row().limit_seconds)
    }

    /// The AWS operation for which it needs a slot.
    #[must_use]
    pub const fn rate_limit(self) -> Option<RateLimit> {
        self.row().rate_limit
    }

    /// The resources that must be gone before this `Undo*` step can do its work.
    #[must_use]
    pub const fn waits_for(self) -> &'static [ResourceKind] {
        self.row().waits_for
    }
}
