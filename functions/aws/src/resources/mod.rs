//! The AWS resources of environments, one file each: find, create, describe, delete. They take names, tags and settings, never
//! an environment, and neither wait nor write records; `functions/worker/src/steps` decides what to do with their answers.
//!
//! Nouns first: `load_balancer_find`, `load_balancer_create`, … "Not there" is `None` or success, never an error.

mod access;
mod evidence;
mod inventory;
mod load_balancer;
mod rest_api;
mod service;
mod stage;
mod target_group;
mod task_definition;
mod test_invoke;
mod vpc_link;

use std::collections::HashMap;

use berth_domain::EnvironmentId;
use berth_domain::names::{self, Tags};

pub use evidence::{EcsTask, Log, LogPlace};
pub use inventory::Tagged;
pub use load_balancer::{LoadBalancer, LoadBalancerState};
pub use service::{Service, ServiceCreated};
pub use stage::Stage;
pub use target_group::TargetHealth;
pub use vpc_link::{VpcLink, VpcLinkState};

use crate::Clients;

/// How many entries API Gateway lists at once, its most.
const PAGE: i32 = 500;

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

/// How a deletion went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// AWS is deleting it, or it is gone.
    Accepted,
    /// Something else still holds it; AWS's message.
    InUse(String),
}

/// `tags` as API Gateway takes them.
fn tag_map(tags: &Tags) -> HashMap<String, String> {
    tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Whether a resource of API Gateway with these tags belongs to the environment `id`.
fn belongs_to(id: &EnvironmentId, tags: &HashMap<String, String>) -> bool {
    tags.get(names::ENVIRONMENT_TAG).is_some_and(|tag| *tag == id.to_string())
}
