//! Task definitions: registered for Fargate, with one container on port 8000, or as any client may send them.

use berth_aws::sdk::RegisterTaskDefinition;
use berth_aws::sdk::ecs_types::builders::ContainerDefinitionBuilder;
use berth_aws::sdk::ecs_types::{Compatibility, ContainerDefinition, NetworkMode, PortMapping};

use berth_local::endpoint::Endpoint;
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::World;

/// A call of ECS on the wire (JSON 1.1), with members that the SDK may not know or not send: the status and the reply.
///
/// # Panics
/// When the reply is no JSON 1.1.
pub async fn call_ecs(endpoint: &Endpoint, operation: &str, input: &Value) -> (u16, Value) {
    let request = Request::post("/").header("x-amz-target", format!("AmazonEC2ContainerServiceV20141113.{operation}"));
    let request = request.body(Bytes::from(input.to_string())).expect("a request");
    let reply = endpoint.request(request).await.expect("a reply");
    assert_eq!(reply.headers()["content-type"], "application/x-amz-json-1.1");
    (reply.status().as_u16(), serde_json::from_slice(reply.body()).expect("JSON"))
}

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
