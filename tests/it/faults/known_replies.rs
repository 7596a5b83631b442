//! A removal waits for what may appear late only when a creation's reply is not known. Lost replies themselves are walked
//! through in `every_call`.

use std::time::Duration;

use berth_local::faults::Fault;
use serde_json::Value;
use tests::World;
use tests::faults::denied;

/// The sentences of a step that waits for what may still appear.
const WAITS: &str = "making sure";

/// What the steps of environment `id` have waited for, as its history tells it.
async fn waits(world: &World, id: &str) -> Vec<String> {
    let events = world.events("demo", id).await;
    events.iter().filter_map(|event| event["why"].as_str()).map(str::to_owned).collect()
}

/// Every creation that ends a provisioning at once when AWS denies it.
const CREATIONS: [&str; 6] = [
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:CreateListener",
    "ecs:CreateService",
    "apigateway:CreateVpcLink",
    "apigateway:CreateRestApi",
];

#[tokio::test(start_paused = true)]
async fn a_creation_that_aws_denied_is_not_waited_for_when_the_environment_is_removed() {
    for operation in CREATIONS {
        let world = World::new().await;
        world.deny(operation);
        let id = world.create("denied", "hello").await;
        let environment = world.settled(&id).await;
        assert_eq!(environment["status"], "failed", "{operation}: {environment:#}");
        let waits = waits(&world, &id).await;
        assert_eq!(waits.iter().find(|why| why.contains(WAITS)), None, "{operation}");
        assert!(world.inventory().await.is_empty(), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_right_after_ready_or_after_any_creation_does_not_wait_for_what_was_answered() {
    let moments = [None, Some("EnsureTargetHealth"), Some("EnsureVpcLink"), Some("EnsureReachable")];
    for moment in moments {
        let world = World::new().await;
        let id = world.create("brief", "hello").await;
        match moment {
            None => assert_eq!(world.settled(&id).await["status"], "ready"),
            Some(step) => drop(world.until_step(&id, step, "waiting").await),
        }
        world.delete(&id).await;
        assert_eq!(world.settled(&id).await["status"], "deleted", "{moment:?}");
        let waits = waits(&world, &id).await;
        assert_eq!(waits.iter().find(|why| why.contains(WAITS)), None, "{moment:?}");
        assert!(world.inventory().await.is_empty(), "{moment:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_denial_does_not_hide_that_an_earlier_creation_was_never_answered() {
    for operation in ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"] {
        let world = World::new().await;
        // The first call takes effect long after its caller has given it up; the second one is denied meanwhile.
        world.fault(operation, 1, Fault::Slow(Duration::from_secs(50)));
        world.fault(operation, 2, denied(operation));
        let id = world.create("late", "hello").await;
        let environment = world.settled(&id).await;
        assert_eq!(environment["status"], "failed", "{operation}: {environment:#}");
        assert_eq!(environment["leftovers"], Value::Array(Vec::new()), "{operation}");
        let waits = waits(&world, &id).await;
        assert!(waits.iter().any(|why| why.contains(WAITS)), "{operation}: {waits:#?}");
        world.system.clock.sleep(Duration::from_secs(120)).await;
        assert!(world.inventory().await.is_empty(), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_does_not_hide_that_an_earlier_creation_was_never_answered() {
    for (operation, step) in [
        ("elasticloadbalancing:CreateLoadBalancer", "EnsureLoadBalancer"),
        ("elasticloadbalancing:CreateTargetGroup", "EnsureTargetGroup"),
    ] {
        let world = World::new().await;
        world.fault(operation, 1, Fault::Slow(Duration::from_secs(50)));
        let id = world.create("late", "hello").await;
        // The second call is answered, and its resource is removed before the first call takes effect.
        world.until_step(&id, step, "done").await;
        world.delete(&id).await;
        assert_eq!(world.settled(&id).await["status"], "deleted", "{operation}");
        world.system.clock.sleep(Duration::from_secs(120)).await;
        assert!(world.inventory().await.is_empty(), "{operation}: {}", world.inventory().await);
    }
}
