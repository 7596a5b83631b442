//! A request, resolved (defaults filled in) and pinned (a family to its revision).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Access;

/// What an environment runs and how it is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The pinned task definition: its ARN with the revision.
    pub task_definition: String,
    /// The deployment of Berth that created the environment.
    pub deployment: String,
    /// The cluster that the service runs in: pinned, because the deployment's may change.
    pub cluster: String,
    /// The container that answers, and its port.
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
    /// Who may reach the URL.
    pub access: Access,
    /// How many requests the stage lets through.
    pub throttle: Throttle,
}

/// A container of the task definition and the port it listens on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Container {
    /// The container's name in the task definition.
    pub name: String,
    /// The port of the container that answers requests.
    pub port: u16,
}

/// How the load balancer finds out that a task is healthy: `GET path` answers 200 to 399.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HealthCheck {
    /// The path and query to request, beginning with `/`.
    pub path: String,
}

/// The network of load balancer and tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Network {
    /// Subnets of the load balancer and the tasks, at most one per availability zone.
    pub subnets: Vec<String>,
    /// Security groups of the load balancer and the tasks.
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address (only to pull images from a subnet without NAT).
    pub assign_public_ip: bool,
}

/// Which AWS resources the environment shares with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Nothing is shared: the environment has a load balancer, VPC link and REST API for itself.
    #[default]
    Dedicated,
}

/// The REST API in front of the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestApiSpec {
    /// Whether Berth creates the REST API.
    pub kind: RestApiKind,
    /// The stage's name; it is the last part of the environment's URL.
    pub stage: String,
}

/// How many requests the stage lets through: a token bucket. API Gateway answers 429 to the others, and they do not count
/// against the rate that all APIs of the AWS account share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Throttle {
    /// How many requests a second, over time.
    pub requests_per_second: u32,
    /// How many requests at once.
    pub burst: u32,
}

/// Where an environment's REST API comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestApiKind {
    /// Berth creates a REST API for the environment and deletes it with the environment.
    #[default]
    New,
}
