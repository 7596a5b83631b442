//! ELBv2's rates (docs/aws.md#rates). The page's other bucket of 40, for all calls of an account, contradicts its own table
//! and is left out.

use crate::stand_in::rates::Bucket;

/// The bucket from which one call takes a token.
pub(super) fn bucket(operation: &str) -> Bucket {
    match operation {
        "CreateLoadBalancer" | "SetSubnets" => Bucket::new("elb create", 10, 0.2),
        "RegisterTargets" | "DeregisterTargets" => Bucket::new("elb targets", 20, 4.0),
        _ if operation.starts_with("Describe") => Bucket::new("elb describe", 200, 50.0),
        _ => Bucket::new("elb change", 20, 3.0),
    }
}
