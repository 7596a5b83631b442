//! The SDK clients, built once per process from one configuration.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

/// The longest that one call may take. A creation that is cut off here has shown, or has not happened, when the worker
/// would create again (`CONSISTENCY_WINDOW` in `step_run.rs`).
const CALL: Duration = Duration::from_secs(20);

/// The longest that one try of a call to the table or to Step Functions may take; all three fit into the 29 s of a request.
const TRY: Duration = Duration::from_secs(8);

/// One client for each AWS service that Berth calls.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The table.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// ECS.
    pub ecs: aws_sdk_ecs::Client,
    /// Elastic Load Balancing v2.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// API Gateway v1 (REST APIs and their VPC links).
    pub apigateway: aws_sdk_apigateway::Client,
    /// CloudWatch Logs, only read.
    pub logs: aws_sdk_cloudwatchlogs::Client,
}

impl Clients {
    /// Clients that retry as the SDK does: for reads, and for writes to the table and starts of executions, which may be
    /// repeated.
    #[must_use]
    pub fn retrying(config: &SdkConfig) -> Self {
        // The SDK shares one retry allowance among all clients of a process. Each set of clients gets its own here, so that
        // systems in one process (the tests) do not use up each other's.
        static SETS: AtomicU64 = AtomicU64::new(0);
        let allowance = format!("berth-{}", SETS.fetch_add(1, Ordering::Relaxed));
        let limit = TimeoutConfig::builder().operation_attempt_timeout(TRY).build();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(limit.clone())
            .retry_partition(aws_sdk_dynamodb::config::retry::RetryPartition::new(allowance.clone()))
            .build();
        let sfn = aws_sdk_sfn::config::Builder::from(config)
            .timeout_config(limit)
            .retry_partition(aws_sdk_sfn::config::retry::RetryPartition::new(allowance.clone()))
            .build();
        let ecs = aws_sdk_ecs::config::Builder::from(config)
            .retry_partition(aws_sdk_ecs::config::retry::RetryPartition::new(allowance))
            .build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            sfn: aws_sdk_sfn::Client::from_conf(sfn),
            ecs: aws_sdk_ecs::Client::from_conf(ecs),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(config),
            apigateway: aws_sdk_apigateway::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
        }
    }

    /// Clients that create resources: the SDK never retries their calls. `CreateVpcLink`,
    /// `CreateRestApi` and `CreateDeployment` have no client token (docs/aws.md#repeating-a-creation), so a retry after
    /// a lost reply would make a second one. The step is retried instead, and a step looks before it creates.
    #[must_use]
    pub fn trying_once(config: &SdkConfig) -> Self {
        let limit = TimeoutConfig::builder().operation_timeout(CALL).build();
        let once = config.to_builder().retry_config(RetryConfig::disabled()).timeout_config(limit).build();
        Self {
            ecs: aws_sdk_ecs::Client::new(&once),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&once),
            apigateway: aws_sdk_apigateway::Client::new(&once),
            logs: aws_sdk_cloudwatchlogs::Client::new(&once),
            ..Self::retrying(config)
        }
    }
}
