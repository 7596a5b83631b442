//! The words of the workflow: every Task state of `statemachine/environment.asl.json` is one [`Step`] of the same name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::environment::ResourceKind;

/// One step. `Ensure*` goes forward, `Undo*` backward, `Begin*`, `Record*` and `Mark*` only touch the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = StepName)]
pub enum Step {
    /// Reads the record and says where to go.
    Begin,
    /// The internal network load balancer, created; not yet active.
    EnsureLoadBalancer,
    /// The target group that the service registers its tasks in.
    EnsureTargetGroup,
    /// The listener that forwards to the target group.
    EnsureListener,
    /// The ECS service, with its tasks running.
    EnsureService,
    /// The load balancer's health checks of the tasks.
    EnsureTargetHealth,
    /// The load balancer, active.
    EnsureLoadBalancerActive,
    /// The VPC link to the load balancer, available.
    EnsureVpcLink,
    /// The REST API with its resources, methods and integrations.
    EnsureRestApi,
    /// The API's deployment and its stage, which names the link.
    EnsureDeployment,
    /// The proof: a request through the public stage URL that the service answers.
    EnsureReachable,
    /// `ready`, with the URL.
    MarkReady,
    /// Saves why provisioning failed, with evidence, before anything is undone.
    RecordFailure,
    /// `deleting`: from here on everything is taken away.
    BeginRemoval,
    /// The REST API with its stage and deployments.
    UndoRestApi,
    /// The VPC link.
    UndoVpcLink,
    /// The ECS service and its tasks.
    UndoService,
    /// The listener.
    UndoListener,
    /// The target group.
    UndoTargetGroup,
    /// The load balancer.
    UndoLoadBalancer,
    /// `deleted` or `failed` when nothing is left, else `cleanup_failed`.
    MarkGone,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 21] = [
        Self::Begin,
        Self::EnsureLoadBalancer,
        Self::EnsureTargetGroup,
        Self::EnsureListener,
        Self::EnsureService,
        Self::EnsureTargetHealth,
        Self::EnsureLoadBalancerActive,
        Self::EnsureVpcLink,
        Self::EnsureRestApi,
        Self::EnsureDeployment,
        Self::EnsureReachable,
        Self::MarkReady,
        Self::RecordFailure,
        Self::BeginRemoval,
        Self::UndoRestApi,
        Self::UndoVpcLink,
        Self::UndoService,
        Self::UndoListener,
        Self::UndoTargetGroup,
        Self::UndoLoadBalancer,
        Self::MarkGone,
    ];

    /// The forward steps, in the order in which they are shown (some run side by side).
    pub const ENSURE: [Self; 10] = [
        Self::EnsureLoadBalancer,
        Self::EnsureTargetGroup,
        Self::EnsureListener,
        Self::EnsureService,
        Self::EnsureTargetHealth,
        Self::EnsureLoadBalancerActive,
        Self::EnsureVpcLink,
        Self::EnsureRestApi,
        Self::EnsureDeployment,
        Self::EnsureReachable,
    ];

    /// The backward steps, in order: the reverse of the forward steps that make something.
    pub const UNDO: [Self; 6] = [
        Self::UndoRestApi,
        Self::UndoVpcLink,
        Self::UndoService,
        Self::UndoListener,
        Self::UndoTargetGroup,
        Self::UndoLoadBalancer,
    ];

    /// The resource that an `Ensure*` step makes or an `Undo*` step removes.
    ///
    /// `EnsureDeployment` makes the stage; it has no undo of its own because deleting the REST API deletes its stages
    /// and deployments (docs/aws.md#a-link-that-is-in-use). The steps that only wait or prove make nothing.
    #[must_use]
    pub fn resource(self) -> Option<ResourceKind> {
        match self {
            Self::EnsureTargetGroup | Self::UndoTargetGroup => Some(ResourceKind::TargetGroup),
            Self::EnsureLoadBalancer | Self::UndoLoadBalancer => Some(ResourceKind::LoadBalancer),
            Self::EnsureListener | Self::UndoListener => Some(ResourceKind::Listener),
            Self::EnsureService | Self::UndoService => Some(ResourceKind::Service),
            Self::EnsureVpcLink | Self::UndoVpcLink => Some(ResourceKind::VpcLink),
            Self::EnsureRestApi | Self::UndoRestApi => Some(ResourceKind::RestApi),
            Self::EnsureDeployment => Some(ResourceKind::Stage),
            Self::Begin
            | Self::EnsureTargetHealth
            | Self::EnsureLoadBalancerActive
            | Self::EnsureReachable
            | Self::MarkReady
            | Self::RecordFailure
            | Self::BeginRemoval
            | Self::MarkGone => None,
        }
    }

    /// The resources that must be gone before this `Undo*` step can do its work (docs/aws.md#deletion-order).
    #[must_use]
    pub fn needs_gone(self) -> &'static [ResourceKind] {
        match self {
            Self::UndoVpcLink => &[ResourceKind::RestApi],
            Self::UndoLoadBalancer => &[ResourceKind::VpcLink],
            Self::UndoTargetGroup => &[ResourceKind::Listener],
            _ => &[],
        }
    }

    /// The name, as it stands in the state machine.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin => "Begin",
            Self::EnsureTargetGroup => "EnsureTargetGroup",
            Self::EnsureLoadBalancer => "EnsureLoadBalancer",
            Self::EnsureListener => "EnsureListener",
            Self::EnsureService => "EnsureService",
            Self::EnsureTargetHealth => "EnsureTargetHealth",
            Self::EnsureLoadBalancerActive => "EnsureLoadBalancerActive",
            Self::EnsureVpcLink => "EnsureVpcLink",
            Self::EnsureRestApi => "EnsureRestApi",
            Self::EnsureDeployment => "EnsureDeployment",
            Self::EnsureReachable => "EnsureReachable",
            Self::MarkReady => "MarkReady",
            Self::RecordFailure => "RecordFailure",
            Self::BeginRemoval => "BeginRemoval",
            Self::UndoRestApi => "UndoRestApi",
            Self::UndoVpcLink => "UndoVpcLink",
            Self::UndoService => "UndoService",
            Self::UndoListener => "UndoListener",
            Self::UndoLoadBalancer => "UndoLoadBalancer",
            Self::UndoTargetGroup => "UndoTargetGroup",
            Self::MarkGone => "MarkGone",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|step| step.name() == name).ok_or_else(|| format!("no step {name}"))
    }
}
