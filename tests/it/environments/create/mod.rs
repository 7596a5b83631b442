//! `POST /environments`: what its tests share.

mod bodies;
mod containers;
mod faults;
mod limits;
mod repeats;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use berth_aws::sdk::ecs_types::{Compatibility, ContainerDefinition, NetworkMode, PortMapping, TransportProtocol};
use berth_domain::Step;
use berth_local::faults::Fault;
use berth_local::stand_in::refusal::Refusal;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{Reply, World};

use super::{get, send};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn post(world: &World, team: &str, body: &Value) -> Reply {
    world.call(team, Method::POST, "/environments", body).await
}

/// Posts `body` of team `demo` as it is.
async fn post_text(world: &World, body: &str) -> Reply {
    let token = format!("Bearer {}", world.token("demo"));
    send(world, &Method::POST, "/environments", &[("authorization", token.as_bytes())], body).await
}

/// Posts `body` of `subject` in `team` with an `Idempotency-Key`.
async fn post_with_key(world: &World, team: &str, subject: &str, key: &[u8], body: &Value) -> Reply {
    let token = format!("Bearer {}", world.token_of(team, subject));
    let headers = [("authorization", token.as_bytes()), ("idempotency-key", key)];
    send(world, &Method::POST, "/environments", &headers, &body.to_string()).await
}

/// A good request, changed in `members`.
fn request(members: Value) -> Value {
    let mut body = json!({"name": "orders", "task_definition": "hello"});
    let members = members.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(members);
    body
}

/// The ids of what `demo` has.
async fn ids(world: &World) -> Vec<String> {
    let list = get(world, "demo", "/environments?limit=100").await.expect(200).body;
    let environments = list["environments"].as_array().expect("environments").iter();
    environments.map(|environment| environment["id"].as_str().expect("an id").to_owned()).collect()
}

/// Nothing is recorded, no workflow was started, and the name is free.
async fn assert_nothing_came_of_it(world: &World) {
    let journal = world.faults().journal();
    let written = |(operation, _): &&(String, u64)| {
        ["dynamodb:TransactWriteItems", "dynamodb:PutItem", "states:StartExecution"].contains(&operation.as_str())
    };
    assert_eq!(journal.iter().find(written), None);
    assert_eq!(ids(world).await, Vec::<String>::new());
    assert_eq!(world.executions().await, Vec::<String>::new());
    post(world, "demo", &request(json!({}))).await.expect(202);
}
