//! Many environments at once under the rates that AWS allows an account: slots come in order, and no user sees a throttle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use berth_local::stand_in::quotas::Quotas;
use jiff::Timestamp;
use serde_json::Value;
use tests::{World, WorldOptions};

/// What the environment and its history say of throttling.
async fn complaints(world: &World, environment: &Value) -> Vec<Value> {
    let mut said = world.events("demo", environment["id"].as_str().expect("an id")).await;
    let mut shown = environment.clone();
    // What the stage lets through is no complaint.
    shown.as_object_mut().expect("an object").remove("throttle");
    said.push(shown);
    said.retain(|one| {
        let text = one.to_string().to_lowercase();
        ["throttl", "toomanyrequests", "too many requests", "rate exceeded", "takes no more"]
            .iter()
            .any(|word| text.contains(word))
    });
    said
}

/// The place in the queue and the slot of each environment that waits in `step`.
async fn queue(world: &World, ids: &[String], step: &str) -> Vec<(u64, Timestamp, String)> {
    let mut waiting = Vec::new();
    for id in ids {
        let steps = world.view(id).await.steps.into_iter();
        let queue = steps.filter(|shown| shown.name.as_str() == step).find_map(|shown| shown.queue);
        waiting.extend(queue.map(|queue| (queue.place, queue.slot_at, id.clone())));
    }
    waiting
}

/// The time in `member`.
fn moment(value: &Value, member: &str) -> Option<Timestamp> {
    value[member].as_str().map(|text| text.parse().expect("a moment"))
}

/// When the environment's resource of this kind was recorded, announced or seen gone.
fn resource(environment: &Value, kind: &str, member: &str) -> Option<Timestamp> {
    let resources = environment["resources"].as_array().expect("resources");
    moment(resources.iter().find(|resource| resource["resource"] == kind)?, member)
}

/// Each environment that was shown a place has its resource created, or deleted, within 5 s of the slot that was shown.
fn assert_came_at_its_slot(environments: &[Value], waiting: &[(u64, Timestamp, String)], kind: &str, member: &str) {
    for (place, slot, id) in waiting {
        let environment = environments.iter().find(|environment| environment["id"] == id.as_str()).expect("it");
        let late = resource(environment, kind, member).expect("it came").duration_since(*slot).as_secs_f64();
        assert!((0.0..5.0).contains(&late), "place {place} was shown slot {slot}, and {member} is {late} s later");
    }
}

/// Creates `count` environments at once; their ids.
async fn create(world: &World, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(world.create(&format!("many-{number}"), "hello").await);
    }
    ids
}

/// Waits until no operation is under way; the environments then.
async fn settled(world: &World, ids: &[String]) -> Vec<Value> {
    let mut settled = Vec::new();
    for id in ids {
        settled.push(world.settled(id).await);
    }
    settled
}

/// How long one environment takes, alone: to become ready, and to be deleted.
async fn alone() -> (Duration, Duration) {
    let world = World::new().await;
    let began = world.system.clock.now();
    let id = world.create("alone", "hello").await;
    world.until_status(&id, "ready").await;
    let ready = world.system.clock.since(began);
    let began = world.system.clock.now();
    world.delete(&id).await;
    world.until_status(&id, "deleted").await;
    (ready, world.system.clock.since(began))
}

/// An account whose adjustable quotas are no limit here.
async fn roomy() -> World {
    let quotas = Quotas { load_balancers: 300, vpc_links: 300, ..Quotas::default() };
    World::with(WorldOptions { quotas, ..Default::default() }).await
}

#[tokio::test(start_paused = true)]
async fn ten_at_once_under_a_lambda_concurrency_of_two_wait_and_none_fails() {
    let quotas = Quotas { concurrent_calls: 2, ..Quotas::default() };
    let world = World::with(WorldOptions { quotas, ..Default::default() }).await;
    let throttled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&throttled);
    world.wrap_calls(move |call, worker| {
        let counted = Arc::clone(&counted);
        Box::pin(async move {
            let reply = worker(call.invocation).await;
            if reply.as_ref().is_err_and(|error| error.error_type == "Lambda.TooManyRequestsException") {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            reply
        })
    });
    let ids = create(&world, 10).await;
    for environment in settled(&world, &ids).await {
        assert_eq!(environment["status"], "ready", "{environment:#}");
    }
    for id in &ids {
        world.delete(id).await;
    }
    for environment in settled(&world, &ids).await {
        assert_eq!(environment["status"], "deleted", "{environment:#}");
    }
    let throttled = throttled.load(Ordering::Relaxed);
    assert!(throttled > 100, "the concurrency was a limit: {throttled}");
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_are_ready_as_soon_as_the_rates_allow_and_the_places_shown_are_true() {
    let (alone, _) = alone().await;
    let world = roomy().await;
    let began = world.system.clock.now();
    let ids = create(&world, 200).await;
    world.system.clock.sleep(Duration::from_secs(20)).await;
    let mut waiting = queue(&world, &ids, "EnsureLoadBalancer").await;
    waiting.sort();
    let places: Vec<u64> = waiting.iter().map(|(place, ..)| *place).collect();
    assert!(places.len() > 150, "most wait: {places:?}");
    let wanted: Vec<u64> = (places[0]..).take(places.len()).collect();
    assert_eq!(places, wanted, "every place is taken");
    let environments = settled(&world, &ids).await;
    // The last of 200 deployments may be made 199 times 5 s after the first (docs/aws.md#rates), which takes as long as alone.
    let allowed = alone + Duration::from_secs(199 * 5);
    let last = environments.iter().map(|environment| moment(environment, "updated_at").expect("a moment")).max();
    let took = Duration::try_from(last.expect("200").duration_since(began)).expect("ahead");
    for environment in &environments {
        assert_eq!(environment["status"], "ready", "{environment:#}");
        assert_eq!(complaints(&world, environment).await, Vec::<Value>::new());
    }
    assert!(took <= allowed.mul_f64(1.10), "{took:?} where the rates allow {allowed:?}");
    assert_came_at_its_slot(&environments, &waiting, "load_balancer", "recorded_at");
    println!("200 ready after {took:?}; the rates allow {allowed:?}; alone {alone:?}");
}

#[tokio::test(start_paused = true)]
async fn sixty_deleted_at_once_are_gone_as_soon_as_the_rate_of_delete_rest_api_allows() {
    let (_, alone) = alone().await;
    let world = roomy().await;
    let ids = create(&world, 60).await;
    for environment in settled(&world, &ids).await {
        assert_eq!(environment["status"], "ready", "{environment:#}");
    }
    let began = world.system.clock.now();
    for id in &ids {
        world.delete(id).await;
    }
    world.system.clock.sleep(Duration::from_secs(300)).await;
    let waiting = queue(&world, &ids, "UndoRestApi").await;
    assert!(waiting.len() > 40, "most wait: {waiting:?}");
    let environments = settled(&world, &ids).await;
    assert_came_at_its_slot(&environments, &waiting, "rest_api", "absent_at");
    let last = environments.iter().map(|environment| moment(environment, "updated_at").expect("a moment")).max();
    let took = Duration::try_from(last.expect("60").duration_since(began)).expect("ahead");
    for environment in &environments {
        assert_eq!(environment["status"], "deleted", "{environment:#}");
        // 60 listeners and target groups at once are more than ELBv2 deletes in a second: those steps, for which no slots are
        // kept, wait for seconds and say so.
        let mut complaints = complaints(&world, environment).await;
        complaints.retain(|one| !(one["state"] == "waiting" && one["step"] != "UndoRestApi"));
        assert_eq!(complaints, Vec::<Value>::new());
    }
    assert!(world.inventory().await.is_empty());
    // The last of 60 APIs may be deleted 59 times 30 s after the first; the rest takes as long as alone.
    let allowed = alone + Duration::from_secs(59 * 30);
    assert!(took <= allowed.mul_f64(1.10), "{took:?} where the rate allows {allowed:?}");
    println!("60 deleted after {took:?}; the rate allows {allowed:?}; alone {alone:?}");
}

/// Deletes an environment; the slot that its REST API's deletion gets, in seconds after `began`.
async fn deleted_behind(world: &World, id: &str, began: Timestamp) -> f64 {
    world.delete(id).await;
    let environment = world.until_step(id, "UndoRestApi", "waiting").await;
    let (_, slot, _) =
        queue(world, &[id.to_owned()], "UndoRestApi").await.pop().unwrap_or_else(|| panic!("{environment:#}"));
    slot.duration_since(began).as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn throttled_calls_do_not_lengthen_a_queue_that_is_longer_than_they_last() {
    let world = roomy().await;
    let ids = create(&world, 6).await;
    settled(&world, &ids).await;
    world.throttle("apigateway:DeleteRestApi", 6);
    let began = world.system.clock.now();
    for id in &ids[..5] {
        world.delete(id).await;
    }
    world.system.clock.sleep(Duration::from_secs(60)).await;
    let after = deleted_behind(&world, &ids[5], began).await;
    // Five are before it, one interval of 31.5 s each.
    assert!((5.0 * 31.5..5.0 * 31.5 + 31.0).contains(&after), "{after} s");
    for environment in settled(&world, &ids).await {
        assert_eq!(environment["status"], "deleted", "{environment:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_a_call_that_was_throttled_waits_until_there_is_something_to_have_again() {
    let world = roomy().await;
    let ids = create(&world, 2).await;
    settled(&world, &ids).await;
    world.throttle("apigateway:DeleteRestApi", 6);
    let began = world.system.clock.now();
    world.delete(&ids[0]).await;
    world.system.clock.sleep(Duration::from_secs(40)).await;
    let after = deleted_behind(&world, &ids[1], began).await;
    // Six throttles take 18 to 36 s.
    assert!((18.0 + 31.5 - 6.0..36.0 + 31.5).contains(&after), "{after} s");
    for environment in settled(&world, &ids).await {
        assert_eq!(environment["status"], "deleted", "{environment:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_throttled_again_and_again_is_tried_every_few_seconds() {
    let (alone, _) = alone().await;
    for operation in ["CreateRestApi", "CreateVpcLink", "CreateDeployment"] {
        let world = World::new().await;
        world.throttle(&format!("apigateway:{operation}"), 10);
        let began = world.system.clock.now();
        let id = world.create("throttled", "hello").await;
        assert_eq!(world.settled(&id).await["status"], "ready", "{operation}");
        let took = world.system.clock.since(began);
        assert!(took < alone + Duration::from_secs(90), "{operation}: {took:?}, alone {alone:?}");
        assert!(world.faults().all_came() && world.inventory().await.is_each(1), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_a_quota_an_environment_fails_with_the_quota_named_and_the_others_are_ready() {
    let world = World::new().await;
    let ids = create(&world, 55).await;
    let environments = settled(&world, &ids).await;
    let ready = environments.iter().filter(|environment| environment["status"] == "ready").count();
    assert_eq!(ready, 20, "as many as an account may have VPC links");
    for environment in environments.iter().filter(|environment| environment["status"] != "ready") {
        assert_eq!(environment["status"], "failed", "{environment:#}");
        assert_eq!(environment["failure"]["code"], "aws_quota_exceeded", "{environment:#}");
        assert_eq!(complaints(&world, environment).await, Vec::<Value>::new());
    }
    assert!(world.inventory().await.is_each(20));
}
