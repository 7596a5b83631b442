//! `GET /environments`.

use http::Method;
use serde_json::{Value, json};
use tests::World;

use super::get;

/// The names on a page, and the path of the next one.
async fn page(world: &World, team: &str, query: &str) -> (Vec<String>, Option<String>) {
    let body = get(world, team, &format!("/environments?{query}")).await.expect(200).body;
    let environments = body["environments"].as_array().expect("environments").iter();
    let names = environments.map(|environment| environment["name"].as_str().expect("a name").to_owned()).collect();
    (names, body["next_cursor"].as_str().map(str::to_owned))
}

/// The names on every page, and how many each has.
async fn walk(world: &World, team: &str, query: &str) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut next) = page(world, team, query).await;
    let mut sizes = vec![names.len()];
    while let Some(cursor) = next {
        let (more, after) = page(world, team, &format!("{query}&cursor={cursor}")).await;
        sizes.push(more.len());
        names.extend(more);
        next = after;
        assert!(sizes.len() < 100, "the cursor does not end: {sizes:?}");
    }
    (names, sizes)
}

#[tokio::test(start_paused = true)]
async fn the_cursor_leads_through_all_environments_newest_first() {
    let world = World::new().await;
    let nothing = json!({"environments": [], "unreadable": [], "next_cursor": null});
    assert_eq!(get(&world, "demo", "/environments").await.expect(200).body, nothing);

    let mut created: Vec<String> = (0..45).map(|number| format!("number-{number}")).collect();
    for name in &created {
        world.create(name, "hello").await;
    }
    created.reverse();
    for (query, sizes) in
        [("", vec![20, 20, 5]), ("limit=9", vec![9, 9, 9, 9, 9]), ("limit=45", vec![45]), ("limit=100", vec![45])]
    {
        assert_eq!(walk(&world, "demo", query).await, (created.clone(), sizes), "{query}");
    }
    // What is created between two pages stands before both.
    let (mut names, cursor) = page(&world, "demo", "limit=40").await;
    world.create("newest", "hello").await;
    names.extend(page(&world, "demo", &format!("cursor={}", cursor.as_deref().expect("a cursor"))).await.0);
    assert_eq!(names, created);

    // Another team sees nothing of it, not even with the cursor.
    world
        .call("other", Method::POST, "/environments", &json!({"name": "mine", "task_definition": "hello"}))
        .await
        .expect(202);
    assert_eq!(walk(&world, "other", "limit=1").await.0, ["mine"]);
    let (names, next) = page(&world, "other", &format!("cursor={}", cursor.expect("a cursor"))).await;
    assert!(names.iter().all(|name| name == "mine") && next.is_none(), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn a_status_filters_across_pages() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(world.create(&format!("number-{number}"), "hello").await);
    }
    for id in &ids {
        assert_eq!(world.settled(id).await["status"], "ready");
    }
    for id in ids.iter().step_by(2) {
        world.delete(id).await;
    }
    assert_eq!(page(&world, "demo", "status=deleting").await.0, ["number-2", "number-0"]);
    for id in ids.iter().step_by(2) {
        world.settled(id).await;
    }
    for (query, names) in [
        ("status=ready", vec!["number-3", "number-1"]),
        ("status=ready&limit=1", vec!["number-3", "number-1"]),
        ("status=deleted&limit=1", vec!["number-2", "number-0"]),
        ("status=failed", vec![]),
        ("status=cleanup_failed", vec![]),
    ] {
        let (found, sizes) = walk(&world, "demo", query).await;
        assert_eq!(found, names, "{query}");
        assert!(sizes == [0] || sizes.iter().all(|size| *size > 0), "{query}: no page is empty: {sizes:?}");
    }
    // One on the list is what it is when looked at.
    let list = get(&world, "demo", "/environments?limit=1").await.body;
    assert_eq!(list["environments"][0], world.get(&ids[3]).await);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_parameter_is_refused_and_named() {
    let world = World::new().await;
    world.create("there", "hello").await;
    for (query, code, pointer) in [
        ("limit=0", "invalid_request", "limit"),
        ("limit=101", "invalid_request", "limit"),
        ("limit=-1", "invalid_request", "limit"),
        ("limit=ten", "invalid_request", "limit"),
        ("limit=", "invalid_request", "limit"),
        ("limit=99999999999999999999", "invalid_request", "limit"),
        ("status=asleep", "invalid_request", "status"),
        ("status=READY", "invalid_request", "status"),
        ("colour=red", "invalid_request", "colour"),
        ("cursor=", "invalid_cursor", "cursor"),
        ("cursor=!", "invalid_cursor", "cursor"),
        ("cursor=aGVsbG8", "invalid_cursor", "cursor"),
        ("cursor=env_01k9xq3v6zj2m4t8d5w7c0b1a", "invalid_cursor", "cursor"),
        ("cursor=env_81k9xq3v6zj2m4t8d5w7c0b1ae", "invalid_cursor", "cursor"),
        ("cursor=env_01k9xq3v6zj2m4t8d5w7cob1ae", "invalid_cursor", "cursor"),
        ("cursor=env_01K9XQ3V6ZJ2M4T8D5W7C0B1AE", "invalid_cursor", "cursor"),
    ] {
        let reply = world.call("demo", Method::GET, &format!("/environments?{query}"), &Value::Null).await;
        let reply = reply.problem(400, code);
        assert_eq!(reply.pointers(), [pointer], "{query}: {}", reply.text);
        assert!(reply.body["detail"].as_str().expect("a detail").contains(pointer), "{query}: {}", reply.text);
    }
    let reply = get(&world, "demo", "/environments?status=ready&status=failed").await.problem(400, "invalid_request");
    assert!(reply.text.contains("duplicate field `status`"), "{}", reply.text);
}
