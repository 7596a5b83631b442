//! A request resolved against its task definition and the deployment's settings: defaults filled in, a family pinned to
//! its revision, container and port chosen. Refuses what does not fit the task definition.

use crate::error::Error;
use crate::ids::Team;
use crate::limits;
use crate::settings::Settings;
use crate::spec::{Container, HealthCheck, Network, RestApiSpec, Spec};
use crate::task_definition::TaskDefinition;

use super::EnvironmentRequest;

impl EnvironmentRequest {
    /// Resolves the request of `team` against its task definition and the deployment's settings.
    ///
    /// # Errors
    /// `Unprocessable`: the deployment's limits exclude something, the task definition is inactive or not for Fargate, the
    /// container or port is not in it, or there is more than one to choose from.
    pub fn resolve(&self, team: &Team, task_definition: TaskDefinition, settings: &Settings) -> Result<Spec, Error> {
        let network = self.network(settings);
        // First of all: what stands in another team's task definition must not show.
        let mut excluded = settings.limits.check_task_definition(team, &task_definition);
        excluded.extend(settings.limits.check_network(&network));
        excluded.extend(self.access.iter().flat_map(|access| settings.access.check(access)));
        limits::refuse(excluded)?;
        if !task_definition.active {
            return Err(Error::unprocessable(
                "task_definition_inactive",
                "/task_definition",
                format!(
                    "{} is not ACTIVE. Name an active revision, or the family alone for its newest one.",
                    task_definition.arn
                ),
            ));
        }
        if !task_definition.fargate {
            return Err(Error::unprocessable(
                "task_definition_not_fargate",
                "/task_definition",
                format!(
                    "{} cannot run on Fargate. Register a revision with networkMode awsvpc and requiresCompatibilities FARGATE.",
                    task_definition.arn
                ),
            ));
        }
        let container = self.choose_container(&task_definition)?;
        Ok(Spec {
            task_definition: task_definition.arn,
            deployment: settings.deployment.clone(),
            cluster: settings.cluster.clone(),
            container,
            desired_count: self.desired_count.0,
            health_check: HealthCheck { path: self.health_check.path.0.clone() },
            network,
            topology: self.topology,
            api: RestApiSpec { kind: self.api.kind, stage: self.api.stage.0.clone() },
            access: settings.access.resolve(self.access.as_ref()),
            throttle: settings.throttle,
        })
    }

    fn network(&self, settings: &Settings) -> Network {
        Network {
            subnets: match &self.network.subnets {
                Some(ids) => ids.iter().map(|id| id.0.clone()).collect(),
                None => settings.subnets.clone(),
            },
            security_groups: match &self.network.security_groups {
                Some(ids) => ids.iter().map(|id| id.0.clone()).collect(),
                None => settings.security_groups.clone(),
            },
            assign_public_ip: self.network.assign_public_ip,
        }
    }

    fn choose_container(&self, task_definition: &TaskDefinition) -> Result<Container, Error> {
        let names: Vec<&str> = task_definition.containers.iter().map(|(name, _)| name.as_str()).collect();
        let (name, ports) = match self.container.name.as_ref().map(|name| &name.0) {
            Some(name) => task_definition.containers.iter().find(|(other, _)| other == name).ok_or_else(|| {
                Error::unprocessable(
                    "container_not_found",
                    "/container/name",
                    format!(
                        "{} has no container {name:?}. Name one that it has: {}.",
                        task_definition.arn,
                        names.join(", ")
                    ),
                )
            })?,
            None => match task_definition
                .containers
                .iter()
                .filter(|(_, ports)| !ports.is_empty())
                .collect::<Vec<_>>()
                .as_slice()
            {
                [only] => *only,
                [] => return Err(no_port(task_definition)),
                _ => {
                    return Err(Error::unprocessable(
                        "container_ambiguous",
                        "/container/name",
                        format!(
                            "{} has several containers. Set container.name to the one that answers requests: {}.",
                            task_definition.arn,
                            names.join(", ")
                        ),
                    ));
                }
            },
        };
        let port = match (self.container.port.map(|port| port.0), ports.as_slice()) {
            (Some(port), ports) if ports.contains(&port) => port,
            (Some(port), ports) => {
                return Err(Error::unprocessable(
                    "port_not_found",
                    "/container/port",
                    format!(
                        "Container {name:?} of {} does not map port {port}. Set container.port to one that it maps: {ports:?}.",
                        task_definition.arn
                    ),
                ));
            }
            (None, [only]) => *only,
            (None, []) => return Err(no_port(task_definition)),
            (None, ports) => {
                return Err(Error::unprocessable(
                    "port_ambiguous",
                    "/container/port",
                    format!(
                        "Container {name:?} of {} maps several ports. Set container.port to the one that answers requests: {ports:?}.",
                        task_definition.arn
                    ),
                ));
            }
        };
        Ok(Container { name: name.clone(), port })
    }
}

fn no_port(task_definition: &TaskDefinition) -> Error {
    Error::unprocessable(
        "port_not_found",
        "/container/port",
        format!("{} maps no container port. Register a revision with a portMapping.", task_definition.arn),
    )
}
