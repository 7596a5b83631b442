//! An environment's resources in AWS, one file each: found, created, described, deleted. Thin: no waiting, no record;
//! what to do with what they answer is decided in `functions/worker/src/steps`.
//!
//! Nouns first: `load_balancer_find`, `load_balancer_create`, … "Not there" is `None` or success, never an error.

mod evidence;
mod inventory;
mod load_balancer;
mod rest_api;
mod service;
mod stage;
mod target_group;
mod vpc_link;

use std::collections::HashMap;

use berth_domain::Environment;
use berth_domain::names;

pub use evidence::{Log, LogPlace, Task};
pub use inventory::Tagged;
pub use load_balancer::{LoadBalancer, LoadBalancerState};
pub use service::{Service, ServiceCreated};
pub use target_group::TargetHealth;
pub use vpc_link::{VpcLink, VpcLinkDeleted, VpcLinkState};

use crate::Clients;

/// The AWS account's resources; cheap to clone.
#[derive(Clone, Debug)]
pub struct Resources {
    clients: Clients,
}

impl Resources {
    /// Resources reached through `clients`.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }
}

/// The tags of `environment` as API Gateway takes them.
fn tag_map(environment: &Environment) -> HashMap<String, String> {
    names::tags(environment).into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Whether a resource of API Gateway with these tags belongs to `environment`.
fn is_of(environment: &Environment, tags: &HashMap<String, String>) -> bool {
    tags.get(names::ENVIRONMENT_TAG).is_some_and(|tag| *tag == environment.id.to_string())
}
