//! The only crate that imports `aws_sdk_*`: clients, the table, the state machine, and an environment's resources.
//!
//! Errors of AWS become [`berth_domain::Error`] in `error` and nowhere else. What the API and the worker decide with what
//! they find here is theirs.

mod clients;
pub mod config;
mod error;
mod machine;
mod prober;
pub mod resources;
pub mod store;

pub use clients::Clients;
pub use machine::{Machine, Started};
pub use prober::{ProbeResult, Prober, Signer};
pub use resources::Resources;
pub use store::Store;

/// The SDKs' types, for the tests, which may not import the SDKs.
pub mod sdk {
    pub use aws_sdk_apigateway::error as apigateway_error;
    pub use aws_sdk_apigateway::types as apigateway_types;
    pub use aws_sdk_dynamodb::types as dynamodb_types;
    pub use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder as CreateService;
    pub use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder as RegisterTaskDefinition;
    pub use aws_sdk_ecs::types as ecs_types;
    pub use aws_sdk_elasticloadbalancingv2::error::ProvideErrorMetadata;
    pub use aws_sdk_elasticloadbalancingv2::types as elb_types;
    pub use aws_sdk_sfn::types as sfn_types;
}
