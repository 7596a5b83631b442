//! Executions that an operator aborts: the operation is still in the record, and can be recovered.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tests::World;

#[tokio::test(start_paused = true)]
async fn a_delete_after_an_abort_at_any_moment_ends_deleted_with_nothing_left() {
    for moment in (1..420).step_by(47) {
        let world = World::new().await;
        let id = world.create("aborted", "hello").await;
        world.system.clock.sleep(Duration::from_secs(moment)).await;
        world.abort_executions().await;
        world.delete(&id).await;
        let environment = world.settled(&id).await;
        assert_eq!(environment["status"], "deleted", "aborted after {moment} s: {environment:#}");
        let inventory = world.inventory().await;
        assert!(inventory.is_empty(), "aborted after {moment} s: {inventory}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_execution_was_aborted_is_carried_out_by_the_next_delete() {
    let world = World::new().await;
    let id = world.create("aborted", "hello").await;
    world.settled(&id).await;
    world.delete(&id).await;
    world.system.clock.sleep(Duration::from_secs(30)).await;
    world.abort_executions().await;
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_recovers_an_aborted_provisioning() {
    let world = World::new().await;
    let body = json!({"name": "aborted", "task_definition": "hello"});
    let key = [("idempotency-key", "once")];
    let first = world.call_with("demo", Method::POST, "/environments", &body, &key).await.expect(202);
    world.system.clock.sleep(Duration::from_secs(200)).await;
    world.abort_executions().await;
    let again = world.call_with("demo", Method::POST, "/environments", &body, &key).await.expect(202);
    assert_eq!(first.text, again.text);
    let environment = world.settled(first.body["id"].as_str().expect("an id")).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    let inventory = world.inventory().await;
    assert!(inventory.is_each(1), "{inventory}");
}
