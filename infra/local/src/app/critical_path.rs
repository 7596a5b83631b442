//! How fast an environment could have been: the sum of AWS's own latencies on its critical path (load balancer → VPC
//! link → stage).

use std::time::Duration;

use berth_domain::{Environment, ResourceKind};

use crate::stand_in::{Cloud, elb};

/// The critical path of a ready environment, in AWS time; `None` while one of its resources is missing.
#[must_use]
pub fn critical_path(cloud: &Cloud, environment: &Environment) -> Option<Duration> {
    let id = |kind| environment.ledger().id(kind);
    let (load_balancer, link) = (id(ResourceKind::LoadBalancer)?, id(ResourceKind::VpcLink)?);
    let api = id(ResourceKind::RestApi)?;
    cloud.read(|account| {
        let active = elb::load_balancer(account, load_balancer)?.active_latency;
        let available = account.apigateway.vpc_links.get(link)?.available_latency;
        let live = account.apigateway.apis.get(api)?.stages.get(&environment.spec.api.stage)?.live_latency;
        Some(active + available + live)
    })
}
