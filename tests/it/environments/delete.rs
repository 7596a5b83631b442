//! `DELETE /environments/{id}`.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tests::{EnvironmentView, Reply, World};

use super::get;
use super::get::foreign_ids;

async fn delete(world: &World, team: &str, id: &str) -> Reply {
    world.call(team, Method::DELETE, &format!("/environments/{id}"), &Value::Null).await
}

/// `StartExecution` is throttled for as long as the SDK tries.
fn no_start(world: &World) {
    world.throttle("states:StartExecution", 3);
}

#[tokio::test(start_paused = true)]
async fn another_team_deletes_nothing() {
    let world = World::new().await;
    let id = world.create("kept", "hello").await;
    let before = world.settled(&id).await;
    for (sent, _) in foreign_ids(&id) {
        delete(&world, "other", &sent).await.problem(404, "not_found");
    }
    world.system.clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(world.get(&id).await, before);
    assert_eq!(world.executions().await.len(), 1);
    assert_eq!(world.reach(&before, "/").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_accepted_in_every_status_and_any_number_of_times() {
    for (image, seconds, status) in [
        ("berth/hello", 0, "queued"),
        ("berth/hello", 30, "provisioning"),
        ("berth/hello", 3600, "ready"),
        ("berth/exits:3", 3600, "failed"),
    ] {
        let world = World::new().await;
        world.register("told", image).await;
        let id = world.create("told", "told").await;
        world.system.clock.sleep(Duration::from_secs(seconds)).await;
        assert_eq!(world.get(&id).await["status"], status);
        let first = delete(&world, "demo", &id).await.expect(202);
        let wanted = if status == "failed" { "deleted" } else { "deleting" };
        assert_eq!(first.body["status"], wanted, "when {status}");
        assert_eq!(first.header("location"), format!("/environments/{id}"));
        let seconds = first.body["retry_after_seconds"].as_u64().map(|seconds| seconds.to_string());
        assert_eq!(first.header("retry-after"), seconds.unwrap_or_default());
        assert_eq!(first.header("retry-after").is_empty(), status == "failed");
        assert_eq!(EnvironmentView::of(&first.body).url, None);
        for _ in 0..3 {
            delete(&world, "demo", &id).await.expect(202);
            world.system.clock.sleep(Duration::from_secs(5)).await;
        }
        let ended = world.settled(&id).await;
        assert_eq!(
            (&ended["status"], &ended["progress"]),
            (&json!("deleted"), &json!(100)),
            "when {status}: {ended:#}"
        );
        assert!(world.inventory().await.is_empty(), "when {status}");
        assert_eq!(world.executions().await.len(), if status == "ready" { 2 } else { 1 }, "when {status}");
        // Deleted stays deleted, and its record stays as it is.
        let again = delete(&world, "demo", &id).await.expect(202);
        assert_eq!((again.body, again.headers.get("retry-after")), (ended, None), "when {status}");
        world.create("told", "told").await;
    }
}

#[tokio::test(start_paused = true)]
async fn ten_deletes_at_once_are_one() {
    let world = Arc::new(World::new().await);
    let id = world.create("often", "hello").await;
    world.settled(&id).await;
    let deletes: Vec<_> = (0..10)
        .map(|_| {
            let (world, id) = (Arc::clone(&world), id.clone());
            tokio::spawn(async move { delete(&world, "demo", &id).await })
        })
        .collect();
    for delete in deletes {
        assert_eq!(delete.await.expect("an answer").expect(202).body["status"], "deleting");
    }
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert_eq!(world.executions().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_never_started_can_be_deleted_and_a_delete_that_never_started_can_be_repeated() {
    let world = World::new().await;
    no_start(&world);
    let body = json!({"name": "stillborn", "task_definition": "hello"});
    world.call("demo", Method::POST, "/environments", &body).await.problem(503, "unavailable");
    let list = get(&world, "demo", "/environments").await.body;
    let id = list["environments"][0]["id"].as_str().expect("an id").to_owned();
    world.system.clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(world.get(&id).await["status"], "queued");
    no_start(&world);
    delete(&world, "demo", &id).await.problem(503, "unavailable");
    world.system.clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(world.get(&id).await["status"], "deleting");
    delete(&world, "demo", &id).await.expect(202);
    assert_eq!(world.settled(&id).await["status"], "deleted");

    let id = world.create("stillborn", "hello").await;
    world.settled(&id).await;
    no_start(&world);
    delete(&world, "demo", &id).await.problem(503, "unavailable");
    delete(&world, "demo", &id).await.expect(202);
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}
