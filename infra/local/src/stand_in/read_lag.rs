//! Reads lag behind writes: for a moment after its creation a resource is not found, and not listed
//! (docs/aws.md#reads-lag-behind-writes).
//!
//! Played for load balancers, target groups, listeners, services, VPC links and REST APIs. Writes see everything at once,
//! so that creating again by the same name still gives the same resource. What is inside a REST API does not lag. A service
//! that took the place of an INACTIVE one of its name is read as that one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::profile::Latency;
use super::sim::Sim;

/// What reads do not see yet, by its key in its map (ARN, `cluster/name` or id), and from when they will.
#[derive(Default, Serialize, Deserialize)]
pub struct Unseen(BTreeMap<String, Timestamp>);

impl Unseen {
    /// Takes what is not seen yet out of `all`.
    pub(super) fn out_of<T>(&self, all: &mut BTreeMap<String, T>) -> BTreeMap<String, T> {
        all.extract_if(.., |key, _| self.0.contains_key(key)).collect()
    }
}

/// A resource was created: if the profile lags, reads do not see it for a while.
pub fn created(sim: &mut Sim, key: &str) {
    if sim.profile.lags() {
        let latency = sim.take(Latency::Visible);
        let from = sim.clock.add(sim.now(), latency);
        sim.unseen.0.insert(key.to_owned(), from);
    }
}

/// Reads the state as a read sees it: without what is not seen yet.
pub fn behind<R>(sim: &mut Sim, read: impl FnOnce(&mut Sim) -> R) -> R {
    let now = sim.now();
    sim.unseen.0.retain(|_, from| *from > now);
    sim.ecs.former.retain(|key, _| sim.unseen.0.contains_key(key));
    if sim.unseen.0.is_empty() {
        return read(sim);
    }
    let unseen = std::mem::take(&mut sim.unseen);
    let balancing = sim.elb.take_unseen(&unseen);
    let services = unseen.out_of(&mut sim.ecs.services);
    sim.ecs.services.extend(sim.ecs.former.clone());
    let links = unseen.out_of(&mut sim.apigateway.vpc_links);
    let apis = unseen.out_of(&mut sim.apigateway.apis);
    let result = read(sim);
    sim.elb.give_back(balancing);
    sim.ecs.services.extend(services);
    sim.apigateway.vpc_links.extend(links);
    sim.apigateway.apis.extend(apis);
    sim.unseen = unseen;
    result
}
