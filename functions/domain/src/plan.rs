//! What an operation runs: its steps in order, what runs side by side, and what a failure does.
//!
//! One row of [`plan`] for each kind of operation and topology; the steps that are shown, the progress and the state machine
//! follow from it. What a step is, is in `step`; what a plan may do to an environment's status, in `environment`.

use crate::operation::Kind;
use crate::spec::{Spec, Topology};
use crate::step::Step;

/// The steps of an operation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan(&'static [Part]);

/// A part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One step.
    Step(Step),
    /// Branches that run side by side. The plan goes on when all of them have ended.
    SideBySide(&'static [Branch]),
}

/// Steps that run one after the other, beside other branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its name, which the states at its end begin with.
    pub name: &'static str,
    /// Its steps, in order.
    pub steps: &'static [Step],
}

/// What happens when a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The operation ends, and everything that the environment has is removed.
    Unwind,
    /// The other steps are done all the same.
    Continue,
}

const PROVISION_DEDICATED: Plan = Plan(&[
    Part::Step(Step::EnsureLoadBalancer),
    Part::Step(Step::EnsureTargetGroup),
    Part::Step(Step::EnsureListener),
    Part::SideBySide(&[
        Branch { name: "ServiceBranch", steps: &[Step::EnsureService, Step::EnsureTargetHealth] },
        Branch { name: "LinkBranch", steps: &[Step::EnsureLoadBalancerActive, Step::EnsureVpcLink] },
        Branch { name: "ApiBranch", steps: &[Step::EnsureRestApi] },
    ]),
    Part::Step(Step::EnsureStage),
    Part::Step(Step::EnsureReachable),
]);

/// A VPC link goes only when no API names it, and a load balancer only when its link is gone; a target group only when its
/// listener is gone (docs/aws.md#deletion-order).
const DELETE_DEDICATED: Plan = Plan(&[Part::SideBySide(&[
    Branch { name: "GatewayRemoval", steps: &[Step::UndoRestApi, Step::UndoVpcLink, Step::UndoLoadBalancer] },
    Branch { name: "ServiceRemoval", steps: &[Step::UndoService, Step::UndoListener, Step::UndoTargetGroup] },
])]);

/// The plan of an operation of `kind` for an environment with `spec`.
#[must_use]
pub fn plan(kind: Kind, spec: &Spec) -> Plan {
    for_topology(kind, spec.topology)
}

/// The plan of an operation of `kind` for an environment with `topology`.
#[must_use]
pub const fn for_topology(kind: Kind, topology: Topology) -> Plan {
    match (kind, topology) {
        (Kind::Provision, Topology::Dedicated) => PROVISION_DEDICATED,
        (Kind::Delete, Topology::Dedicated) => DELETE_DEDICATED,
    }
}

/// What a failed step does to an operation of `kind`.
#[must_use]
pub const fn on_failure(kind: Kind) -> OnFailure {
    match kind {
        Kind::Provision => OnFailure::Unwind,
        Kind::Delete => OnFailure::Continue,
    }
}

impl Plan {
    /// Its parts, in order.
    #[must_use]
    pub const fn parts(self) -> &'static [Part] {
        self.0
    }

    /// Its steps, in the order in which they are shown.
    pub fn steps(self) -> impl Iterator<Item = Step> {
        self.0.iter().flat_map(|part| match part {
            Part::Step(step) => vec![*step],
            Part::SideBySide(branches) => branches.iter().flat_map(|branch| branch.steps).copied().collect(),
        })
    }
}
