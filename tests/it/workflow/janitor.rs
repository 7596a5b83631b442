//! What the janitor looks after: operations whose execution ended early or never began, and removals to be tried again.

use std::time::Duration;

use berth_local::events::Delivery;
use http::Method;
use serde_json::{Value, json};
use tests::{World, WorldOptions};

/// A world in which no event about an ended execution arrives.
async fn deaf() -> World {
    let delivery = Delivery { lost: 1.0, ..Delivery::default() };
    World::with(WorldOptions { delivery, ..Default::default() }).await
}

/// How long after an abort the environment was ready.
async fn recovers(world: &World, after: Duration) -> (Value, Duration) {
    let id = world.create("cut-off", "hello").await;
    world.system.clock.sleep(after).await;
    world.abort_executions().await;
    let began = world.system.clock.now();
    let environment = world.settled(&id).await;
    (environment, world.system.clock.since(began))
}

#[tokio::test(start_paused = true)]
async fn an_aborted_provisioning_is_recovered_as_soon_as_its_event_comes() {
    let world = World::new().await;
    let (environment, took) = recovers(&world, Duration::from_secs(200)).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert!(world.inventory().await.is_each(1));
    // What was left of it, and the 75 s in which a call of the old execution may still run.
    assert!(took < Duration::from_secs(320), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_aborted_provisioning_goes_on_by_the_next_sweep_when_its_event_is_lost() {
    let world = deaf().await;
    let (environment, took) = recovers(&world, Duration::from_secs(200)).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert!(world.inventory().await.is_each(1));
    assert!(took < Duration::from_secs(400), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_was_recorded_but_never_started_is_started() {
    let world = World::new().await;
    world.throttle("states:StartExecution", 3);
    let body = json!({"name": "lost", "task_definition": "hello"});
    world.call("demo", Method::POST, "/environments", &body).await.problem(503, "unavailable");
    let list = world.call("demo", Method::GET, "/environments", &Value::Null).await.expect(200).body;
    let id = list["environments"][0]["id"].as_str().expect("it is recorded").to_owned();
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_that_is_interrupted_again_and_again_is_unwound_and_can_be_retried() {
    let world = World::new().await;
    let id = world.create("cursed", "hello").await;
    interrupted(&world, &id, 4).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "failed", "{environment:#}");
    assert_eq!(environment["failure"]["code"], "workflow_interrupted");
    assert!(world.inventory().await.is_empty());
    world.call("demo", Method::POST, &format!("/environments/{id}/retry"), &Value::Null).await.expect(202);
    assert_eq!(world.settled(&id).await["status"], "ready");
}

/// Aborts the executions of `id` this often, whenever one has begun to work.
async fn interrupted(world: &World, id: &str, times: u32) {
    for _ in 0..times {
        world.until_begun(id).await;
        world.abort_executions().await;
        world.system.clock.sleep(Duration::from_secs(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_recovered_however_often_its_provisioning_was() {
    let world = World::new().await;
    let id = world.create("cursed", "hello").await;
    interrupted(&world, &id, 3).await;
    world.delete(&id).await;
    interrupted(&world, &id, 1).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "deleted", "{environment:#}");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_interrupted_before_its_first_step_says_so_at_each_undo() {
    let world = World::new().await;
    let id = world.create("cursed", "hello").await;
    world.settled(&id).await;
    world.delete(&id).await;
    for _ in 0..30 {
        world.abort_executions().await;
        world.system.clock.sleep(Duration::from_secs(1)).await;
    }
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "cleanup_failed", "{environment:#}");
    let steps = environment["steps"].as_array().expect("steps");
    let interrupted = |step: &Value| step["why"].as_str().is_some_and(|why| why.contains("cut off"));
    assert_eq!(steps.iter().filter(|step| interrupted(step)).count(), 6, "{steps:#?}");
    world.call("demo", Method::POST, &format!("/environments/{id}/retry"), &Value::Null).await.expect(202);
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_interrupted_while_provisioning_was_under_way_says_so_at_each_undo() {
    let world = World::new().await;
    let id = world.create("cursed", "hello").await;
    world.until_step(&id, "EnsureLoadBalancerActive", "waiting").await;
    world.fail_step("BeginRemoval", u64::MAX, false);
    world.delete(&id).await;
    let environment = world.until_status(&id, "cleanup_failed").await;
    let steps = environment["steps"].as_array().expect("steps");
    let undone = |step: &&Value| step["name"].as_str().is_some_and(|name| name.starts_with("Undo"));
    let interrupted = |step: &Value| step["why"].as_str().is_some_and(|why| why.contains("cut off"));
    assert_eq!(steps.iter().filter(undone).count(), 6, "{steps:#?}");
    assert!(steps.iter().filter(undone).all(interrupted), "{steps:#?}");
    world.stop_wrapping_calls();
    world.call("demo", Method::POST, &format!("/environments/{id}/retry"), &Value::Null).await.expect(202);
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_removed_is_retried_without_a_request() {
    let world = World::new().await;
    let id = world.create("stuck", "hello").await;
    world.settled(&id).await;
    world.deny("apigateway:DeleteRestApi");
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "cleanup_failed");
    world.system.clock.sleep(Duration::from_secs(400)).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "deleted", "{environment:#}");
    assert!(world.inventory().await.is_empty());
}
