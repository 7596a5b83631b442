//! API Gateway's rates (docs/aws.md#rates). An operation with a rate of its own does not take from the bucket of the
//! others. V1 VPC links have no rate of their own.

use crate::stand_in::rates::Bucket;

/// The bucket from which one call takes a token.
pub(super) fn bucket(operation: &str) -> Bucket {
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
