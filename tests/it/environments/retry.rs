//! `POST /environments/{id}/retry`.

use http::Method;
use serde_json::{Value, json};
use tests::{EnvironmentView, Reply, World};

use super::get::foreign_ids;

async fn retry(world: &World, team: &str, id: &str) -> Reply {
    world.call(team, Method::POST, &format!("/environments/{id}/retry"), &Value::Null).await
}

#[tokio::test(start_paused = true)]
async fn a_failed_environment_is_provisioned_again_under_its_id() {
    let world = World::new().await;
    world.deny("apigateway:CreateVpcLink");
    let id = world.create("again", "hello").await;
    let failed = world.settled(&id).await;
    assert_eq!(failed["status"], "failed", "{failed:#}");
    let accepted = retry(&world, "demo", &id).await.expect(202);
    assert_eq!(accepted.body["status"], "queued");
    assert_eq!(EnvironmentView::of(&accepted.body).failure, None);
    assert_eq!(accepted.header("location"), format!("/environments/{id}"));
    assert!(!accepted.header("retry-after").is_empty());
    let again = retry(&world, "demo", &id).await.expect(202).body;
    assert_ne!(again["status"], "failed", "a repeated retry changes nothing: {again:#}");
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(world.reach(&environment, "/").await.0, 200);
    let inventory = world.inventory().await;
    assert!(inventory.is_each(1), "{inventory}");
    assert_eq!(world.executions().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_receipt_of_a_deleted_environment_lists_what_every_try_made_and_when_it_was_gone() {
    let world = World::new().await;
    world.deny("apigateway:CreateVpcLink");
    let id = world.create("again", "hello").await;
    world.settled(&id).await;
    retry(&world, "demo", &id).await.expect(202);
    world.settled(&id).await;
    world.delete(&id).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "deleted");
    let receipt = environment["resources"].as_array().expect("a receipt");
    let count = |kind: &str| receipt.iter().filter(|resource| resource["resource"] == kind).count();
    assert_eq!(count("load_balancer"), 2, "{receipt:#?}");
    assert_eq!(count("vpc_link"), 2, "the one that was announced and never came about, too: {receipt:#?}");
    assert_eq!(count("stage"), 1, "{receipt:#?}");
    for resource in receipt {
        let absent = resource["absent_at"].as_str().expect("verified absent");
        assert!(absent >= resource["announced_at"].as_str().expect("announced"), "{resource:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_removed_is_removed_by_a_retry() {
    let world = World::new().await;
    let id = world.create("stuck", "hello").await;
    world.settled(&id).await;
    world.deny("apigateway:DeleteVpcLink");
    world.delete(&id).await;
    let stuck = world.settled(&id).await;
    assert_eq!(stuck["status"], "cleanup_failed", "{stuck:#}");
    let left: Vec<&Value> =
        stuck["leftovers"].as_array().expect("leftovers").iter().map(|left| &left["resource"]).collect();
    assert_eq!(left, [&json!("load_balancer"), &json!("vpc_link")], "{stuck:#}");
    assert!(stuck["next_attempt_at"].is_string(), "it says when it tries by itself: {stuck:#}");
    assert_eq!(retry(&world, "demo", &id).await.expect(202).body["status"], "deleting");
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_ready_or_deleted_cannot_be_retried_and_what_moves_is_left_alone() {
    let world = World::new().await;
    let id = world.create("fine", "hello").await;
    assert_eq!(retry(&world, "demo", &id).await.expect(202).body["status"], "queued");
    world.settled(&id).await;
    retry(&world, "demo", &id).await.problem(409, "nothing_to_retry");
    world.delete(&id).await;
    assert_eq!(retry(&world, "demo", &id).await.expect(202).body["status"], "deleting");
    world.settled(&id).await;
    retry(&world, "demo", &id).await.problem(409, "nothing_to_retry");
    assert_eq!(world.executions().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_twenty_times_is_not_tried_again_and_can_be_deleted() {
    let world = World::new().await;
    world.deny("elasticloadbalancing:CreateLoadBalancer");
    let id = world.create("hopeless", "hello").await;
    for _ in 1..20 {
        world.settled(&id).await;
        world.deny("elasticloadbalancing:CreateLoadBalancer");
        retry(&world, "demo", &id).await.expect(202);
    }
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "failed", "{environment:#}");
    let what_to_do = environment["failure"]["what_to_do"].as_str().expect("what to do");
    assert!(what_to_do.starts_with("All 20 attempts of this environment are used."), "{what_to_do}");
    assert!(!what_to_do.contains("/retry"), "{what_to_do}");
    retry(&world, "demo", &id).await.problem(409, "too_many_attempts");
    assert_eq!(world.get(&id).await, environment, "it is as it was");
    assert_eq!(world.delete(&id).await["status"], "deleted");
}

#[tokio::test(start_paused = true)]
async fn another_team_retries_nothing() {
    let world = World::new().await;
    world.deny("elasticloadbalancing:CreateTargetGroup");
    let id = world.create("mine", "hello").await;
    let failed = world.settled(&id).await;
    for (sent, _) in foreign_ids(&id) {
        retry(&world, "other", &sent).await.problem(404, "not_found");
    }
    assert_eq!(world.get(&id).await, failed);
}
