//! Every AWS call of a provisioning, of a failure, of a delete and of a retry of either meets one fault: before its
//! effect or after it, one that passes or one that does not.

use std::time::Duration;

use berth_local::faults::Fault;
use berth_local::stand_in::apigateway;
use berth_local::stand_in::refusal::Refusal;
use tests::World;
use tests::faults::{Story, denied, denied_after, throttled, unavailable};

/// The story's changes in API Gateway.
async fn of_api_gateway(story: Story) -> Vec<(String, u64)> {
    let mut calls = story.changes().await;
    calls.retain(|(operation, _)| operation.starts_with("apigateway:"));
    calls
}

/// Two writes meet (docs/aws.md#retry-or-give-up).
fn met_another(_: &str) -> Fault {
    Fault::Refuse(apigateway::concurrent_modification())
}

/// Walks `story`, whose call is denied once: the environment ends `failed`. Only a denial of a call that changes the new API or
/// stage is waited out, because IAM may not see its tags yet.
async fn walk_denied(story: Story, fault: impl Fn(&str) -> Fault) {
    let fills = |operation: &str| {
        [
            "apigateway:GetResources",
            "apigateway:CreateResource",
            "apigateway:PutMethod",
            "apigateway:PutIntegration",
            "apigateway:UpdateStage",
        ]
        .contains(&operation)
    };
    let (filling, others) = story.calls().await.into_iter().partition(|(operation, _)| fills(operation));
    story.walk_over(filling, &fault, &["ready"]).await;
    story.walk_over(others, &fault, &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_denied_any_call_before_its_effect_ends_failed_with_nothing_left() {
    walk_denied(Story::Provision, denied).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_denied_any_call_after_its_effect_ends_failed_with_nothing_left() {
    walk_denied(Story::Provision, denied_after).await;
}

#[tokio::test(start_paused = true)]
async fn a_denial_that_outlasts_the_time_in_which_tags_may_show_fails_the_environment() {
    let world = World::new().await;
    for nth in 1..100 {
        world.fault("apigateway:CreateResource", nth, denied("apigateway:CreateResource"));
    }
    let id = world.create("denied", "hello").await;
    let environment = world.settled(&id).await;
    assert_eq!(
        (&environment["status"], &environment["failure"]["cause"]),
        (&"failed".into(), &"permission_denied".into())
    );
    assert_eq!(environment["failure"]["step"], "EnsureRestApi", "{environment:#}");
}

#[tokio::test(start_paused = true)]
async fn a_creation_in_elb_that_is_said_to_be_there_already_is_looked_up_again_and_not_for_ever() {
    for (operation, code) in [
        ("elasticloadbalancing:CreateLoadBalancer", "DuplicateLoadBalancerName"),
        ("elasticloadbalancing:CreateTargetGroup", "DuplicateTargetGroupName"),
        ("elasticloadbalancing:CreateListener", "DuplicateListener"),
    ] {
        for (times, status) in [(2, "ready"), (100, "failed")] {
            let world = World::new().await;
            for nth in 1..=times {
                world.fault(operation, nth, Fault::Refuse(Refusal::bad(code, "exists, but with different settings")));
            }
            let id = world.create("twice", "hello").await;
            assert_eq!(world.settled(&id).await["status"], status, "{code} {times} times");
            assert_eq!(world.inventory().await.is_each(1), status == "ready", "{code} {times} times");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_throttled_at_any_call_ends_ready_with_one_of_each() {
    Story::Provision.walk(throttled, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_that_meets_an_outage_at_any_call_ends_ready_with_one_of_each() {
    Story::Provision.walk(unavailable, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_whose_changes_of_an_api_meet_others_ends_ready_with_one_of_each() {
    Story::Provision.walk_over(of_api_gateway(Story::Provision).await, met_another, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_that_loses_the_reply_of_any_call_ends_ready_with_one_of_each() {
    Story::Provision.walk(|_| Fault::LoseReply, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_whose_connection_is_reset_at_any_look_ends_ready_with_one_of_each() {
    Story::Provision.walk_over(Story::Provision.reads().await, |_| Fault::Reset, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_operation_whose_table_does_not_answer_in_time_goes_on() {
    let slow = |_: &str| Fault::Slow(Duration::from_secs(25));
    Story::Provision.walk_over(Story::Provision.writes(4).await, slow, &["ready"]).await;
    Story::Delete.walk_over(Story::Delete.writes(4).await, slow, &["deleted"]).await;
    // The announcements, and the slots that are reserved.
    for operation in ["dynamodb:PutItem", "dynamodb:UpdateItem"] {
        let calls = (1..=4).map(|nth| (operation.to_owned(), nth)).collect();
        Story::Provision.walk_over(calls, slow, &["ready"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_with_any_change_slower_than_its_time_limit_ends_ready_with_one_of_each() {
    let slow = |_: &str| Fault::Slow(Duration::from_secs(25));
    Story::Provision.walk_over(Story::Provision.changes().await, slow, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_loses_the_reply_of_any_call_still_ends_failed_with_nothing_left() {
    Story::Failure.walk(|_| Fault::LoseReply, &["failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_denied_any_call_before_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Delete.walk(denied, &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_denied_any_call_after_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Delete.walk(denied_after, &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_throttled_at_any_call_ends_deleted() {
    Story::Delete.walk(throttled, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_meets_an_outage_at_any_call_ends_deleted() {
    Story::Delete.walk(unavailable, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_changes_of_an_api_meet_others_ends_deleted() {
    Story::Delete.walk_over(of_api_gateway(Story::Delete).await, met_another, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_loses_the_reply_of_any_call_ends_deleted() {
    Story::Delete.walk(|_| Fault::LoseReply, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_with_any_change_slower_than_its_time_limit_ends_deleted() {
    let slow = |_: &str| Fault::Slow(Duration::from_secs(25));
    Story::Delete.walk_over(Story::Delete.changes().await, slow, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_denied_any_call_before_its_effect_ends_failed_again() {
    walk_denied(Story::Retry, denied).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_denied_any_call_after_its_effect_ends_failed_again() {
    walk_denied(Story::Retry, denied_after).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_throttled_at_any_call_ends_ready_with_one_of_each() {
    Story::Retry.walk(throttled, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_that_loses_the_reply_of_any_call_ends_ready_with_one_of_each() {
    Story::Retry.walk(|_| Fault::LoseReply, &["ready"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_denied_any_call_before_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Cleanup.walk(denied, &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_denied_any_call_after_its_effect_ends_and_the_next_delete_leaves_nothing() {
    Story::Cleanup.walk(denied_after, &["deleted", "cleanup_failed"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_throttled_at_any_call_ends_deleted() {
    Story::Cleanup.walk(throttled, &["deleted"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_that_loses_the_reply_of_any_call_ends_deleted() {
    Story::Cleanup.walk(|_| Fault::LoseReply, &["deleted"]).await;
}
