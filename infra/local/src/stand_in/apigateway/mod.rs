//! API Gateway v1 (REST APIs and V1 VPC links): its state, its events, and which function answers which operation.
//!
//! `route` tells operations from method and path; `apis`, `methods`, `integrations`, `deployments`, `links`, `tags` answer them; `model`
//! is what they keep; `patch` and `wire` are what they share. The data path is `invoke` and `send` (with
//! `matching` and `failure`).

mod apis;
mod deployments;
mod failure;
mod integrations;
mod invoke;
mod links;
mod matching;
mod methods;
pub mod model;
mod patch;
mod route;
mod send;
mod tags;
mod wire;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::Refusal;
use super::sim::Sim;

pub use invoke::{invoke, stage_of};
pub use model::{Deployment, Integration, Live, Method, Resource, RestApi, Stage, VpcLink};
pub use route::route;

/// Everything API Gateway holds.
#[derive(Default, Serialize, Deserialize)]
pub struct ApiGateway {
    /// REST APIs by id.
    pub apis: BTreeMap<String, RestApi>,
    /// V1 VPC links by id.
    pub vpc_links: BTreeMap<String, VpcLink>,
    /// How often a stage was created, re-pointed or given other variables.
    stage_changes: u64,
}

/// What happens in API Gateway by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A pending VPC link becomes available, or fails.
    LinkSettled {
        /// The link's id.
        link: String,
    },
    /// A VPC link that was being deleted is gone.
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
        /// What it answers with.
        live: Live,
    },
}

/// One API call: the status of the reply, and its body.
///
/// # Errors
/// What AWS refuses, as docs/aws.md#api-gateway has it.
pub fn call(sim: &mut Sim, operation: &str, input: &Value) -> Result<(u16, Value), Refusal> {
    match operation {
        "CreateRestApi" => apis::create(sim, input),
        "GetRestApis" => apis::list(sim, input),
        "GetRestApi" => apis::get(sim, input),
        "UpdateRestApi" => apis::update(sim, input),
        "DeleteRestApi" => apis::delete(sim, input),
        "GetAccount" => Ok((200, apis::account())),
        "GetResources" => apis::list_resources(sim, input),
        "GetResource" => apis::get_resource(sim, input),
        "CreateResource" => apis::create_resource(sim, input),
        "DeleteResource" => apis::delete_resource(sim, input),
        "PutMethod" => methods::put(sim, input),
        "GetMethod" => methods::get(sim, input),
        "UpdateMethod" => methods::update(sim, input),
        "DeleteMethod" => methods::delete(sim, input),
        "PutMethodResponse" => methods::put_response(sim, input),
        "PutIntegration" => integrations::put(sim, input),
        "GetIntegration" => integrations::get(sim, input),
        "UpdateIntegration" => integrations::update(sim, input),
        "DeleteIntegration" => integrations::delete(sim, input),
        "PutIntegrationResponse" => integrations::put_response(sim, input),
        "CreateDeployment" => deployments::create(sim, input),
        "GetDeployments" => deployments::list(sim, input),
        "GetDeployment" => deployments::get(sim, input),
        "DeleteDeployment" => deployments::delete(sim, input),
        "CreateStage" => deployments::create_stage(sim, input),
        "GetStages" => deployments::list_stages(sim, input),
        "GetStage" => deployments::get_stage(sim, input),
        "UpdateStage" => deployments::update_stage(sim, input),
        "DeleteStage" => deployments::delete_stage(sim, input),
        "CreateVpcLink" => links::create(sim, input),
        "GetVpcLinks" => links::list(sim, input),
        "GetVpcLink" => links::get(sim, input),
        "UpdateVpcLink" => links::update(sim, input),
        "DeleteVpcLink" => links::delete(sim, input),
        "TagResource" => tags::tag(sim, input),
        "UntagResource" => tags::untag(sim, input),
        "GetTags" => tags::get(sim, input),
        _ => Err(wire::bad(format!("berth-local does not play {operation}"))),
    }
}

/// A VPC link that is being made will come up FAILED, with this message.
pub(super) fn doom(sim: &mut Sim, link: &str, why: &str) {
    links::doom(sim, link, why);
}

/// An event is due.
pub fn happen(sim: &mut Sim, event: Event) {
    match event {
        Event::LinkSettled { link } => links::settle(sim, &link),
        Event::LinkGone { link } => links::vanish(sim, &link),
        Event::StageLive { api, stage, live } => deployments::go_live(sim, &api, &stage, live),
    }
}
