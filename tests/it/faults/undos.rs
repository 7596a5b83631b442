//! Undos that fail once, and undos that fail for good: then everything that does not depend on them is removed, the
//! status says what is left and why, and the next `DELETE` gets rid of it.

use std::time::Duration;

use berth_domain::ResourceKind::{self, Listener, LoadBalancer, RestApi, Service, TargetGroup, VpcLink};
use berth_domain::rate_limit::RateLimit;
use berth_local::faults::Fault;
use berth_local::stand_in::profile::Profile;
use http::Method;
use serde_json::Value;
use tests::faults::{Story, denied_after, ended};
use tests::{EnvironmentView, Observer, ResourceView, World, WorldOptions, removal_steps};

#[tokio::test(start_paused = true)]
async fn every_undo_that_fails_once_is_tried_again_and_ends_deleted() {
    let mut wrong = Vec::new();
    for (undo, after) in removal_steps().flat_map(|undo| [(undo, false), (undo, true)]) {
        let (world, id) = Story::Delete.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(2));
        world.fail_step(undo.as_str(), 1, after);
        let id = Story::Delete.begin(&world, id).await;
        let environment = world.settled(&id).await;
        let mut violations: Vec<String> = ended(&environment, &["deleted"]).into_iter().collect();
        violations.extend(world.check(Some(&observer)).await);
        wrong.extend(violations.into_iter().map(|what| format!("{undo}, after {after}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the deletion of each kind is called, and what is left in the account when it is denied: the thing itself, and
/// what cannot go while it is there (docs/aws.md#deletion-order). A listener goes with its load balancer nevertheless.
const DENIED: [(&str, ResourceKind, &[ResourceKind]); 6] = [
    ("apigateway:DeleteRestApi", RestApi, &[RestApi, VpcLink, LoadBalancer]),
    ("apigateway:DeleteVpcLink", VpcLink, &[VpcLink, LoadBalancer]),
    ("ecs:DeleteService", Service, &[Service]),
    ("elasticloadbalancing:DeleteListener", Listener, &[TargetGroup]),
    ("elasticloadbalancing:DeleteTargetGroup", TargetGroup, &[TargetGroup]),
    ("elasticloadbalancing:DeleteLoadBalancer", LoadBalancer, &[LoadBalancer]),
];

#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_for_good_is_named_with_its_reason_and_the_rest_is_removed() {
    let mut wrong = Vec::new();
    for (operation, resource, left) in DENIED {
        let (world, id) = Story::Delete.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(2));
        // A denial is not tried again, so one is for good; the next DELETE finds it lifted.
        world.deny(operation);
        let id = Story::Delete.begin(&world, id).await;
        let environment = world.settled(&id).await;
        let mut violations: Vec<String> = ended(&environment, &["cleanup_failed"]).into_iter().collect();
        let leftovers = EnvironmentView::of(&environment).leftovers;
        let named = leftovers.iter().any(|leftover| {
            let why = leftover.why.as_deref().unwrap_or_default();
            leftover.resource == resource && leftover.id.is_some() && why.contains("does not allow Berth to call")
        });
        if !named {
            violations.push(format!("does not name it: {leftovers:?}"));
        }
        for (kind, ids) in world.inventory().await.kinds() {
            if ids.is_empty() == left.contains(&kind) {
                violations.push(format!("of {kind} there is {ids:?}"));
            }
        }
        violations.extend(world.check(Some(&observer)).await);
        violations.extend(world.deleted_with_nothing_left(&id).await);
        wrong.extend(violations.into_iter().map(|what| format!("{operation}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_provisioning_whose_undo_is_denied_ends_cleanup_failed_and_keeps_its_failure() {
    let mut wrong = Vec::new();
    // The service is given up before there is a VPC link, and the load balancer, which no link holds then, takes the listener
    // with it before the service is drained.
    let has_undo = |resource: ResourceKind| ![VpcLink, Listener].contains(&resource);
    for (operation, resource, _) in DENIED.into_iter().filter(|(_, resource, _)| has_undo(*resource)) {
        let (world, id) = Story::Failure.world().await;
        world.deny(operation);
        let id = Story::Failure.begin(&world, id).await;
        let environment = world.settled(&id).await;
        let mut violations: Vec<String> = ended(&environment, &["cleanup_failed"]).into_iter().collect();
        let EnvironmentView { leftovers, failure, .. } = EnvironmentView::of(&environment);
        if leftovers.iter().all(|leftover| leftover.resource != resource) {
            violations.push(format!("does not name it: {leftovers:?}"));
        }
        if failure.as_ref().is_none_or(|failure| failure.code != "service_failed") {
            violations.push(format!("its failure is {failure:?}"));
        }
        violations.extend(world.check(None).await);
        violations.extend(world.deleted_with_nothing_left(&id).await);
        wrong.extend(violations.into_iter().map(|what| format!("{operation}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_is_throttled_until_its_limit_is_named_and_retried_without_a_request() {
    let (world, id) = Story::Delete.world().await;
    let observer = Observer::watch(&world, &["demo"], Duration::from_secs(60));
    // More calls than one undo makes within its limit of 1,800 s, fewer than two.
    world.throttle("apigateway:DeleteRestApi", 600);
    let id = Story::Delete.begin(&world, id).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "cleanup_failed", "{environment:#}");
    let leftovers = EnvironmentView::of(&environment).leftovers;
    let why = leftovers.into_iter().find(|one| one.resource == RestApi).and_then(|one| one.why).unwrap_or_default();
    assert!(why.contains("gave up after 1800 s") && why.contains("DeleteRestApi"), "{why}");
    assert_eq!(world.check(Some(&observer)).await, Vec::<String>::new());
    world.system.clock.sleep(Duration::from_secs(400)).await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "deleted", "{environment:#}");
    assert!(world.faults().all_came() && world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_made_without_a_reply_is_named_by_the_receipt() {
    let mut wrong = Vec::new();
    let creations = [
        ("elasticloadbalancing:CreateLoadBalancer", LoadBalancer),
        ("elasticloadbalancing:CreateTargetGroup", TargetGroup),
        ("elasticloadbalancing:CreateListener", Listener),
        ("ecs:CreateService", Service),
        ("apigateway:CreateVpcLink", VpcLink),
        ("apigateway:CreateRestApi", RestApi),
    ];
    for (operation, resource) in creations {
        let (world, id) = Story::Provision.world().await;
        world.fault(operation, 1, denied_after(operation));
        let id = Story::Provision.begin(&world, id).await;
        let environment = world.settled(&id).await;
        let receipt = EnvironmentView::of(&environment).resources;
        let named = |one: &ResourceView| one.resource == resource && one.id.is_some() && one.absent_at.is_some();
        wrong.extend(ended(&environment, &["failed"]));
        if !receipt.iter().any(named) {
            wrong.push(format!("{operation}: {receipt:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_refused_because_it_has_happened_is_no_failure() {
    // What is gone carries no tag, and without one the role may delete no API and no link.
    for operation in ["apigateway:DeleteRestApi", "apigateway:DeleteVpcLink"] {
        let (world, id) = Story::Delete.world().await;
        world.fault(operation, 1, denied_after(operation));
        let id = Story::Delete.begin(&world, id).await;
        let environment = world.settled(&id).await;
        assert_eq!(ended(&environment, &["deleted"]), None, "{operation}");
        assert_eq!(world.check(None).await, Vec::<String>::new(), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempts_inactive_service_is_no_proof_that_a_later_one_is_gone() {
    // Reads lag for longer than the rest of the removal takes.
    let profile = Profile::medians().seen_after(Duration::from_secs(55));
    let world = World::with(WorldOptions { profile, ..WorldOptions::default() }).await;
    world.register("crash", "berth/exits:3").await;
    let id = Story::Failure.begin(&world, None).await;
    assert_eq!(world.settled(&id).await["status"], "failed");
    // No API has to be removed first: others are before it in the queue.
    for _ in 0..100 {
        world.system.store.slot_reserve(RateLimit::CreateRestApi).await.expect("a turn");
    }
    world.faults().record();
    world.fault("ecs:CreateService", 1, Fault::LoseReply);
    let path = format!("/environments/{id}/retry");
    world.call("demo", Method::POST, &path, &Value::Null).await.expect(202);
    world.until_called("ecs:CreateService").await;
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    world.system.clock.sleep(Duration::from_secs(120)).await;
    let left = world.inventory().await;
    assert!(left.is_empty(), "{left}");
    assert_eq!(world.check(None).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_turns_up_after_it_was_taken_for_gone_is_removed_by_the_next_delete() {
    let (world, id) = Story::Provision.world().await;
    world.faults().record();
    // Longer than any call whose reply was lost is waited for.
    world.fault("apigateway:CreateVpcLink", 1, Fault::Slow(Duration::from_secs(120)));
    world.deny("elasticloadbalancing:DeleteLoadBalancer");
    let id = Story::Provision.begin(&world, id).await;
    world.until_called("apigateway:CreateVpcLink").await;
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "cleanup_failed");
    world.system.clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(world.get(&id).await["status"], "cleanup_failed", "nothing was tried meanwhile");
    let inventory = world.inventory().await;
    assert_eq!(inventory.count(VpcLink), 1, "it has turned up: {inventory}");
    let wrong = world.deleted_with_nothing_left(&id).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
