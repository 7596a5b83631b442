//! The services behind the endpoint. Endpoint, faults and tests read this list; a new service is one line here.

use crate::stand_in::service::AwsService;
use crate::stand_in::{apigateway, dynamo, ec2, ecs, elb, logs, sts};
use crate::step_functions;

/// Every service.
pub static SERVICES: [&AwsService; 8] = [
    &elb::SERVICE,
    &ecs::SERVICE,
    &apigateway::SERVICE,
    &logs::SERVICE,
    &dynamo::SERVICE,
    &step_functions::SERVICE,
    &sts::SERVICE,
    &ec2::SERVICE,
];

/// The service of an operation (`service:Operation`, with the service as IAM names it).
#[must_use]
pub fn service_of(operation: &str) -> Option<&'static AwsService> {
    let prefix = operation.split(':').next()?;
    SERVICES.into_iter().find(|service| service.prefix == prefix)
}
