//! ECS's rates (docs/aws.md#rates); what is not listed there is our estimate.

use crate::stand_in::rates::Bucket;

/// The bucket from which one call takes a token.
pub(super) fn bucket(operation: &str) -> Bucket {
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
