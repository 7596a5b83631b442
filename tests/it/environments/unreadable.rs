//! A record that this version of Berth cannot read harms only its own environment.

use std::time::Duration;

use berth_aws::sdk::dynamodb_types::AttributeValue;
use berth_domain::ResourceKind;
use berth_local::stand_in::quotas::Quotas;
use http::Method;
use serde_json::{Value, json};
use tests::{LogLines, World, WorldOptions};

use super::{get, requests_for};

/// What a newer version would have written in place of a step's name.
const NEWER: &str = "\"EnsureSomethingNewer\"";

/// `POST path` as team `demo`.
async fn post(world: &World, path: &str, body: &Value) -> tests::Reply {
    world.call("demo", Method::POST, path, body).await
}

#[tokio::test(start_paused = true)]
async fn of_fifty_environments_the_one_that_cannot_be_read_harms_no_other() {
    let quotas = Quotas { vpc_links: 100, load_balancers: 100, ..Quotas::default() };
    let world = World::with(WorldOptions { quotas, ..WorldOptions::default() }).await;
    let mut ids = Vec::new();
    for number in 0..50 {
        let body = json!({"name": format!("number-{number}"), "task_definition": "hello", "ttl": "8h"});
        let created = post(&world, "/environments", &body).await.expect(202);
        ids.push(created.body["id"].as_str().expect("an id").to_owned());
    }
    for id in &ids {
        assert_eq!(world.settled(id).await["status"], "ready");
    }
    let newer = ids[25].clone();
    world.rewrite_record(&newer, "\"EnsureStage\"", NEWER).await;

    // Every list shows the other 49 as usual, and the one by id and name.
    for query in ["limit=7", "limit=1", "limit=100", "status=ready&limit=20"] {
        let (mut listed, mut unreadable, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = get(&world, "demo", &format!("/environments?{query}{cursor}")).await.expect(200).body;
            let size = page["environments"].as_array().map_or(0, Vec::len);
            let size = size + page["unreadable"].as_array().map_or(0, Vec::len);
            assert!(size > 0, "{query}: an empty page");
            listed.extend(page["environments"].as_array().expect("environments").iter().map(|one| one["id"].clone()));
            unreadable.extend(page["unreadable"].as_array().expect("environments").iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let others: Vec<&String> = ids.iter().rev().filter(|id| **id != newer).collect();
        assert_eq!(json!(listed), json!(others), "{query}");
        assert_eq!(unreadable, [json!({"id": newer, "name": "number-25"})], "{query}");
    }

    // Every request for the one says what has happened and who can help; the log says which one it was, and why.
    let lines = LogLines::default();
    let logging = lines.collect();
    for (method, path, body) in requests_for(&newer) {
        let reply = world.call("demo", method, &path, &body).await;
        let reply = reply.problem(500, "record_unreadable");
        let detail = reply.body["detail"].as_str().expect("a detail");
        assert!(detail.contains(&newer) && detail.contains("operators"), "{detail}");
        let log = lines.take();
        let says = |line: &str| line.contains(&newer) && line.contains("EnsureSomethingNewer");
        assert!(log.lines().any(says) && !detail.contains("EnsureSomethingNewer"), "{log}");
    }
    drop(logging);

    // Every other one is changed and deleted as usual.
    let extended = json!({"ttl": "20h"});
    for id in ids.iter().filter(|id| **id != newer) {
        let before = world.get(id).await["expires_at"].clone();
        let after = post(&world, &format!("/environments/{id}/extend"), &extended).await.expect(200).body;
        assert_ne!(before, after["expires_at"]);
        world.delete(id).await;
    }
    for id in ids.iter().filter(|id| **id != newer) {
        assert_eq!(world.settled(id).await["status"], "deleted");
    }

    // Its own lifetime is over by now, but nothing of it is touched: not by the sweep, and not by an audit.
    world.system.clock.sleep(Duration::from_secs(9 * 3600)).await;
    let left = world.inventory().await;
    assert!(left.is_each(1) && left.count(ResourceKind::LoadBalancer) == 1, "{left}");
    // A version that knows the step goes on where this one could not.
    world.rewrite_record(&newer, NEWER, "\"EnsureStage\"").await;
    world.system.clock.sleep(Duration::from_secs(120)).await;
    assert_eq!(world.settled(&newer).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_kind_that_a_newer_version_knows_hides_no_other() {
    let world = World::new().await;
    let id = world.create("told", "hello").await;
    world.settled(&id).await;
    let before = world.events("demo", &id).await;
    let (dynamodb, table) = (&world.system.clients.dynamodb, world.system.settings.deployment.clone());
    let items = dynamodb.scan().table_name(&table).send().await.expect("the table").items.expect("items");
    let ready = AttributeValue::S("ready".to_owned());
    let says_ready = |kind: &AttributeValue| kind.as_m().is_ok_and(|kind| kind.get("status") == Some(&ready));
    let mut item = items.into_iter().find(|item| item.get("kind").is_some_and(says_ready)).expect("the event");
    let kind = [("type".to_owned(), AttributeValue::S("moved".to_owned()))];
    item.insert("kind".to_owned(), AttributeValue::M(kind.into()));
    dynamodb.put_item().table_name(&table).set_item(Some(item)).send().await.expect("a write");
    let after = world.events("demo", &id).await;
    assert_eq!(after.len(), before.len());
    let different: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert_eq!(different.len(), 1, "{different:#?}");
    assert_eq!((&different[0].1["type"], &different[0].1["at"]), (&"unreadable".into(), &different[0].0["at"]));
}
