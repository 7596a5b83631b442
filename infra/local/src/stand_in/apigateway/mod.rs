//! API Gateway v1 (REST APIs and V1 VPC links): its state, its events, and which function answers which operation.
//!
//! `route` finds the operation of a request; `apis`, `methods`, `integrations`, `deployments`, `stages`
//! (`method_settings`), `export`, `links` and `tags` answer the operations. `model` is their state, `patch` and `wire` are
//! what they share. The data path is `invoke` and `send`, with `admission` (`sigv4`, `resource_policy`), `matching`,
//! `encoding`, `headers` and `gateway_response`; `test_invoke` uses it too.

mod admission;
mod apis;
mod deployments;
mod encoding;
mod export;
mod gateway_response;
mod headers;
mod integrations;
mod invoke;
mod links;
mod matching;
mod method_settings;
mod methods;
pub mod model;
mod patch;
mod rates;
mod resource_policy;
mod route;
mod send;
mod sigv4;
mod stages;
mod tags;
mod test_invoke;
mod unplayed_routes;
mod wire;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::Account;
use super::read_lag::Unseen;
use super::refusal::Refusal;
use super::service::{AwsService, Calls, Errors, Handler, NetworkCall, OddsOf, Protocol, Provisioned, Reply};
use crate::stored::{Rows, Stored, StoredRows};

pub use admission::SourceIp;
pub use gateway_response::forbidden;
pub use invoke::{invoke, stage_of};
pub use model::{Deployment, Integration, Live, Method, Resource, RestApi, Stage, VpcLink};

/// API Gateway.
pub static SERVICE: AwsService = AwsService {
    prefix: "apigateway",
    protocol: Protocol::Rest { route: route::route },
    handler: Handler::Account(Calls {
        call,
        bucket: rates::bucket,
        network: Some(NetworkCall { operation: "TestInvokeMethod", call: test_invoke::call }),
    }),
    errors: Errors {
        throttled: (429, "TooManyRequestsException", "Too Many Requests"),
        unavailable: (503, "ServiceUnavailableException"),
        denied: (403, "AccessDeniedException"),
    },
    odds: Some(OddsOf::Resources),
    conflict: Some(concurrent_modification),
    provisioned: Some(Provisioned {
        operation: "CreateVpcLink",
        fail_when_ready: |account, reply, why| {
            links::fail_when_ready(account, reply["id"].as_str().unwrap_or_default(), why);
        },
    }),
};

/// The error of API Gateway for two concurrent writes (docs/aws.md#retry-or-give-up).
#[must_use]
pub fn concurrent_modification() -> Refusal {
    let message = "Unable to complete operation due to concurrent modification. Please try again later.";
    Refusal::new(409, "ConflictException", message)
}

/// Everything API Gateway holds.
#[derive(Default, Serialize, Deserialize)]
pub struct ApiGateway {
    /// REST APIs by id.
    #[serde(skip)]
    pub apis: Stored<String, RestApi>,
    /// V1 VPC links by id.
    #[serde(skip)]
    pub vpc_links: Stored<String, VpcLink>,
    /// The number of changes of stages: creations, other deployments, other variables.
    stage_changes: u64,
}

/// The resources that reads do not see yet.
pub(super) struct Taken {
    apis: BTreeMap<String, RestApi>,
    vpc_links: BTreeMap<String, VpcLink>,
}

impl ApiGateway {
    /// Takes out the resources that reads do not see yet.
    pub(super) fn take_unseen(&mut self, unseen: &Unseen) -> Taken {
        Taken { apis: unseen.out_of(self.apis.untouched()), vpc_links: unseen.out_of(self.vpc_links.untouched()) }
    }

    /// Puts back what was taken out.
    pub(super) fn give_back(&mut self, taken: Taken) {
        self.apis.untouched().extend(taken.apis);
        self.vpc_links.untouched().extend(taken.vpc_links);
    }

    /// Adds the rows of what was touched.
    pub(super) fn take_rows(&mut self, rows: &mut Rows) {
        self.apis.take_rows("REST API", rows);
        self.vpc_links.take_rows("VPC link", rows);
    }

    /// Reads back what was stored.
    pub(super) fn read_rows(&mut self, rows: &mut StoredRows) -> Result<(), String> {
        self.apis = Stored::read("REST API", rows)?;
        self.vpc_links = Stored::read("VPC link", rows)?;
        Ok(())
    }
}

/// The scheduled events of API Gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A pending VPC link becomes available, or fails.
    LinkProvisioned {
        /// The link's id.
        link: String,
    },
    /// The deletion of a VPC link ends.
    LinkGone {
        /// The link's id.
        link: String,
    },
    /// A stage answers with this deployment and these variables.
    StageLive {
        /// The API's id.
        api: String,
        /// The stage's name.
        stage: String,
        /// The deployment and variables.
        live: Live,
    },
}

/// One API call: the status of the reply, and its body.
///
/// # Errors
/// AWS's errors (docs/aws.md#api-gateway).
pub fn call(account: &mut Account, operation: &str, input: &Value) -> Result<Reply, Refusal> {
    match operation {
        "CreateRestApi" => apis::create(account, input),
        "GetRestApis" => apis::list(account, input),
        "GetRestApi" => apis::get(account, input),
        "UpdateRestApi" => apis::update(account, input),
        "DeleteRestApi" => apis::delete(account, input),
        "GetAccount" => Ok((200, apis::account())),
        "GetResources" => apis::list_resources(account, input),
        "GetResource" => apis::get_resource(account, input),
        "CreateResource" => apis::create_resource(account, input),
        "DeleteResource" => apis::delete_resource(account, input),
        "PutMethod" => methods::put(account, input),
        "GetMethod" => methods::get(account, input),
        "UpdateMethod" => methods::update(account, input),
        "DeleteMethod" => methods::delete(account, input),
        // Its answer is the service's: `NetworkCall`.
        "TestInvokeMethod" => Ok((200, Value::Null)),
        "PutMethodResponse" => methods::put_response(account, input),
        "GetMethodResponse" => methods::get_response(account, input),
        "DeleteMethodResponse" => methods::delete_response(account, input),
        "PutIntegration" => integrations::put(account, input),
        "GetIntegration" => integrations::get(account, input),
        "UpdateIntegration" => integrations::update(account, input),
        "DeleteIntegration" => integrations::delete(account, input),
        "PutIntegrationResponse" => integrations::put_response(account, input),
        "GetIntegrationResponse" => integrations::get_response(account, input),
        "DeleteIntegrationResponse" => integrations::delete_response(account, input),
        "CreateDeployment" => deployments::create(account, input),
        "GetDeployments" => deployments::list(account, input),
        "GetDeployment" => deployments::get(account, input),
        "UpdateDeployment" => deployments::update(account, input),
        "DeleteDeployment" => deployments::delete(account, input),
        "CreateStage" => stages::create(account, input),
        "GetStages" => stages::list(account, input),
        "GetStage" => stages::get(account, input),
        "GetExport" => export::get(account, input),
        "UpdateStage" => stages::update(account, input),
        "DeleteStage" => stages::delete(account, input),
        "CreateVpcLink" => links::create(account, input),
        "GetVpcLinks" => links::list(account, input),
        "GetVpcLink" => links::get(account, input),
        "UpdateVpcLink" => links::update(account, input),
        "DeleteVpcLink" => links::delete(account, input),
        "TagResource" => tags::tag(account, input),
        "UntagResource" => tags::untag(account, input),
        "GetTags" => tags::get(account, input),
        route::V2 => Err(wire::not_played("API Gateway V2: HTTP APIs, WebSocket APIs and VPC links V2")),
        _ => Err(wire::not_played(operation)),
    }
}

/// Handles an event that is due.
pub fn handle_event(account: &mut Account, event: Event) {
    match event {
        Event::LinkProvisioned { link } => links::finish_provisioning(account, &link),
        Event::LinkGone { link } => links::remove(account, &link),
        Event::StageLive { api, stage, live } => stages::go_live(account, &api, &stage, live),
    }
}
