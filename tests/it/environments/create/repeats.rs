//! The same request again: names, idempotency keys, many at once.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_name_belongs_to_one_environment_of_a_team_until_that_is_deleted() {
    let world = World::new().await;
    let first = post(&world, "demo", &request(json!({}))).await.expect(202);
    let first = first.body["id"].as_str().expect("an id");
    for stage in ["queued", "ready"] {
        let reply = post(&world, "demo", &request(json!({"desired_count": 2}))).await.problem(409, "name_taken");
        assert!(reply.body["detail"].as_str().expect("a detail").contains(first), "{stage}: {}", reply.text);
        world.settled(first).await;
    }
    let other = post(&world, "other", &request(json!({}))).await.expect(202);
    assert_eq!(other.body["team"], "other");
    world.delete(first).await;
    post(&world, "demo", &request(json!({}))).await.problem(409, "name_taken");
    assert_eq!(world.settled(first).await["status"], "deleted");
    post(&world, "demo", &request(json!({}))).await.expect(202);
}

#[tokio::test(start_paused = true)]
async fn ten_requests_at_once_with_one_key_make_one_environment_and_get_equal_answers() {
    let world = Arc::new(World::new().await);
    let request = request(json!({"labels": {"pull_request": "42"}}));
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let (world, request) = (Arc::clone(&world), request.clone());
            tokio::spawn(async move { post_with_key(&world, "demo", "tester", b"one-key", &request).await })
        })
        .collect();
    let mut replies = Vec::new();
    for request in requests {
        replies.push(request.await.expect("an answer").expect(202));
    }
    for reply in &replies {
        assert_eq!(reply.text, replies[0].text);
        for header in ["location", "retry-after", "content-type"] {
            assert_eq!(reply.header(header), replies[0].header(header));
        }
    }
    let ids = ids(&world).await;
    assert_eq!(ids, [replies[0].body["id"].as_str().expect("an id")]);
    assert_eq!(world.settled(&ids[0]).await["status"], "ready");
    assert_eq!(world.executions().await.len(), 1);
    assert!(world.inventory().await.is_each(1));
}

#[tokio::test(start_paused = true)]
async fn ten_requests_at_once_for_one_name_make_one_environment_and_nine_conflicts() {
    let world = Arc::new(World::new().await);
    let requests: Vec<_> = (0..10)
        .map(|number| {
            let world = Arc::clone(&world);
            let body = request(json!({"labels": {"number": number.to_string()}}));
            tokio::spawn(async move {
                post_with_key(&world, "demo", "tester", format!("key-{number}").as_bytes(), &body).await
            })
        })
        .collect();
    let mut accepted = Vec::new();
    for request in requests {
        let reply = request.await.expect("an answer");
        if reply.status == 202 {
            accepted.push(reply.body["id"].as_str().expect("an id").to_owned());
        } else {
            reply.problem(409, "name_taken");
        }
    }
    assert_eq!(accepted, ids(&world).await);
    assert_eq!((accepted.len(), world.executions().await.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_key_gets_the_first_answer_whatever_became_of_the_environment_for_24_hours() {
    let world = World::new().await;
    let body = request(json!({}));
    let first = post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
    let id = first.body["id"].as_str().expect("an id");
    assert_eq!(first.body["status"], "queued");
    let began = world.system.clock.now();
    for status in ["ready", "deleted"] {
        assert_eq!(world.settled(id).await["status"], status);
        let again = post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
        assert_eq!(again.text, first.text, "when {status}");
        world.delete(id).await;
    }
    assert_eq!(world.executions().await.len(), 2);

    // The name is free again and another request takes it. The key still means the first environment, until it expires.
    let second = post(&world, "demo", &body).await.expect(202);
    world.settled(second.body["id"].as_str().expect("an id")).await;
    let passed = world.system.clock.since(began);
    world.system.clock.sleep(DAY - passed - Duration::from_secs(2)).await;
    let again = post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
    assert_eq!(again.text, first.text, "just before it expires");
    world.system.clock.sleep(Duration::from_secs(4)).await;
    let reply = post_with_key(&world, "demo", "tester", b"a-key", &body).await.problem(409, "name_taken");
    assert!(reply.text.contains(second.body["id"].as_str().expect("an id")), "{}", reply.text);
    let renamed = request(json!({"name": "renamed"}));
    let third = post_with_key(&world, "demo", "tester", b"a-key", &renamed).await.expect(202);
    let again = post_with_key(&world, "demo", "tester", b"a-key", &renamed).await.expect(202);
    assert_eq!(again.text, third.text, "an expired key may be used again");
}

#[tokio::test(start_paused = true)]
async fn a_key_belongs_to_one_caller_and_one_body() {
    let world = World::new().await;
    let body = request(json!({}));
    let first = post_with_key(&world, "demo", "ann", b"a-key", &body).await.expect(202).body;
    let other_body = request(json!({"name": "another"}));
    let reply =
        post_with_key(&world, "demo", "ann", b"a-key", &other_body).await.problem(422, "idempotency_key_reused");
    assert_eq!(reply.pointers(), ["Idempotency-Key"]);
    assert!(reply.text.contains(first["id"].as_str().expect("an id")), "{}", reply.text);

    let of_bob = post_with_key(&world, "demo", "bob", b"a-key", &other_body).await.expect(202).body;
    assert_eq!(of_bob["created_by"], "bob");
    let of_other_team = post_with_key(&world, "other", "ann", b"a-key", &body).await.expect(202).body;
    assert_eq!(of_other_team["team"], "other");
    assert_eq!(ids(&world).await.len(), 2);

    // A refused request is not remembered: the key may be used for the corrected one.
    post_with_key(&world, "demo", "ann", b"b-key", &json!({"name": "Wrong"})).await.problem(400, "invalid_request");
    post_with_key(&world, "demo", "ann", b"b-key", &body).await.problem(409, "name_taken");
    post_with_key(&world, "demo", "ann", b"b-key", &request(json!({"name": "right"}))).await.expect(202);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_1_to_255_visible_characters() {
    let world = World::new().await;
    world.faults().record();
    let long = "k".repeat(256);
    for key in [&b""[..], b"a b", b"a\tb", "schl\u{fc}ssel".as_bytes(), b"\xff", long.as_bytes()] {
        let reply = post_with_key(&world, "demo", "tester", key, &request(json!({}))).await;
        let reply = reply.problem(400, "invalid_idempotency_key");
        assert_eq!(reply.pointers(), ["Idempotency-Key"], "{key:?}");
    }
    assert_nothing_came_of_it(&world).await;
    let body = request(json!({"name": "longest-key"}));
    post_with_key(&world, "demo", "tester", &long.as_bytes()[1..], &body).await.expect(202);
}
