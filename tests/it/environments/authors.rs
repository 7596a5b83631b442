//! The history names who requested each change.

use std::time::Duration;

use http::{Method, Request};
use serde_json::{Value, json};
use tests::World;

/// A request of `subject` in team `demo`.
async fn ask(world: &World, subject: &str, method: Method, path: &str, body: &Value) -> Value {
    let token = world.token_of("demo", subject);
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = world.send(request.body(body).expect("a request")).await;
    assert!(reply.status < 300, "{}", reply.text);
    reply.body
}

/// What happened to the environment that is no step, and who requested it.
async fn history(world: &World, id: &str) -> Vec<String> {
    let events = world.events("demo", id).await;
    let told = |event: &&Value| event["type"] != "step";
    events
        .iter()
        .filter(told)
        .map(|event| {
            let what = event["status"].as_str().or(event["type"].as_str()).expect("a word");
            format!("{what} {}", event["by"].as_str().unwrap_or("-"))
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn each_change_that_a_person_requests_names_that_person_and_no_other_does() {
    let world = World::new().await;
    world.deny("apigateway:CreateVpcLink");
    let body = json!({"name": "shared", "task_definition": "hello", "ttl": "8h"});
    let created = ask(&world, "ann", Method::POST, "/environments", &body).await;
    let id = created["id"].as_str().expect("an id").to_owned();
    let path = format!("/environments/{id}");
    assert_eq!(world.settled(&id).await["status"], "failed");
    ask(&world, "bob", Method::POST, &format!("{path}/retry"), &Value::Null).await;
    // A repeated retry changes nothing, so its subject is not named.
    ask(&world, "eve", Method::POST, &format!("{path}/retry"), &Value::Null).await;
    assert_eq!(world.settled(&id).await["status"], "ready");
    ask(&world, "cleo", Method::POST, &format!("{path}/extend"), &json!({"ttl": "2d"})).await;
    ask(&world, "eve", Method::POST, &format!("{path}/extend"), &json!({"ttl": "1h"})).await;
    ask(&world, "dan", Method::DELETE, &path, &Value::Null).await;
    ask(&world, "eve", Method::DELETE, &path, &Value::Null).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert_eq!(
        history(&world, &id).await,
        [
            "queued ann",
            "provisioning -",
            "failed -",
            "deleting -",
            "failed -",
            "queued bob",
            "provisioning -",
            "ready -",
            "extended cleo",
            "deleting dan",
            "deleted -"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_delete_while_a_failure_unwinds_is_in_the_history_although_the_status_stays() {
    let world = World::new().await;
    world.deny("apigateway:CreateVpcLink");
    let body = json!({"name": "shared", "task_definition": "hello"});
    let created = ask(&world, "ann", Method::POST, "/environments", &body).await;
    let id = created["id"].as_str().expect("an id").to_owned();
    world.until_status(&id, "deleting").await;
    ask(&world, "bob", Method::DELETE, &format!("/environments/{id}"), &Value::Null).await;
    ask(&world, "eve", Method::DELETE, &format!("/environments/{id}"), &Value::Null).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    let history = history(&world, &id).await;
    assert_eq!(history[3..], ["deleting -", "delete_requested bob", "deleted -"], "{history:?}");
}

#[tokio::test(start_paused = true)]
async fn what_ends_by_its_lifetime_names_no_person() {
    let world = World::new().await;
    let body = json!({"name": "brief", "task_definition": "hello", "ttl": "1h"});
    let created = ask(&world, "ann", Method::POST, "/environments", &body).await;
    let id = created["id"].as_str().expect("an id").to_owned();
    world.system.clock.sleep(Duration::from_secs(2 * 3600)).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    let history = history(&world, &id).await;
    assert_eq!(history[3..], ["expired -", "deleting -", "deleted -"], "{history:?}");
}
