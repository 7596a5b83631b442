//! `POST /environments/{id}/extend`, and the `ttl` that it extends.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Reply, World};

use super::get::foreign_ids;

async fn extend(world: &World, team: &str, id: &str, body: &Value) -> Reply {
    world.call(team, Method::POST, &format!("/environments/{id}/extend"), body).await
}

/// Team `demo` asks for an environment that lives for `ttl`; its id.
async fn create(world: &World, ttl: &str) -> String {
    let body = json!({"name": "brief", "task_definition": "hello", "ttl": ttl});
    let reply = world.call("demo", Method::POST, "/environments", &body).await.expect(202);
    reply.body["id"].as_str().expect("an id").to_owned()
}

/// How many seconds after `from` the environment expires.
fn lives(environment: &Value, from: Timestamp) -> i64 {
    let expires_at: Timestamp = environment["expires_at"].as_str().expect("a moment").parse().expect("a moment");
    expires_at.duration_since(from).as_secs()
}

#[tokio::test(start_paused = true)]
async fn an_environment_is_deleted_when_its_lifetime_is_over_and_says_so() {
    let world = World::new().await;
    let began = world.system.clock.now();
    let id = create(&world, "2h").await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(lives(&environment, began), 7200);
    world.system.clock.sleep(Duration::from_secs(7200)).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "deleted", "{environment:#}");
    assert!(world.inventory().await.is_empty());
    let events = super::get(&world, "demo", &format!("/environments/{id}/events?limit=100")).await.expect(200).body;
    assert!(events["events"].as_array().expect("events").iter().any(|event| event["type"] == "expired"), "{events:#}");
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_that_ends_while_it_is_provisioned_or_after_it_failed_ends_it_too() {
    for image in ["berth/hello", "berth/exits:3"] {
        let world = World::new().await;
        world.register("brief", image).await;
        let body = json!({"name": "brief", "task_definition": "brief", "ttl": "5m"});
        let reply = world.call("demo", Method::POST, "/environments", &body).await.expect(202);
        let id = reply.body["id"].as_str().expect("an id");
        world.system.clock.sleep(Duration::from_secs(400)).await;
        let environment = world.settled(id).await;
        assert_eq!(environment["status"], "deleted", "{image}: {environment:#}");
        assert!(world.inventory().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_extended_environment_lives_for_the_ttl_from_now_on_and_never_for_less() {
    let world = World::new().await;
    let id = create(&world, "1h").await;
    world.settled(&id).await;
    let now = world.system.clock.now();
    let extended = extend(&world, "demo", &id, &json!({"ttl": "90m"})).await.expect(200).body;
    assert_eq!(lives(&extended, now), 90 * 60);
    let shorter = extend(&world, "demo", &id, &json!({"ttl": "10m"})).await.expect(200).body;
    assert_eq!(shorter["expires_at"], extended["expires_at"]);
    world.system.clock.sleep(Duration::from_secs(80 * 60)).await;
    assert_eq!(world.get(&id).await["status"], "ready", "the first lifetime is over, the second is not");
    world.system.clock.sleep(Duration::from_secs(12 * 60)).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
}

#[tokio::test(start_paused = true)]
async fn what_has_no_lifetime_or_is_going_away_cannot_be_extended() {
    let world = World::new().await;
    let forever = world.create("forever", "hello").await;
    extend(&world, "demo", &forever, &json!({"ttl": "1h"})).await.problem(409, "no_lifetime");
    let id = create(&world, "1h").await;
    world.delete(&id).await;
    extend(&world, "demo", &id, &json!({"ttl": "1h"})).await.problem(409, "going_away");
    world.settled(&id).await;
    extend(&world, "demo", &id, &json!({"ttl": "1h"})).await.problem(409, "going_away");
}

#[tokio::test(start_paused = true)]
async fn a_ttl_that_is_none_is_refused_with_its_place() {
    let world = World::new().await;
    let id = create(&world, "1h").await;
    let expires = world.get(&id).await["expires_at"].clone();
    for ttl in ["", "1", "h", "0h", "01h", "1w", "1.5h", "-1h", " 1h", "59s", "366d", "99999999d", "999999999s", "1ħ"]
    {
        let reply = extend(&world, "demo", &id, &json!({"ttl": ttl})).await.problem(400, "invalid_request");
        assert_eq!(reply.body["errors"][0]["pointer"], "/ttl", "{ttl:?}: {}", reply.text);
        let body = json!({"name": "other", "task_definition": "hello", "ttl": ttl});
        let reply = world.call("demo", Method::POST, "/environments", &body).await.problem(400, "invalid_request");
        assert_eq!(reply.body["errors"][0]["pointer"], "/ttl", "{ttl:?}: {}", reply.text);
    }
    for body in [json!({}), json!({"ttl": null}), json!({"ttl": 3600}), json!({"ttl": "1h", "more": 1}), json!(["1h"])]
    {
        extend(&world, "demo", &id, &body).await.problem(400, "invalid_request");
    }
    extend(&world, "demo", &id, &Value::Null).await.problem(400, "malformed_json");
    assert_eq!(world.get(&id).await["expires_at"], expires);
}

#[tokio::test(start_paused = true)]
async fn another_team_extends_nothing() {
    let world = World::new().await;
    let id = create(&world, "1h").await;
    for (sent, _) in foreign_ids(&id) {
        extend(&world, "other", &sent, &json!({"ttl": "9h"})).await.problem(404, "not_found");
    }
    let left = lives(&world.get(&id).await, world.system.clock.now());
    assert!(left <= 3600, "{left}");
}
