//! How long the record and the history of a deleted environment are kept.

use std::time::Duration;

use berth_aws::sdk::dynamodb_types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tests::{World, WorldOptions};

use super::{get, requests_for};

/// A world that keeps what is deleted for two days: the janitor sweeps every minute of them.
async fn world() -> World {
    World::with(WorldOptions { retention_days: 2, ..WorldOptions::default() }).await
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How many items of the table there are, and how many of them expire.
async fn items(world: &World) -> (usize, usize) {
    let (dynamodb, table) = (&world.system.clients.dynamodb, &world.system.settings.deployment);
    let scan = dynamodb.scan().table_name(table).into_paginator().items().send();
    let items: Vec<_> = scan.try_collect().await.expect("the table");
    let of_environments = |sk: &AttributeValue| {
        sk.as_s().is_ok_and(|sk| ["ENV#", "EVENT#", "NAME#"].iter().any(|prefix| sk.starts_with(prefix)))
    };
    let items: Vec<_> = items.into_iter().filter(|item| item.get("sk").is_some_and(of_environments)).collect();
    (items.len(), items.iter().filter(|item| item.contains_key("expires_at")).count())
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_goes_with_its_history_at_the_moment_that_it_said() {
    let world = world().await;
    let kept = world.create("kept", "hello").await;
    let gone = world.create("gone", "hello").await;
    world.settled(&kept).await;
    world.settled(&gone).await;
    assert_eq!(world.get(&gone).await["kept_until"], Value::Null);
    let lasting = items(&world).await;
    assert_eq!(lasting.1, 0, "nothing of an environment that is not deleted expires");
    world.delete(&gone).await;
    let deleted = world.settled(&gone).await;
    let until: Timestamp = deleted["kept_until"].as_str().expect("a moment").parse().expect("a moment");
    let left = until.duration_since(world.system.clock.now());
    assert!(SignedDuration::from_hours(47) < left && left <= SignedDuration::from_hours(48), "{left}");
    let (events, kept_events) = (world.events("demo", &gone).await, world.events("demo", &kept).await);

    // A sweep later each of its items expires, and none of the other's.
    world.system.clock.sleep(Duration::from_secs(120)).await;
    assert_eq!(world.get(&gone).await, deleted, "its record stays as it was");
    assert_eq!(items(&world).await.1, events.len() + 1);

    // Until that moment it is there with everything; then it is gone for every request, whether DynamoDB removed it or not.
    world.system.clock.sleep(DAY * 2 - Duration::from_secs(3600)).await;
    assert_eq!(world.events("demo", &gone).await, events);
    let left = until.duration_since(world.system.clock.now());
    world.system.clock.sleep(Duration::try_from(left).expect("it is not over")).await;
    assert!(items(&world).await.1 > 0, "DynamoDB removes late");
    for (method, path, body) in requests_for(&gone) {
        let reply = world.call("demo", method, &path, &body).await;
        reply.problem(404, "not_found");
    }
    for query in ["", "?status=deleted", "?limit=1"] {
        let page = get(&world, "demo", &format!("/environments{query}")).await.expect(200).body;
        assert!(!page.to_string().contains(&gone), "{query}: {page:#}");
        assert_eq!(page["next_cursor"], Value::Null, "{query}");
    }

    // DynamoDB has removed all of it a day later, and nothing else.
    world.system.clock.sleep(DAY).await;
    assert_eq!(items(&world).await.1, 0);
    assert_eq!(world.get(&kept).await["status"], "ready");
    assert_eq!(world.events("demo", &kept).await, kept_events);
    let all = get(&world, "demo", "/environments").await.expect(200).body;
    assert_eq!(all["environments"].as_array().map(Vec::len), Some(1), "{all:#}");
}

#[tokio::test(start_paused = true)]
async fn what_failed_never_expires_until_it_is_deleted() {
    let world = world().await;
    world.deny("apigateway:CreateVpcLink");
    let failed = world.create("failed", "hello").await;
    assert_eq!(world.settled(&failed).await["status"], "failed");
    world.system.clock.sleep(DAY * 5).await;
    assert_eq!(world.get(&failed).await["status"], "failed");
    assert_eq!(items(&world).await.1, 0);
    // Deleted, it is kept for as long as any other, counted from then.
    let deleted = world.delete(&failed).await;
    assert_eq!(deleted["status"], "deleted");
    world.system.clock.sleep(DAY).await;
    assert_eq!(world.get(&failed).await["kept_until"], deleted["kept_until"]);
    world.system.clock.sleep(DAY + DAY).await;
    get(&world, "demo", &format!("/environments/{failed}")).await.problem(404, "not_found");
    assert_eq!(items(&world).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_list_by_status_reads_only_what_has_the_status() {
    let world = World::new().await;
    for number in 0..30 {
        let id = world.create(&format!("number-{number}"), "hello").await;
        world.delete(&id).await;
        world.settled(&id).await;
    }
    let ready = world.create("ready", "hello").await;
    world.settled(&ready).await;
    world.faults().record();
    let page = get(&world, "demo", "/environments?status=ready").await.expect(200).body;
    assert_eq!(page["environments"][0]["id"], ready.as_str());
    let journal = world.faults().journal();
    let reads: Vec<_> =
        journal.iter().map(|(operation, _)| operation.as_str()).filter(|one| one.starts_with("dynamodb:")).collect();
    assert_eq!(reads, ["dynamodb:Query", "dynamodb:BatchGetItem"]);
}
