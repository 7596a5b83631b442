//! The kinds of AWS resource that an environment can have. What is recorded of each is in `environment/ledger.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of AWS resource. Its [`as_str`](ResourceKind::as_str) is what people call it.
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
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// An ELBv2 target group.
    #[strum(serialize = "target group")]
    TargetGroup,
    /// A network load balancer.
    #[strum(serialize = "load balancer")]
    LoadBalancer,
    /// A listener of that load balancer.
    #[strum(serialize = "listener")]
    Listener,
    /// An ECS service.
    #[strum(serialize = "service")]
    Service,
    /// An API Gateway VPC link (V1).
    #[strum(serialize = "VPC link")]
    VpcLink,
    /// An API Gateway REST API.
    #[strum(serialize = "REST API")]
    RestApi,
    /// A stage of that API, with its deployment.
    #[strum(serialize = "stage")]
    Stage,
}

impl ResourceKind {
    /// All of them, in the order of their declaration.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// What people call it, for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
