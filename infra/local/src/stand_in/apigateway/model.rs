//! The state of API Gateway. Methods and integrations are stored as they are on the wire; the other resources are
//! written by the modules that answer their calls.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::method_settings::MethodSettings;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A REST API with everything in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RestApi {
    /// Its id.
    pub id: String,
    /// Its name, which need not be unique.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Its version, as its owner names it.
    pub version: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// Content types whose bodies are not text.
    pub binary_media_types: Vec<String>,
    /// `REGIONAL` or `EDGE`.
    pub endpoint_type: String,
    /// `ipv4` or `dualstack`, if it was named.
    pub ip_address_type: Option<String>,
    /// `AUTHORIZER`, if API keys come from an authorizer instead of a header.
    pub api_key_source: Option<String>,
    /// From how many bytes on payloads are compressed, if they are.
    pub minimum_compression_size: Option<u32>,
    /// Whether its default host name is disabled.
    pub disable_execute_api_endpoint: bool,
    /// Its resource policy, as it is stored; the next deployment captures it.
    pub policy: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The id of the resource `/`.
    pub root: String,
    /// The current definition, which the next deployment captures.
    pub resources: BTreeMap<String, Resource>,
    /// The deployments by id.
    pub deployments: BTreeMap<String, Deployment>,
    /// The stages by name.
    pub stages: BTreeMap<String, Stage>,
    /// VPC links that integrations named literally when their method or resource was deleted (a known issue of AWS).
    pub dangling: Vec<Dangling>,
}

impl RestApi {
    /// What the current definition says about payloads.
    #[must_use]
    pub fn payloads(&self) -> Payloads {
        Payloads {
            binary_media_types: self.binary_media_types.clone(),
            compressed: self.minimum_compression_size.is_some(),
        }
    }
}

/// What an API says about payloads; a deployment captures it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Payloads {
    /// Content types whose bodies are not text.
    pub binary_media_types: Vec<String>,
    /// Whether the gateway compresses and decompresses them.
    pub compressed: bool,
}

/// A VPC link that stays in use although the method that used it is deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dangling {
    /// The link's id.
    pub link: String,
    /// The deleted method.
    pub method: String,
    /// The id of its resource.
    pub resource: String,
}

/// A resource: one path of an API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// The id of the parent resource; `None` for `/`.
    pub parent: Option<String>,
    /// The last part of its path; `None` for `/`.
    pub part: Option<String>,
    /// Its whole path.
    pub path: String,
    /// Its methods.
    pub methods: BTreeMap<String, Method>,
}

/// A method of a resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    /// `GET`, … or `ANY`.
    pub http_method: String,
    /// `NONE` or `AWS_IAM`.
    pub authorization_type: String,
    /// Whether it requires an API key.
    pub api_key_required: bool,
    /// A name for generated SDKs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// The request parameters that it declares, and whether they are required.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_parameters: BTreeMap<String, bool>,
    /// Models by content type. They are not enforced, as there are no request validators.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_models: BTreeMap<String, String>,
    /// By status.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub method_responses: BTreeMap<String, MethodResponse>,
    /// The integration that answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_integration: Option<Integration>,
}

/// One status that a method may answer with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodResponse {
    /// The status.
    pub status_code: String,
    /// The headers that it declares.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub response_parameters: BTreeMap<String, bool>,
    /// Models by content type. They are not enforced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub response_models: BTreeMap<String, String>,
}

/// The integration of a method.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// `HTTP_PROXY`, `HTTP` or `MOCK`.
    pub r#type: String,
    /// The method of the request to the service; `ANY` passes the caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    /// The address of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// `INTERNET` or `VPC_LINK`; a mock has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_type: Option<String>,
    /// The VPC link, literally or through a stage variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// How parts of the caller's request become parts of the request to the service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_parameters: BTreeMap<String, String>,
    /// Bodies of the request by content type. A mock uses them, a proxy integration ignores them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub request_templates: BTreeMap<String, String>,
    /// How bodies without a matching template are handled.
    pub passthrough_behavior: String,
    /// How long the service may take.
    pub timeout_in_millis: u32,
    /// The resource's id, unless given.
    pub cache_namespace: String,
    /// Without effect: no stage has a cache.
    pub cache_key_parameters: Vec<String>,
    /// How payloads are converted; such a method answers nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_handling: Option<String>,
    /// The role for integrations with AWS services. Without effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Without effect: the stand-in speaks no TLS to integrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,
    /// `BUFFERED`, if it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_transfer_mode: Option<String>,
    /// By status.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub integration_responses: BTreeMap<String, IntegrationResponse>,
}

impl Integration {
    /// Whether it goes through a VPC link.
    #[must_use]
    pub fn uses_link(&self) -> bool {
        self.connection_type.as_deref() == Some("VPC_LINK")
    }

    /// The VPC link that it names literally.
    #[must_use]
    pub fn literal_link(&self) -> Option<&str> {
        self.connection_id.as_deref().filter(|id| self.uses_link() && !id.contains("${"))
    }
}

/// How the certificate of an HTTPS endpoint is checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsConfig {
    /// Whether its authority is not.
    #[serde(default)]
    pub insecure_skip_verification: bool,
}

/// What a non-proxy integration answers with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntegrationResponse {
    /// The status to the caller.
    pub status_code: String,
    /// The service's status that it applies to; without one it is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_pattern: Option<String>,
    /// Headers to the caller.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub response_parameters: BTreeMap<String, String>,
    /// Bodies to the caller by content type; literal text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub response_templates: BTreeMap<String, String>,
}

/// An immutable snapshot of an API's resources.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// Its description.
    pub description: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// The snapshot.
    pub resources: BTreeMap<String, Resource>,
    /// The resource policy of the snapshot.
    pub policy: Option<String>,
    /// What the snapshot says about payloads.
    pub payloads: Payloads,
    /// Whether it is deleted, while a stage still answers with it for a short time.
    pub deleted: bool,
}

/// A stage: where a deployment answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// Its name, the first part of its paths.
    pub name: String,
    /// The deployment that it points to.
    pub deployment: String,
    /// Its variables.
    pub variables: BTreeMap<String, String>,
    /// Its description.
    pub description: Option<String>,
    /// The settings of its methods by `path/METHOD`; those of `*/*` hold for the others.
    pub method_settings: BTreeMap<String, MethodSettings>,
    /// Whether X-Ray traces it. Without effect here.
    pub tracing_enabled: bool,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// The number of the change that created it.
    pub born: u64,
    /// Its current answers; `None` while it is new.
    pub live: Option<Live>,
    /// How long its last change takes to become effective (AWS time).
    pub live_latency: Duration,
}

/// The deployment and variables with which a stage answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The deployment's id.
    pub deployment: String,
    /// The stage's variables.
    pub variables: BTreeMap<String, String>,
    /// The number of the change that led to it.
    pub change: u64,
}

/// A VPC link's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LinkStatus {
    /// Being provisioned.
    Pending,
    /// Carries requests.
    Available,
    /// Could not be provisioned.
    Failed,
    /// Being deleted.
    Deleting,
}

/// A V1 VPC link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VpcLink {
    /// Its id.
    pub id: String,
    /// Its name, which need not be unique.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// The load balancer that it leads to.
    pub target: String,
    /// Its status.
    pub status: LinkStatus,
    /// Why the load balancer cannot be linked; then the link fails with this message.
    pub failure: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created: Timestamp,
    /// How long it takes until it is available, or has failed (AWS time).
    pub available_latency: Duration,
}
