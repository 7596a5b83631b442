//! Task definitions: registered for Fargate, with one container on port 8000.

use berth_aws::sdk::RegisterTaskDefinition;
use berth_aws::sdk::ecs_types::builders::ContainerDefinitionBuilder;
use berth_aws::sdk::ecs_types::{Compatibility, ContainerDefinition, NetworkMode, PortMapping};

use crate::World;

/// The container `name` of `image` on port 8000.
#[must_use]
pub fn container(name: &str, image: &str) -> ContainerDefinitionBuilder {
    let port = PortMapping::builder().container_port(8000).build();
    ContainerDefinition::builder().name(name).image(image).port_mappings(port)
}

impl World {
    /// The call that registers `family` with this container.
    #[must_use]
    pub fn registration(&self, family: &str, container: ContainerDefinitionBuilder) -> RegisterTaskDefinition {
        let call =
            self.system.clients.ecs.register_task_definition().family(family).container_definitions(container.build());
        let call = call.network_mode(NetworkMode::Awsvpc).requires_compatibilities(Compatibility::Fargate);
        call.cpu("256").memory("512")
    }

    /// Registers `family` with one container `web` of `image`.
    pub async fn register(&self, family: &str, image: &str) {
        self.registration(family, container("web", image)).send().await.expect("a task definition");
    }
}
