//! The worker is gone after a call: the call has its effect, and nothing of the worker goes on. Its time limit ends the
//! invocation, and the step is tried again. Left out: a crash after a look, which is one before the next change, and
//! some writes of the record; `random_histories` meets both.

use berth_local::faults::Fault;
use tests::faults::Story;

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_change_of_a_provisioning_is_followed_by_another_that_ends_ready() {
    Story::Provision.walk_over(Story::Provision.changes().await, Fault::Vanish, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_any_change_of_a_delete_is_followed_by_another_that_ends_deleted() {
    Story::Delete.walk_over(Story::Delete.changes().await, Fault::Vanish, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_a_write_of_the_record_of_a_provisioning_is_followed_by_another() {
    Story::Provision.walk_over(Story::Provision.writes(3).await, Fault::Vanish, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_gone_after_a_write_of_the_record_of_a_delete_is_followed_by_another() {
    Story::Delete.walk_over(Story::Delete.writes(2).await, Fault::Vanish, &["deleted"]).await;
}
