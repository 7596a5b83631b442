//! From `DELETE` to nothing.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tests::{EnvironmentView, World};

#[tokio::test(start_paused = true)]
async fn a_deleted_environment_leaves_nothing_and_frees_its_name() {
    let world = World::new().await;
    let id = world.create("orders", "hello").await;
    world.settled(&id).await;
    assert_eq!(world.delete(&id).await["status"], "deleting");
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "deleted", "{environment:#}");
    assert_eq!(EnvironmentView::of(&environment).url, None);
    let inventory = world.inventory().await;
    assert!(inventory.is_empty(), "{inventory}");
    assert_eq!(world.delete(&id).await["status"], "deleted");
    let again = world.create("orders", "hello").await;
    assert_eq!(world.settled(&again).await["status"], "ready");
}

#[tokio::test(start_paused = true)]
async fn a_delete_at_any_moment_of_provisioning_ends_deleted_with_nothing_left() {
    // The whole takes about 400 s; a delete arrives at every 23rd second of it, and right away.
    for moment in (0..420).step_by(23) {
        let world = World::new().await;
        let id = world.create("cut", "hello").await;
        world.system.clock.sleep(Duration::from_secs(moment)).await;
        world.delete(&id).await;
        let environment = world.settled(&id).await;
        assert_eq!(environment["status"], "deleted", "after {moment} s: {environment:#}");
        assert_eq!(EnvironmentView::of(&environment).failure, None, "after {moment} s: {environment:#}");
        let inventory = world.inventory().await;
        assert!(inventory.is_empty(), "after {moment} s: {inventory}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_takes_little_more_than_its_critical_path() {
    // The link is gone after 90 s at the median, and holds the load balancer for another 45 s (docs/aws.md#durations). The
    // service drains beside them.
    const CRITICAL_PATH: f64 = 90.0 + 45.0;
    let world = World::new().await;
    let id = world.create("quick", "hello").await;
    world.settled(&id).await;
    let began = world.system.clock.now();
    world.delete(&id).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "deleted", "{environment:#}");
    let ended: jiff::Timestamp = environment["updated_at"].as_str().expect("a time").parse().expect("a time");
    let took = ended.duration_since(began).as_secs_f64();
    println!("a removal took {took:.1} s, {:.2} times its critical path", took / CRITICAL_PATH);
    assert!((CRITICAL_PATH..=1.10 * CRITICAL_PATH).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn deletes_may_be_repeated_and_all_get_an_answer() {
    let world = World::new().await;
    let id = world.create("often", "hello").await;
    world.settled(&id).await;
    for _ in 0..3 {
        assert_eq!(world.delete(&id).await["status"], "deleting");
        world.system.clock.sleep(Duration::from_secs(20)).await;
    }
    assert_eq!(world.settled(&id).await["status"], "deleted");
    let path = format!("/environments/{id}/events?limit=100");
    let events = world.call("demo", Method::GET, &path, &Value::Null).await.expect(200).body;
    let statuses: Vec<&Value> = events["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| event["type"] == "status")
        .map(|event| &event["status"])
        .collect();
    assert_eq!(json!(statuses), json!(["queued", "provisioning", "ready", "deleting", "deleted"]));
}
