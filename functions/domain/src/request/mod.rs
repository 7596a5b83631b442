//! The bodies that callers send: `POST /environments` and `POST /environments/{id}/extend`. The rules of the values are in
//! `values`, the collecting of mistakes is in `reader` and their words in `scalar`. `reserved` refuses words that API Gateway
//! reserves, and `resolve` checks a request against its task definition. Everything that can be refused is refused in this
//! folder, before anything is recorded.

mod reader;
mod reserved;
mod resolve;
mod scalar;
mod values;

use std::collections::BTreeMap;

use utoipa::ToSchema;

use crate::access::{Access, AccessKind, Cidr};
use crate::error::Error;
use crate::lifetime::Lifetime;
use crate::spec::{RestApiKind, Topology};

use reader::Object;
use values::{
    ContainerName, DesiredCount, EnvironmentName, HealthCheckPath, LabelKey, LabelValue, Port, SecurityGroupId,
    StageName, SubnetId, TaskDefinitionName,
};

// `serde(deny_unknown_fields)` below is for `ToSchema`: the reader refuses unknown fields of every object.

/// The environment that a caller asks for. Only `name` and `task_definition` are required.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRequest {
    /// Names the environment; unique in the team among those that are not deleted.
    pub name: EnvironmentName,
    /// The task definition to run. It has to exist, to support Fargate, and to be your team's: its tag `berth:team` names the
    /// teams that may run it, separated by spaces, or `@all`.
    pub task_definition: TaskDefinitionName,
    /// The container and port that answer requests. Taken from the task definition when it has just one.
    #[schema(required = false)]
    pub container: ContainerRequest,
    /// How many tasks run, 1 to 100.
    #[schema(required = false, default = 1)]
    pub desired_count: DesiredCount,
    /// How the load balancer finds out that a task is healthy.
    #[schema(required = false)]
    pub health_check: HealthCheckRequest,
    /// The network of load balancer and tasks. The deployment's subnets and security groups when left out.
    #[schema(required = false)]
    pub network: NetworkRequest,
    /// Which AWS resources the environment shares with others.
    #[schema(required = false, default = "dedicated")]
    pub topology: Topology,
    /// The REST API in front of the service.
    #[schema(required = false)]
    pub api: ApiRequest,
    /// Who may reach the environment's URL; `None` for the deployment's default.
    #[schema(required = false, schema_with = values::access_schema)]
    pub access: Option<Access>,
    /// How long the environment lives, from now on: a number and a unit (`s`, `m`, `h`, `d`), from `1m` to `365d`. Berth
    /// deletes it afterwards. The deployment's default when left out.
    pub ttl: Option<Lifetime>,
    /// Labels of the caller's choice.
    #[schema(required = false, schema_with = values::labels_schema)]
    pub labels: BTreeMap<LabelKey, LabelValue>,
}

impl EnvironmentRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// `Invalid` with a pointer to each bad place: `malformed_json`, `invalid_request`. `Unprocessable` for a word that is
    /// reserved.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        let request = reader::read(body, |body| {
            let (name, task_definition) = (body.required("name"), body.required("task_definition"));
            Some(Self {
                container: body.object("container", ContainerRequest::read),
                desired_count: body.optional("desired_count"),
                health_check: body.object("health_check", HealthCheckRequest::read),
                network: body.object("network", NetworkRequest::read),
                topology: body.optional("topology"),
                api: body.object("api", ApiRequest::read),
                access: body.optional_object("access", read_access),
                ttl: body.optional("ttl"),
                labels: body.map("labels", values::MAX_LABELS),
                name: name?,
                task_definition: task_definition?,
            })
        })?;
        request.refuse_reserved()?;
        Ok(request)
    }

    /// The name as text.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name.0
    }

    /// The labels as text.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.labels.iter().map(|(key, value)| (key.0.clone(), value.0.clone())).collect()
    }
}

/// The container and port that answer requests.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerRequest {
    /// The container's name in the task definition. May be left out when only one container maps a port.
    pub name: Option<ContainerName>,
    /// A port that the container maps. May be left out when it maps just one.
    pub port: Option<Port>,
}

impl ContainerRequest {
    fn read(object: &mut Object<'_>) -> Self {
        Self { name: object.optional("name"), port: object.optional("port") }
    }
}

/// How the load balancer finds out that a task is healthy.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheckRequest {
    /// The path to request with GET. Not `/ping` and `/sping`: API Gateway reserves these.
    #[schema(required = false, default = "/")]
    pub path: HealthCheckPath,
}

impl HealthCheckRequest {
    fn read(object: &mut Object<'_>) -> Self {
        Self { path: object.optional("path") }
    }
}

/// The network of load balancer and tasks.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkRequest {
    /// The subnets; `None` for the deployment's.
    #[schema(schema_with = values::subnets_schema)]
    pub subnets: Option<Vec<SubnetId>>,
    /// The security groups; `None` for the deployment's.
    #[schema(schema_with = values::security_groups_schema)]
    pub security_groups: Option<Vec<SecurityGroupId>>,
    /// Whether tasks get a public IP address: needed only to pull images from a subnet without NAT. Only where the deployment
    /// allows it.
    #[schema(required = false, default = false)]
    pub assign_public_ip: bool,
}

impl NetworkRequest {
    fn read(object: &mut Object<'_>) -> Self {
        Self {
            subnets: object.list("subnets", &values::SUBNETS),
            security_groups: object.list("security_groups", &values::SECURITY_GROUPS),
            assign_public_ip: object.optional("assign_public_ip"),
        }
    }
}

/// The REST API in front of the service.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiRequest {
    /// Whether Berth creates the REST API.
    #[schema(required = false, default = "new")]
    pub kind: RestApiKind,
    /// The stage's name; it is the last part of the environment's URL.
    #[schema(required = false, default = "live")]
    pub stage: StageName,
}

impl ApiRequest {
    fn read(object: &mut Object<'_>) -> Self {
        Self { kind: object.optional("kind"), stage: object.optional("stage") }
    }
}

fn read_access(object: &mut Object<'_>) -> Option<Access> {
    match object.required("kind") {
        Some(AccessKind::Iam) => Some(Access::Iam),
        Some(AccessKind::Open) => Some(Access::Open),
        Some(AccessKind::Cidrs) => Some(Access::Cidrs { cidrs: object.required_list("cidrs", &values::CIDRS)? }),
        None => {
            // Read for its own mistakes: without a kind it is not unknown.
            object.list::<Cidr>("cidrs", &values::CIDRS);
            None
        }
    }
}

/// More time for an environment.
#[derive(Clone, Copy, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// How long the environment lives from now on.
    pub ttl: Lifetime,
}

impl ExtendRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// `Invalid` with a pointer to each bad place: `malformed_json`, `invalid_request`.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        reader::read(body, |body| Some(Self { ttl: body.required("ttl")? }))
    }
}
