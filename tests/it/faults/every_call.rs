//! Every AWS call of a provisioning, of a failure, of a delete and of a retry of either meets one fault: before its
//! effect or after it, one that passes or one that does not.

use std::time::Duration;

use berth_local::faults::Fault;
use tests::faults::{Story, denied, throttled};

#[tokio::test(start_paused = true)]
async fn a_provisioning_denied_any_call_before_its_effect_ends_failed_with_nothing_left() {
    Story::Provision.walk(Fault::Refuse(denied()), &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_denied_any_call_after_its_effect_ends_failed_with_nothing_left() {
    Story::Provision.walk(Fault::RefuseAfter(denied()), &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_throttled_at_any_call_ends_ready_with_one_of_each() {
    Story::Provision.walk(Fault::Refuse(throttled()), &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_that_loses_the_reply_of_any_call_ends_ready_with_one_of_each() {
    Story::Provision.walk(Fault::LoseReply, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_whose_connection_is_reset_at_any_look_ends_ready_with_one_of_each() {
    Story::Provision.walk_over(Story::Provision.looks().await, Fault::Reset, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_with_any_change_slower_than_its_time_limit_ends_ready_with_one_of_each() {
    let slow = Fault::Slow(Duration::from_secs(25));
    Story::Provision.walk_over(Story::Provision.changes().await, slow, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_loses_the_reply_of_any_call_still_ends_failed_with_nothing_left() {
    Story::Failure.walk(Fault::LoseReply, &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_denied_any_call_before_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Delete.walk(Fault::Refuse(denied()), &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_denied_any_call_after_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Delete.walk(Fault::RefuseAfter(denied()), &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_throttled_at_any_call_ends_deleted() {
    Story::Delete.walk(Fault::Refuse(throttled()), &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_loses_the_reply_of_any_call_ends_deleted() {
    Story::Delete.walk(Fault::LoseReply, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_with_any_change_slower_than_its_time_limit_ends_deleted() {
    let slow = Fault::Slow(Duration::from_secs(25));
    Story::Delete.walk_over(Story::Delete.changes().await, slow, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_denied_any_call_before_its_effect_ends_failed_again() {
    Story::Retry.walk(Fault::Refuse(denied()), &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_denied_any_call_after_its_effect_ends_failed_again() {
    Story::Retry.walk(Fault::RefuseAfter(denied()), &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_throttled_at_any_call_ends_ready_with_one_of_each() {
    Story::Retry.walk(Fault::Refuse(throttled()), &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_that_loses_the_reply_of_any_call_ends_ready_with_one_of_each() {
    Story::Retry.walk(Fault::LoseReply, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_denied_any_call_before_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Cleanup.walk(Fault::Refuse(denied()), &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_denied_any_call_after_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Cleanup.walk(Fault::RefuseAfter(denied()), &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_throttled_at_any_call_ends_deleted() {
    Story::Cleanup.walk(Fault::Refuse(throttled()), &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_that_loses_the_reply_of_any_call_ends_deleted() {
    Story::Cleanup.walk(Fault::LoseReply, &["deleted"]).await;
}
