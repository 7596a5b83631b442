//! The ECS service.

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, DeploymentCircuitBreaker, DeploymentConfiguration, DeploymentRolloutState,
    LaunchType, LoadBalancer, NetworkConfiguration, PropagateTags, Service as Described, Tag,
};
use berth_domain::Error;
use berth_domain::names::{ResourceName, Tags};
use berth_domain::spec::Spec;

use super::Resources;
use crate::error::{code, convert, message};

/// How long ECS leaves unhealthy targets alone: longer than a target's registration (up to 300 s, docs/aws.md#target-health) and an
/// application's start, because with the default of 0 it kills tasks that the load balancer has not begun to check.
const HEALTH_CHECK_GRACE_SECONDS: i32 = 420;

/// An ECS service as ECS describes it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its ARN.
    pub arn: String,
    /// ACTIVE, DRAINING or INACTIVE.
    pub status: String,
    /// How many tasks run.
    pub running: i32,
    /// How many tasks should run.
    pub desired: i32,
    /// Why the deployment failed, when the circuit breaker gave up.
    pub failed: Option<String>,
    /// What ECS says happened to it, newest first.
    pub events: Vec<String>,
}

/// How creating a service went.
#[derive(Clone, Debug)]
pub enum ServiceCreated {
    /// It is there; its ARN.
    Created(String),
    /// Not yet: ECS's own message; to be tried again.
    NotYet(String),
}

impl Resources {
    /// The service called `name` in `cluster`, if ECS still knows it.
    ///
    /// # Errors
    /// What ECS answers.
    pub async fn service_find(&self, cluster: &str, name: &ResourceName) -> Result<Option<Service>, Error> {
        let described = self.clients.ecs.describe_services().cluster(cluster).services(name.as_str()).send().await;
        match described {
            Ok(reply) => Ok(reply.services().first().map(understood)),
            Err(error) if code(&error) == Some("ClusterNotFoundException") => Ok(None),
            Err(error) => Err(convert("DescribeServices", error)),
        }
    }

    /// Creates a service that runs `spec`. The client token makes a repeated call answer the first one's service.
    ///
    /// # Errors
    /// What ECS refuses for good.
    pub async fn service_create(
        &self,
        name: &ResourceName,
        tags: &Tags,
        client_token: &str,
        spec: &Spec,
        target_group: &str,
    ) -> Result<ServiceCreated, Error> {
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(spec.network.subnets.clone()))
            .set_security_groups(Some(spec.network.security_groups.clone()))
            .assign_public_ip(if spec.network.assign_public_ip {
                AssignPublicIp::Enabled
            } else {
                AssignPublicIp::Disabled
            })
            .build()
            .map_err(Error::internal)?;
        let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(true).build();
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let created = self
            .clients
            .ecs
            .create_service()
            .cluster(&spec.cluster)
            .service_name(name.as_str())
            .client_token(client_token)
            .task_definition(&spec.task_definition)
            .desired_count(i32::try_from(spec.desired_count).map_err(Error::internal)?)
            .launch_type(LaunchType::Fargate)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            .load_balancers(
                LoadBalancer::builder()
                    .target_group_arn(target_group)
                    .container_name(&spec.container.name)
                    .container_port(i32::from(spec.container.port))
                    .build(),
            )
            .health_check_grace_period_seconds(HEALTH_CHECK_GRACE_SECONDS)
            .deployment_configuration(DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build())
            .propagate_tags(PropagateTags::Service)
            .set_tags(Some(tags.collect()))
            .send()
            .await;
        match created {
            Ok(reply) => reply
                .service()
                .and_then(|service| service.service_arn())
                .map(|arn| ServiceCreated::Created(arn.to_owned()))
                .ok_or_else(|| Error::internal("CreateService answered no service")),
            Err(error) if is_not_yet(message(&error)) => Ok(ServiceCreated::NotYet(message(&error).to_owned())),
            Err(error) => Err(convert("CreateService", error)),
        }
    }

    /// Deletes `service` (a name or an ARN) of `cluster` and stops its tasks; "not there" is success.
    ///
    /// # Errors
    /// What ECS refuses.
    pub async fn service_delete(&self, cluster: &str, service: &str) -> Result<(), Error> {
        let deleted = self.clients.ecs.delete_service().cluster(cluster).service(service).force(true).send().await;
        match deleted {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(
                    code(&error),
                    Some("ServiceNotFoundException" | "ServiceNotActiveException" | "ClusterNotFoundException")
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(convert("DeleteService", error)),
        }
    }
}

/// Refusals of CreateService that pass by themselves (docs/aws.md#creating-a-service).
fn is_not_yet(message: &str) -> bool {
    message.contains("does not have an associated load balancer")
        || message.contains("Unable to assume the service linked role")
        || message.contains("verify that the ECS service role being passed has the proper permissions")
        || message.contains("still Draining")
}

fn understood(described: &Described) -> Service {
    let failed = described
        .deployments()
        .iter()
        .find(|deployment| deployment.rollout_state() == Some(&DeploymentRolloutState::Failed))
        .map(|deployment| deployment.rollout_state_reason().unwrap_or("the deployment failed").to_owned());
    Service {
        arn: described.service_arn().unwrap_or_default().to_owned(),
        status: described.status().unwrap_or_default().to_owned(),
        running: described.running_count(),
        desired: described.desired_count(),
        failed,
        events: described.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect(),
    }
}
