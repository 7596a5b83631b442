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
use serde_json::{Value, json};
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

/// A request for each path of the environment `id`.
fn requests_for(id: &str) -> [(Method, String, Value); 5] {
    let path = format!("/environments/{id}");
    [
        (Method::GET, path.clone(), Value::Null),
        (Method::DELETE, path.clone(), Value::Null),
        (Method::GET, format!("{path}/events"), Value::Null),
        (Method::POST, format!("{path}/retry"), Value::Null),
        (Method::POST, format!("{path}/extend"), json!({"ttl": "9h"})),
    ]
}
