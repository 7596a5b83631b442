//! `POST /environments`: the body and its rules. `resolve` checks it against the task definition. Everything that can be
//! refused is refused in this folder, before anything is recorded.

mod integer;
mod resolve;
mod schema;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Deserializer, Value};
use utoipa::ToSchema;

use crate::error::{Error, Field};
use crate::ids::is_label;
use crate::lifetime::Lifetime;
use crate::spec::{RestApiKind, Topology};

pub use resolve::TaskDefinition;

/// What a caller asks for. Only `name` and `task_definition` are required.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRequest {
    /// Its name: 1 to 40 lower-case letters, digits and inner hyphens, unique in the team.
    #[schema(
        min_length = 1,
        max_length = 40,
        pattern = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$",
        examples("orders-pr-42")
    )]
    pub name: String,
    /// An existing task definition: `family` (its newest ACTIVE revision, which is pinned), `family:revision`, or an ARN.
    #[schema(min_length = 1, max_length = 512, pattern = "^[!-~]+$", examples("hello"))]
    pub task_definition: String,
    /// The container and port that answer. Taken from the task definition when it has just one.
    #[serde(default)]
    pub container: ContainerRequest,
    /// How many tasks, 1 to 100.
    #[serde(default = "one", deserialize_with = "integer::number")]
    #[schema(minimum = 1, maximum = 100, default = 1)]
    pub desired_count: u32,
    /// How the load balancer tells that a task is healthy.
    #[serde(default)]
    pub health_check: HealthCheckRequest,
    /// Where it stands. The deployment's subnets and security groups when left out.
    #[serde(default)]
    pub network: NetworkRequest,
    /// What is shared with other environments.
    #[serde(default = "dedicated")]
    #[schema(default = "dedicated")]
    pub topology: Topology,
    /// The REST API in front.
    #[serde(default)]
    pub api: ApiRequest,
    /// How long it lives, from now on: a number and a unit (`s`, `m`, `h`, `d`), from `1m` to `365d`. When it is over, the
    /// environment is deleted. The deployment's default when left out.
    #[serde(default)]
    pub ttl: Option<Lifetime>,
    /// Your own marks: at most 20, keys to 64 and values to 256 characters.
    #[serde(default)]
    #[schema(schema_with = schema::labels)]
    pub labels: BTreeMap<String, String>,
}

/// The container and port that answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerRequest {
    /// The container's name in the task definition.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// The container's port.
    #[serde(default, deserialize_with = "integer::optional")]
    #[schema(minimum = 1, maximum = 65535)]
    pub port: Option<u16>,
}

/// How the load balancer tells that a task is healthy.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheckRequest {
    /// The path that answers 200 to 399. Not `/ping` and `/sping`: API Gateway answers these itself.
    #[serde(default = "root")]
    #[schema(default = "/", max_length = 1024, pattern = "^/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$")]
    pub path: String,
}

/// Where load balancer and tasks stand.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkRequest {
    /// Subnets, at most one per availability zone.
    #[schema(schema_with = schema::subnets)]
    pub subnets: Option<Vec<String>>,
    /// Security groups, at most 5.
    #[schema(schema_with = schema::security_groups)]
    pub security_groups: Option<Vec<String>>,
    /// Whether tasks get a public address.
    #[serde(default)]
    #[schema(default = false)]
    pub assign_public_ip: bool,
}

/// The REST API in front.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiRequest {
    /// Where it comes from.
    #[serde(default = "new_api")]
    #[schema(default = "new")]
    pub kind: RestApiKind,
    /// The stage's name: 1 to 128 letters, digits, hyphens and underscores.
    #[serde(default = "live")]
    #[schema(default = "live", min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-]+$")]
    pub stage: String,
}

fn one() -> u32 {
    1
}

fn dedicated() -> Topology {
    Topology::Dedicated
}

fn root() -> String {
    "/".to_owned()
}

fn new_api() -> RestApiKind {
    RestApiKind::New
}

fn live() -> String {
    "live".to_owned()
}

impl Default for HealthCheckRequest {
    fn default() -> Self {
        Self { path: root() }
    }
}

impl Default for ApiRequest {
    fn default() -> Self {
        Self { kind: new_api(), stage: live() }
    }
}

/// More time for an environment.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// How long it lives from now on.
    pub ttl: Lifetime,
}

impl ExtendRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// `Invalid` with a pointer to the place: `malformed_json`, `invalid_request`.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        parse(body, &["/ttl"])
    }
}

impl EnvironmentRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// `Invalid` with a pointer to the place: `malformed_json`, `invalid_request`.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        let request: Self = parse(body, &["/name", "/task_definition"])?;
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), Error> {
        let mut fields = Vec::new();
        let mut wrong = |pointer: &str, message: &str| {
            fields.push(Field { pointer: pointer.to_owned(), message: message.to_owned() });
        };
        if !is_label(&self.name, 40) {
            wrong("/name", "must be 1 to 40 lower-case letters, digits and inner hyphens");
        }
        if self.task_definition.is_empty() || self.task_definition.len() > 512 || !visible(&self.task_definition) {
            wrong("/task_definition", "must be a family, family:revision or task definition ARN");
        }
        if self.container.name.as_deref().is_some_and(|name| name.is_empty() || name.chars().count() > 255) {
            wrong("/container/name", "must be 1 to 255 characters");
        }
        if self.container.port == Some(0) {
            wrong("/container/port", "must be 1 to 65535");
        }
        if !(1..=100).contains(&self.desired_count) {
            wrong("/desired_count", "must be 1 to 100");
        }
        let path = &self.health_check.path;
        if !path.starts_with('/') || path.len() > 1024 || !path.bytes().all(is_path) {
            wrong(
                "/health_check/path",
                "must begin with / and have 1 to 1024 characters that a URL's path and query may have",
            );
        } else if matches!(path.split('?').next(), Some("/ping" | "/sping")) {
            wrong("/health_check/path", "must not be /ping or /sping: API Gateway answers these itself");
        }
        if let Some(subnets) = &self.network.subnets {
            if subnets.is_empty() || subnets.len() > 16 {
                wrong("/network/subnets", "must have 1 to 16 entries");
            }
            for index in repeated(subnets) {
                wrong(&format!("/network/subnets/{index}"), "must not be there twice");
            }
            for (index, id) in subnets.iter().enumerate().filter(|(_, id)| !is_aws_id(id, "subnet-")) {
                wrong(
                    &format!("/network/subnets/{index}"),
                    &format!("must be a subnet id like subnet-0123456789abcdef0, not {id:?}"),
                );
            }
        }
        if let Some(groups) = &self.network.security_groups {
            if groups.len() > 5 {
                wrong("/network/security_groups", "must have at most 5 entries");
            }
            for index in repeated(groups) {
                wrong(&format!("/network/security_groups/{index}"), "must not be there twice");
            }
            for (index, id) in groups.iter().enumerate().filter(|(_, id)| !is_aws_id(id, "sg-")) {
                wrong(
                    &format!("/network/security_groups/{index}"),
                    &format!("must be a security group id like sg-0123456789abcdef0, not {id:?}"),
                );
            }
        }
        let stage = &self.api.stage;
        let stage_letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if stage.is_empty() || stage.len() > 128 || !stage.bytes().all(stage_letters) {
            wrong("/api/stage", "must be 1 to 128 letters, digits, hyphens and underscores");
        }
        if self.labels.len() > 20 {
            wrong("/labels", "must have at most 20 entries");
        }
        for (key, value) in &self.labels {
            if key.is_empty() || key.chars().count() > 64 || value.chars().count() > 256 {
                wrong(&format!("/labels/{}", escape(key)), "keys must be 1 to 64 characters, values at most 256");
            }
        }
        if fields.is_empty() { Ok(()) } else { Err(invalid_request(fields)) }
    }
}

/// What may stand in a path and query (RFC 3986); no fragment.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~!$&'()*+,;=:@%/?-".contains(&byte)
}

fn visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_aws_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// A key as a segment of a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A body with these required members.
fn parse<T: serde::de::DeserializeOwned>(body: &[u8], required: &[&str]) -> Result<T, Error> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Error::invalid("malformed_json", "", format!("The body must be a JSON object: {error}.")))?;
    check_shape(&value, required)?;
    // From the text, not from `value`, in which a key that stands there twice has become one.
    serde_path_to_error::deserialize(&mut Deserializer::from_slice(body)).map_err(|error| {
        let pointer = pointer(error.path());
        let message = error.into_inner().to_string();
        // Where serde_json stood in the text: the pointer says it better.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned();
        invalid_request(vec![Field { pointer, message }])
    })
}

/// Checks what serde is too kind about: it takes an array of its fields for an object, and an object with the word as its
/// key for a word; and it names one missing field, without its place.
fn check_shape(body: &Value, required: &[&str]) -> Result<(), Error> {
    const OBJECTS: [&str; 5] = ["", "/container", "/health_check", "/network", "/api"];
    const WORDS: [&str; 2] = ["/topology", "/api/kind"];
    let field = |pointer: &str, message: &str| Field { pointer: pointer.to_owned(), message: message.to_owned() };
    let mut fields = Vec::new();
    for pointer in OBJECTS {
        if body.pointer(pointer).is_some_and(|value| !value.is_object()) {
            fields.push(field(pointer, "must be a JSON object"));
        }
    }
    for pointer in WORDS {
        if body.pointer(pointer).is_some_and(|value| !value.is_string()) {
            fields.push(field(pointer, "must be a string"));
        }
    }
    for pointer in required {
        if body.is_object() && body.pointer(pointer).is_none() {
            fields.push(field(pointer, "is required"));
        }
    }
    if fields.is_empty() { Ok(()) } else { Err(invalid_request(fields)) }
}

/// The error that lists these bad places.
fn invalid_request(fields: Vec<Field>) -> Error {
    let message = match fields.as_slice() {
        [Field { pointer, message }] if pointer.is_empty() => format!("The body {message}."),
        [Field { pointer, message }] => format!("{pointer}: {message}."),
        several => format!("{} fields are wrong; `errors` lists them.", several.len()),
    };
    Error::Invalid { code: "invalid_request", message, fields }
}

/// Where an entry stands that is there before already.
fn repeated(entries: &[String]) -> impl Iterator<Item = usize> {
    let before = |index: usize| entries.iter().take(index);
    entries
        .iter()
        .enumerate()
        .filter(move |(index, entry)| before(*index).any(|other| other == *entry))
        .map(|(index, _)| index)
}
