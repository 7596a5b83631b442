//! The worker is gone after a call: the call has its effect, and nothing of the worker goes on. Its time limit ends the
//! invocation, or its process has exited, and the step is tried again. Left out: a crash after a look, which is one before
//! the next change, and some writes of the record; `random_histories` meets both.

use std::time::Duration;

use berth_local::faults::Fault;
use serde_json::Value;
use tests::faults::Story;

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_change_of_a_provisioning_is_followed_by_another_that_ends_ready() {
    Story::Provision.walk_over(Story::Provision.changes().await, |_| Fault::Kill, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_change_of_a_delete_is_followed_by_another_that_ends_deleted() {
    Story::Delete.walk_over(Story::Delete.changes().await, |_| Fault::Kill, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_change_of_a_failure_is_followed_by_another_that_ends_failed() {
    Story::Failure.walk_over(Story::Failure.changes().await, |_| Fault::Kill, &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_change_of_a_retried_provisioning_is_followed_by_another_that_ends_ready() {
    Story::Retry.walk_over(Story::Retry.changes().await, |_| Fault::Kill, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_change_of_a_retried_removal_is_followed_by_another_that_ends_deleted() {
    Story::Cleanup.walk_over(Story::Cleanup.changes().await, |_| Fault::Kill, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_exits_at_any_change_is_called_again_and_the_operation_ends_as_it_should() {
    Story::Provision.walk_over(Story::Provision.changes().await, |_| Fault::Exit, &["ready"]).await;
    Story::Delete.walk_over(Story::Delete.changes().await, |_| Fault::Exit, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_a_write_of_the_record_of_a_provisioning_is_followed_by_another() {
    Story::Provision.walk_over(Story::Provision.writes(3).await, |_| Fault::Kill, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_a_write_of_the_record_of_a_delete_is_followed_by_another() {
    Story::Delete.walk_over(Story::Delete.writes(2).await, |_| Fault::Kill, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_taking_any_turn_is_followed_by_another_that_takes_one() {
    // The odd ones are refused, because there is no queue yet that the caller could join.
    let turns = |count: u64| (1..=count).map(|nth| ("dynamodb:UpdateItem".to_owned(), nth * 2)).collect();
    Story::Provision.walk_over(turns(3), |_| Fault::Kill, &["ready"]).await;
    Story::Delete.walk_over(turns(1), |_| Fault::Kill, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_id_of_a_rest_api_is_in_the_record_before_anything_is_made_in_it() {
    let (world, id) = Story::Provision.world().await;
    world.faults().record();
    // The first thing that is asked of a new API.
    world.fault("apigateway:GetResources", 1, Fault::Slow(Duration::from_secs(10)));
    let id = Story::Provision.begin(&world, id).await;
    world.until_called("apigateway:GetResources").await;
    let environment = world.get(&id).await;
    let resources = environment["resources"].as_array().expect("resources");
    let recorded = |one: &Value| one["resource"] == "rest_api" && one["id"].is_string();
    assert!(resources.iter().any(recorded), "{resources:#?}");
    assert_eq!(world.settled(&id).await["status"], "ready");
}
