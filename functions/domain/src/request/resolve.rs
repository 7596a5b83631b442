//! A request resolved against its task definition and the deployment's settings: defaults filled in, a family pinned to
//! its revision, container and port chosen. Refuses what does not fit the task definition.

use std::collections::BTreeSet;

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

    /// The container and port of the request. A part that is left out is taken from the task definition when just one fits.
    fn choose_container(&self, task_definition: &TaskDefinition) -> Result<Container, Error> {
        let arn = &task_definition.arn;
        let containers = &task_definition.containers;
        let mut mapped: Vec<(&str, u16)> =
            containers.iter().flat_map(|(name, ports)| ports.iter().map(move |port| (name.as_str(), *port))).collect();
        // ECS may show one port twice.
        let mut seen = BTreeSet::new();
        mapped.retain(|pair| seen.insert(*pair));
        let name = self.container.name.as_ref().map(|name| name.0.as_str());
        let port = self.container.port.map(|port| port.0);
        if let Some(name) = name
            && containers.iter().all(|(other, _)| other != name)
        {
            let names: Vec<&str> = containers.iter().map(|(name, _)| name.as_str()).collect();
            let names = names.join(", ");
            return Err(Error::unprocessable(
                "container_not_found",
                "/container/name",
                format!("{arn} has no container {name:?}. Name one that it has: {names}."),
            ));
        }
        let fits = |(other, mapped): &&(&str, u16)| {
            name.is_none_or(|name| name == *other) && port.is_none_or(|port| port == *mapped)
        };
        let fitting: Vec<(&str, u16)> = mapped.iter().filter(fits).copied().collect();
        match fitting.as_slice() {
            [(name, port)] => Ok(Container { name: (*name).to_owned(), port: *port }),
            [] if mapped.is_empty() => Err(Error::unprocessable(
                "port_not_found",
                "/container/port",
                format!("{arn} maps no TCP port. Register a revision with a portMapping whose protocol is tcp."),
            )),
            [] => Err(Error::unprocessable(
                "port_not_found",
                "/container/port",
                format!("{arn} does not map {} over TCP. {}", wanted(name, port), choice(&mapped)),
            )),
            [(first, _), others @ ..] if others.iter().all(|(other, _)| other == first) => Err(Error::unprocessable(
                "port_ambiguous",
                "/container/port",
                format!("Container {first:?} of {arn} maps several TCP ports. {}", choice(&fitting)),
            )),
            _ => Err(Error::unprocessable(
                "container_ambiguous",
                "/container/name",
                format!("Several containers of {arn} map a TCP port. {}", choice(&fitting)),
            )),
        }
    }
}

/// The part of the request that no mapping fits.
fn wanted(name: Option<&str>, port: Option<u16>) -> String {
    match (name, port) {
        (Some(name), Some(port)) => format!("port {port} of container {name:?}"),
        (Some(name), None) => format!("any port of container {name:?}"),
        (None, Some(port)) => format!("port {port}"),
        (None, None) => "a port".to_owned(),
    }
}

/// What to set instead.
fn choice(mapped: &[(&str, u16)]) -> String {
    let pairs: Vec<String> = mapped.iter().map(|(name, port)| format!("{name}:{port}")).collect();
    format!("Set container.name and container.port to one of these: {}.", pairs.join(", "))
}
