//! `GET /environments/{id}/events`.

use std::time::Duration;

use berth_domain::Status;
use serde_json::{Value, json};
use tests::World;

use super::get;
use super::get::foreign_ids;

/// What `query` answers: the events, where to go on, and whether there are more.
async fn page(world: &World, id: &str, query: &str) -> (Vec<Value>, String, bool) {
    let body = get(world, "demo", &format!("/environments/{id}/events?{query}")).await.expect(200).body;
    let events = body["events"].as_array().expect("events").clone();
    (events, body["next_cursor"].as_str().expect("a cursor").to_owned(), body["more"].as_bool().expect("more"))
}

/// The whole history, `limit` at a time.
async fn history(world: &World, id: &str, limit: usize) -> Vec<Value> {
    let (mut events, mut cursor, mut more) = page(world, id, &format!("limit={limit}")).await;
    while more {
        let (next, after, even_more) = page(world, id, &format!("limit={limit}&cursor={cursor}")).await;
        assert!(!next.is_empty(), "`more` promised one behind {cursor}");
        events.extend(next);
        (cursor, more) = (after, even_more);
    }
    events
}

fn time(event: &Value) -> jiff::Timestamp {
    event["at"].as_str().expect("a time").parse().expect("a time")
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_keeps_the_cursor_sees_every_event_once_and_in_order() {
    let world = World::new().await;
    let id = world.create("told", "hello").await;
    let (mut seen, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let moving = world.view(&id).await.is_moving();
        let (events, after, more) = page(&world, &id, &format!("limit=3&cursor={cursor}")).await;
        assert!(events.len() == 3 || !more, "a page that is not full is the last one");
        assert_eq!(after == cursor, events.is_empty());
        seen.extend(events);
        cursor = after;
        if !moving && !more {
            break;
        }
        if !more {
            world.system.clock.sleep(Duration::from_secs(7)).await;
        }
    }
    assert!(seen.len() > 20, "{seen:#?}");
    assert_eq!(page(&world, &id, &format!("cursor={cursor}")).await, (Vec::new(), cursor, false));
    for limit in [1, 4, 100] {
        assert_eq!(history(&world, &id, limit).await, seen, "{limit} at a time");
    }
    // A page that holds exactly what is left says so.
    let (events, _, more) = page(&world, &id, &format!("limit={}", seen.len())).await;
    assert_eq!((events.len(), more), (seen.len(), false));
    assert!(seen.is_sorted_by_key(time));
    let what = |event: &Value| json!([event["type"], event["status"]]);
    assert_eq!(what(&seen[0]), json!(["status", "queued"]));
    assert_eq!(what(&seen[1]), json!(["status", "provisioning"]));
    assert_eq!(what(&seen[seen.len() - 1]), json!(["status", "ready"]));
}

#[tokio::test(start_paused = true)]
async fn the_statuses_of_a_history_follow_the_rule_and_end_where_the_environment_stands() {
    for (image, delete_after, statuses) in [
        ("berth/hello", 10_000, "queued provisioning ready deleting deleted"),
        ("berth/hello", 0, "queued deleting deleted"),
        ("berth/hello", 100, "queued provisioning deleting deleted"),
        ("berth/exits:3", 10_000, "queued provisioning deleting failed deleted"),
        ("berth/exits:3", 60, "queued provisioning deleting deleted"),
    ] {
        let world = World::new().await;
        world.register("told", image).await;
        let id = world.create("told", "told").await;
        world.system.clock.sleep(Duration::from_secs(delete_after)).await;
        world.delete(&id).await;
        let environment = world.settled(&id).await;
        let events = history(&world, &id, 100).await;
        assert!(events.is_sorted_by_key(time), "{events:#?}");
        let found: Vec<Status> = events
            .iter()
            .filter(|event| event["type"] == "status")
            .map(|event| event["status"].as_str().expect("a status").parse().expect("a status"))
            .collect();
        for pair in found.windows(2) {
            assert!(pair[0].may_become(pair[1]), "{found:?}");
        }
        let words: Vec<&str> = found.iter().map(|status| status.as_str()).collect();
        assert_eq!(words.join(" "), statuses, "{image} deleted after {delete_after} s");
        assert_eq!(environment["status"], words[words.len() - 1]);
        let failed = events.iter().filter(|event| event["type"] == "failed").count();
        assert_eq!(failed, usize::from(words.contains(&"failed")), "{events:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_teams_history_is_not_there_and_wrong_parameters_are_named() {
    let world = World::new().await;
    let id = world.create("secret", "hello").await;
    for (sent, _) in foreign_ids(&id) {
        get(&world, "other", &format!("/environments/{sent}/events")).await.problem(404, "not_found");
    }
    for (query, code, pointer) in [
        ("limit=0", "invalid_request", "limit"),
        ("limit=101", "invalid_request", "limit"),
        ("limit=-1", "invalid_request", "limit"),
        ("limit=many", "invalid_request", "limit"),
        ("limit=99999999999", "invalid_request", "limit"),
        ("colour=red", "invalid_request", "colour"),
        ("cursor=", "invalid_cursor", "cursor"),
        ("cursor=first", "invalid_cursor", "cursor"),
        ("cursor=-1", "invalid_cursor", "cursor"),
        ("cursor=%2B1", "invalid_cursor", "cursor"),
        ("cursor=999999999999", "invalid_cursor", "cursor"),
        ("cursor=9999999999999", "invalid_cursor", "cursor"),
        ("cursor=18446744073709551615", "invalid_cursor", "cursor"),
        ("cursor=18446744073709551616", "invalid_cursor", "cursor"),
    ] {
        let reply = get(&world, "demo", &format!("/environments/{id}/events?{query}")).await.problem(400, code);
        assert_eq!(reply.pointers(), [pointer], "{query}: {}", reply.text);
        // Whose environment it is comes first: a foreign one is not there, however it is asked for.
        get(&world, "other", &format!("/environments/nothing/events?{query}")).await.problem(404, "not_found");
    }
}
