//! What a body may be before its values count: its size, its coding, and each member once.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_body_may_have_64_kib_and_not_one_byte_more() {
    let world = World::new().await;
    world.faults().record();
    let padded = |name: &str, length: usize| {
        let body = request(json!({"name": name})).to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    for length in [65 * 1024, 64 * 1024 + 1, 10 << 20] {
        post_text(&world, &padded("orders", length)).await.problem(413, "body_too_large");
    }
    let name = json!({"name": "n".repeat(64 * 1024)});
    post(&world, "demo", &request(name)).await.problem(413, "body_too_large");
    assert_nothing_came_of_it(&world).await;
    post_text(&world, &padded("largest", 64 * 1024)).await.expect(202);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_there_twice_is_refused_at_every_depth() {
    let world = World::new().await;
    world.faults().record();
    for (text, pointer) in [
        (r#""name": "a""#, "/name"),
        (r#""container": {"port": 1, "port": 2}"#, "/container/port"),
        (r#""network": {"subnets": null, "subnets": null}"#, "/network/subnets"),
        (r#""access": {"kind": "open", "kind": "iam"}"#, "/access/kind"),
        (r#""labels": {"a": "1", "a": "2"}"#, "/labels/a"),
        (r#""labels": {"a": "1", "\u0061": "1"}"#, "/labels/a"),
        (r#""labels": {}, "labels": {}"#, "/labels"),
    ] {
        let text = format!(r#"{{"name": "orders", "task_definition": "hello", {text}}}"#);
        let reply = post_text(&world, &text).await.problem(400, "invalid_request");
        assert_eq!(reply.body["errors"], json!([{"pointer": pointer, "detail": "must not be there twice"}]), "{text}");
    }
    assert_nothing_came_of_it(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_in_a_content_coding_is_refused_with_the_one_that_is_accepted() {
    // RFC 9110, sections 8.4 and 15.5.16.
    let world = World::new().await;
    world.faults().record();
    let body = request(json!({}));
    for coding in ["gzip", "br", "GZIP", "identity, gzip", "aws-chunked", "x"] {
        let headers = [("content-encoding", coding)];
        let reply = world.call_with("demo", Method::POST, "/environments", &body, &headers).await;
        let reply = reply.problem(415, "unsupported_content_coding");
        assert_eq!(reply.header("accept-encoding"), "identity", "{coding}");
    }
    for (method, path) in [
        (Method::DELETE, "/environments/env_1"),
        (Method::POST, "/environments/env_1/retry"),
        (Method::GET, "/findings"),
    ] {
        let headers = [("content-encoding", "gzip")];
        let reply = world.call_with("demo", method, path, &Value::Null, &headers).await;
        reply.problem(415, "unsupported_content_coding");
    }
    assert_nothing_came_of_it(&world).await;
    for (name, coding) in [("plain", "identity"), ("empty", ""), ("twice", "identity, Identity")] {
        let headers = [("content-encoding", coding)];
        let body = request(json!({"name": name}));
        world.call_with("demo", Method::POST, "/environments", &body, &headers).await.expect(202);
    }
}
