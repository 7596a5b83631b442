//! How often an account may call: AWS's token buckets (docs/aws.md#rates), one for an operation or for several.
//!
//! A bucket is kept as the one moment at which it will be full again, so nothing has to happen by itself. The buckets are
//! part of the kept state: a restart of the stand-in is no way around a rate. The data path and the services that AWS
//! does not limit for us here (DynamoDB, Step Functions, STS, EC2) have none.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::sim::Sim;

/// Whether calls are limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rates {
    /// As AWS limits them.
    #[default]
    Aws,
    /// Not at all: for tests that make more calls than AWS would let them.
    Unlimited,
}

/// The buckets that are not full: when each will be.
#[derive(Default, Serialize, Deserialize)]
pub struct Buckets(BTreeMap<String, Timestamp>);

/// A token bucket.
struct Bucket {
    /// Operations that name the same bucket share it.
    name: &'static str,
    /// How many calls a full bucket lets through at once.
    capacity: u32,
    /// How many tokens come back in one AWS second.
    refill: f64,
}

impl Bucket {
    const fn new(name: &'static str, capacity: u32, refill: f64) -> Self {
        Self { name, capacity, refill }
    }

    /// How long, in AWS time, `tokens` take to come back.
    fn time_of(&self, tokens: u32) -> Duration {
        Duration::from_secs_f64(f64::from(tokens) / self.refill)
    }
}

/// Takes a token for one call of `service` (as IAM names it).
///
/// # Errors
/// The service's own throttling error when there is none; then the call has no effect.
pub fn admit(sim: &mut Sim, service: &str, operation: &str) -> Result<(), Refusal> {
    if sim.rates == Rates::Unlimited {
        return Ok(());
    }
    let bucket = bucket(service, operation);
    let now = sim.now();
    let full = sim.buckets.0.get(bucket.name).copied().filter(|full| *full > now).unwrap_or(now);
    let missing = sim.clock.left_until(full).unwrap_or_default();
    if missing > bucket.time_of(bucket.capacity - 1) {
        return Err(Refusal::throttled(service));
    }
    let full = sim.clock.add(full, bucket.time_of(1));
    sim.buckets.0.insert(bucket.name.to_owned(), full);
    Ok(())
}

fn bucket(service: &str, operation: &str) -> Bucket {
    match service {
        "elasticloadbalancing" => elb(operation),
        "ecs" => ecs(operation),
        // Our best knowledge of CloudWatch Logs' quota of GetLogEvents: 25 a second in most regions.
        "logs" => Bucket::new("logs read", 25, 25.0),
        _ => apigateway(operation),
    }
}

/// docs/aws.md#rates. The page's other bucket of 40, for all calls of an account, contradicts its own table and is left out.
fn elb(operation: &str) -> Bucket {
    match operation {
        "CreateLoadBalancer" | "SetSubnets" => Bucket::new("elb create", 10, 0.2),
        "RegisterTargets" | "DeregisterTargets" => Bucket::new("elb targets", 20, 4.0),
        _ if operation.starts_with("Describe") => Bucket::new("elb describe", 200, 50.0),
        _ => Bucket::new("elb change", 20, 3.0),
    }
}

/// docs/aws.md#rates; what is not listed there is our estimate.
fn ecs(operation: &str) -> Bucket {
    match operation {
        "CreateService" | "UpdateService" | "DeleteService" => Bucket::new("ecs service", 50, 5.0),
        "DescribeServices" => Bucket::new("ecs services", 100, 20.0),
        "RegisterTaskDefinition" | "DeregisterTaskDefinition" => Bucket::new("ecs register", 20, 1.0),
        "DescribeTaskDefinition" => Bucket::new("ecs definition", 50, 20.0),
        "DescribeTasks" => Bucket::new("ecs tasks", 100, 20.0),
        _ if operation.starts_with("Describe") || operation.starts_with("List") => Bucket::new("ecs read", 50, 20.0),
        _ => Bucket::new("ecs write", 20, 10.0),
    }
}

/// docs/aws.md#rates. What is listed does not take from the bucket of everything else; V1 VPC links have no rate of their own.
fn apigateway(operation: &str) -> Bucket {
    match operation {
        "CreateRestApi" | "ImportRestApi" => Bucket::new("apigateway create", 1, 1.0 / 3.0),
        "DeleteRestApi" => Bucket::new("apigateway delete", 1, 1.0 / 30.0),
        "CreateDeployment" => Bucket::new("apigateway deploy", 1, 0.2),
        "PutRestApi" => Bucket::new("apigateway put", 1, 1.0),
        "CreateResource" => Bucket::new("apigateway create resource", 5, 5.0),
        "DeleteResource" => Bucket::new("apigateway delete resource", 5, 5.0),
        "GetResources" => Bucket::new("apigateway resources", 5, 2.5),
        _ => Bucket::new("apigateway other", 40, 10.0),
    }
}
