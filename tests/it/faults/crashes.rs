//! The worker is gone after a call: the call has its effect, and nothing of the worker goes on. Its time limit ends the
//! invocation, and the step is tried again.

use berth_local::faults::Fault;
use tests::faults::Story;

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_call_of_a_provisioning_is_followed_by_another_that_ends_ready() {
    Story::Provision.walk(Fault::Vanish, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_call_of_a_failure_is_followed_by_another_that_ends_failed() {
    Story::Failure.walk(Fault::Vanish, &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_call_of_a_delete_is_followed_by_another_that_ends_deleted() {
    Story::Delete.walk(Fault::Vanish, &["deleted"]).await;
}

/// Every second write: those between are alike, and `random_histories` meets them too.
#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_a_write_of_the_record_of_a_provisioning_is_followed_by_another() {
    Story::Provision.walk_over(Story::Provision.writes(2).await, Fault::Vanish, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_write_of_the_record_of_a_delete_is_followed_by_another() {
    Story::Delete.walk_over(Story::Delete.writes(1).await, Fault::Vanish, &["deleted"]).await;
}
