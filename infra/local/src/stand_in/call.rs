//! One API call to a service of the stand-in, in AWS's order: its rate, then the service itself; a read sees the state as
//! reads do. What goes wrong on the way to it is in `crate::faults`.

use serde_json::Value;

use super::refusal::Refusal;
use super::sim::Sim;
use super::{apigateway, ecs, elb, logs, rates, read_lag};

/// One call of `service` (as IAM names it): the status of the reply, and its body.
///
/// # Errors
/// What AWS refuses.
pub fn call(sim: &mut Sim, service: &str, operation: &str, input: &Value) -> Result<(u16, Value), Refusal> {
    rates::admit(sim, service, operation)?;
    let is_read = ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb));
    match is_read {
        true => read_lag::behind(sim, |sim| answer(sim, service, operation, input)),
        false => answer(sim, service, operation, input),
    }
}

fn answer(sim: &mut Sim, service: &str, operation: &str, input: &Value) -> Result<(u16, Value), Refusal> {
    match service {
        "elasticloadbalancing" => elb::call(sim, operation, input).map(|reply| (200, reply)),
        "ecs" => ecs::call(sim, operation, input).map(|reply| (200, reply)),
        "logs" => logs::call(sim, operation, input).map(|reply| (200, reply)),
        _ => apigateway::call(sim, operation, input),
    }
}

/// What a call has just begun to create will come up failed, for this reason. Only load balancers and VPC links can.
pub fn doom(sim: &mut Sim, operation: &str, reply: &Value, why: &str) {
    match operation {
        "CreateLoadBalancer" => {
            elb::doom(sim, reply["LoadBalancers"][0]["LoadBalancerArn"].as_str().unwrap_or_default(), why);
        }
        "CreateVpcLink" => apigateway::doom(sim, reply["id"].as_str().unwrap_or_default(), why),
        _ => {}
    }
}
