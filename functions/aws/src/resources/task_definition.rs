//! Task definitions: what a request is checked against.

use aws_sdk_ecs::types::{PortMapping, TaskDefinitionField, TransportProtocol};
use berth_domain::task_definition::TaskDefinition;
use berth_domain::{Error, Team};

use super::Resources;
use crate::error::{code, convert, message};

impl Resources {
    /// Reads the task definition `name` with its tags: a family (its newest ACTIVE revision), `family:revision`, or an ARN.
    ///
    /// # Errors
    /// `Unprocessable` when ECS knows none of that name or refuses the name; `Unavailable` when ECS cannot be reached.
    pub async fn task_definition_get(&self, name: &str) -> Result<TaskDefinition, Error> {
        let describe = self.clients.ecs.describe_task_definition().task_definition(name);
        let reply = match describe.include(TaskDefinitionField::Tags).send().await {
            Ok(reply) => reply,
            // ECS has no code for "not there": it is one of the ClientExceptions (docs/aws.md#task-definitions).
            Err(error) if message(&error).starts_with("Unable to describe task definition") => {
                return Err(Error::unprocessable(
                    "task_definition_not_found",
                    "/task_definition",
                    format!(
                        "ECS has no task definition {name:?}. Register it, or name one that exists: a family, family:revision or ARN."
                    ),
                ));
            }
            Err(error) if matches!(code(&error), Some("ClientException" | "InvalidParameterException")) => {
                return Err(Error::unprocessable(
                    "task_definition_refused",
                    "/task_definition",
                    format!(
                        "ECS does not describe task definition {name:?}. ECS answers: {} Name a family, family:revision or ARN.",
                        message(&error)
                    ),
                ));
            }
            Err(error) => return Err(convert("DescribeTaskDefinition", error)),
        };
        let teams = reply.tags().iter().find(|tag| tag.key() == Some(Team::TAG));
        let teams = teams.map(|tag| tag.value().unwrap_or_default().to_owned());
        let found = reply.task_definition.ok_or_else(|| Error::internal("DescribeTaskDefinition answered nothing"))?;
        let containers = found
            .container_definitions()
            .iter()
            .map(|container| {
                let tcp = |mapping: &&PortMapping| mapping.protocol() != Some(&TransportProtocol::Udp);
                let mappings = container.port_mappings().iter().filter(tcp);
                let ports =
                    mappings.filter_map(|mapping| mapping.container_port().and_then(|port| u16::try_from(port).ok()));
                let ports = ports.collect();
                (container.name().unwrap_or_default().to_owned(), ports)
            })
            .collect();
        Ok(TaskDefinition {
            arn: found.task_definition_arn().unwrap_or_default().to_owned(),
            family: found.family().unwrap_or_default().to_owned(),
            teams,
            roles: [found.task_role_arn(), found.execution_role_arn()]
                .into_iter()
                .flatten()
                .map(str::to_owned)
                .collect(),
            active: found.status() == Some(&aws_sdk_ecs::types::TaskDefinitionStatus::Active),
            fargate: found.network_mode() == Some(&aws_sdk_ecs::types::NetworkMode::Awsvpc)
                && (found.requires_compatibilities().contains(&aws_sdk_ecs::types::Compatibility::Fargate)
                    || found.compatibilities().contains(&aws_sdk_ecs::types::Compatibility::Fargate)),
            containers,
        })
    }
}
