//! The API's paths.

mod access;
mod auth;
mod authors;
mod cors;
mod create;
mod delete;
mod events;
mod extend;
mod get;
mod headers;
mod identities;
mod list;
mod retention;
mod retry;
mod unreadable;

use http::{Method, Request};
use serde_json::Value;
use tests::{Reply, World};

/// `GET path` as `team`.
async fn get(world: &World, team: &str, path: &str) -> Reply {
    world.call(team, Method::GET, path, &Value::Null).await
}

/// A request with exactly these headers.
async fn send(world: &World, method: &Method, path: &str, headers: &[(&str, &[u8])], body: &str) -> Reply {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    world.send(request.body(body.to_owned()).expect("a request")).await
}

/// The names of the executions there are.
fn executions(world: &World) -> Vec<String> {
    let machine = world.system.states.call("ListStateMachines", &serde_json::json!({})).expect("state machines");
    let arn = &machine["stateMachines"][0]["stateMachineArn"];
    let list = world.system.states.call("ListExecutions", &serde_json::json!({"stateMachineArn": arn}));
    let list = list.expect("executions");
    let names = list["executions"].as_array().expect("executions").iter();
    names.map(|execution| execution["name"].as_str().expect("a name").to_owned()).collect()
}
