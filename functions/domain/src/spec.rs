//! What was asked for, resolved (defaults filled in) and pinned (a family to its revision).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an environment runs and how it is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Spec {
    /// The pinned task definition: its ARN with the revision.
    pub task_definition: String,
    /// The deployment of Berth that made it.
    pub deployment: String,
    /// The cluster that the service runs in: pinned, because the deployment's may change.
    pub cluster: String,
    /// The container that answers, and its port.
    pub container: Container,
    /// How many tasks.
    pub desired_count: u32,
    /// How the load balancer tells that a task is healthy.
    pub health_check: HealthCheck,
    /// Where load balancer and tasks stand.
    pub network: Network,
    /// What is shared with other environments.
    pub topology: Topology,
    /// The REST API in front.
    pub api: RestApiSpec,
}

/// A container of the task definition and the port it listens on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Container {
    /// The container's name in the task definition.
    pub name: String,
    /// The container's port.
    pub port: u16,
}

/// How the load balancer tells that a task is healthy: `GET path` answers 200 to 399.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// The path, beginning with `/`.
    pub path: String,
}

/// Where load balancer and tasks stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// Subnets, one per availability zone.
    pub subnets: Vec<String>,
    /// Security groups; may be empty.
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address (only to pull images from a subnet without NAT).
    pub assign_public_ip: bool,
}

/// What is shared with other environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Nothing: its own load balancer, VPC link and REST API.
    Dedicated,
}

/// The REST API in front.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestApiSpec {
    /// Where it comes from.
    pub kind: RestApiKind,
    /// The stage's name.
    pub stage: String,
}

/// Where the REST API comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestApiKind {
    /// A new one.
    New,
}
