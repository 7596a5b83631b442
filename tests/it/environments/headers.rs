//! What every answer has, whatever it says; and how large a page may become.

use berth_aws::sdk::dynamodb_types::AttributeValue;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tests::{LogLines, World, WorldOptions};

use super::{get, send};

/// Whether the answer is stored nowhere, taken for nothing else, and comes by TLS.
fn is_safe(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    header("cache-control") == "no-store"
        && header("x-content-type-options") == "nosniff"
        && header("strict-transport-security").starts_with("max-age=")
}

#[tokio::test(start_paused = true)]
async fn every_answer_says_how_browsers_and_caches_must_treat_it() {
    let origin = Some("https://portal.example.com".parse().expect("a header"));
    let world = World::with(WorldOptions { allowed_origin: origin, ..WorldOptions::default() }).await;
    let id = world.create("seen", "hello").await;
    let path = format!("/environments/{id}");
    let created = json!({"name": "second", "task_definition": "hello"});
    for (method, path, body, status) in [
        (Method::GET, "/environments", &Value::Null, 200),
        (Method::GET, &*path, &Value::Null, 200),
        (Method::POST, "/environments", &created, 202),
        (Method::DELETE, &*path, &Value::Null, 202),
        (Method::GET, "/environments/nothing", &Value::Null, 404),
        (Method::PUT, "/environments", &Value::Null, 405),
        (Method::POST, "/environments", &json!({}), 400),
    ] {
        let reply = world.call("demo", method, path, body).await.expect(status);
        assert!(is_safe(&reply.headers), "{path} {status}: {:?}", reply.headers);
    }
    let preflight =
        [("origin", b"https://portal.example.com".as_slice()), ("access-control-request-method", b"POST".as_slice())];
    for (method, path, headers) in [
        (Method::GET, "/healthz", &preflight[..0]),
        (Method::GET, "/openapi.json", &preflight[..0]),
        (Method::GET, "/environments", &preflight[..0]),
        (Method::OPTIONS, "/environments", &preflight[..]),
    ] {
        let reply = send(&world, &method, path, headers, "").await;
        assert!(is_safe(&reply.headers), "{path} {}: {:?}", reply.status, reply.headers);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_never_exceeds_what_a_lambda_may_answer_and_the_cursor_leads_through_all() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        let id = world.create(&format!("large-{number}"), "hello").await;
        world.delete(&id).await;
        world.settled(&id).await;
        ids.push(id);
    }
    // As large as DynamoDB lets an item be, and of what JSON in JSON takes the most for.
    let labels = format!("\"labels\":{{\"large\":\"{}\"", "\\\"".repeat(180_000));
    for id in &ids {
        world.rewrite_record(id, "\"labels\":{", &labels).await;
    }
    ids.reverse();
    for query in ["limit=100", "limit=100&status=deleted"] {
        let (mut listed, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = get(&world, "demo", &format!("/environments?{query}{cursor}")).await.expect(200);
            let answer = json!({"statusCode": 200, "body": page.text}).to_string();
            assert!(answer.len() < 6_000_000, "{query}: {}", answer.len());
            let environments = page.body["environments"].as_array().expect("environments").clone();
            listed.extend(environments.iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
            pages += 1;
            let Some(next) = page.body["next_cursor"].as_str() else { break };
            assert!(!environments.is_empty());
            cursor = format!("&cursor={next}");
        }
        assert_eq!(listed, ids, "{query}");
        assert!(pages > 1, "{query}: {pages}");
    }
    // One that cannot be a record at all hides none either.
    let (dynamodb, table) = (&world.system.clients.dynamodb, &world.system.settings.deployment);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = dynamodb.put_item().table_name(table).item("pk", text("TEAM#demo")).item("sk", text("ENV#what"));
    put.send().await.expect("a write");
    get(&world, "demo", "/environments?limit=1").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn the_log_has_the_gateways_request_id_beside_the_one_that_a_client_chose() {
    let (world, lines) = (World::new().await, LogLines::default());
    let _logging = lines.collect();
    let headers = [("x-request-id", "chosen")];
    let reply = world.call_with("demo", Method::GET, "/environments", &Value::Null, &headers).await.expect(200);
    assert_eq!(reply.header("x-request-id"), "chosen");
    let log = lines.take();
    let line = log.lines().find(|line| line.contains("request_id=\"chosen\"")).expect("the line of the request");
    let gateway = line.split("gateway_request_id=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    assert_eq!(gateway.len(), 26, "{line}");
    // Without an id of the client, the gateway's is in the answer.
    let reply = get(&world, "demo", "/environments").await.expect(200);
    let id = reply.header("x-request-id");
    assert!(lines.take().contains(&format!("request_id=\"{id}\" gateway_request_id=\"{id}\"")));
}

#[tokio::test(start_paused = true)]
async fn a_header_with_one_value_that_is_there_twice_is_refused() {
    // RFC 9110, section 5.3.
    let world = World::new().await;
    let token = format!("Bearer {}", world.token("demo"));
    let body = json!({"name": "twice", "task_definition": "hello"}).to_string();
    for name in ["idempotency-key", "x-request-id", "content-type", "origin", "host"] {
        let headers = [("authorization", token.as_bytes()), (name, b"one".as_slice()), (name, b"two".as_slice())];
        let reply = send(&world, &Method::POST, "/environments", &headers, &body).await.problem(400, "repeated_header");
        assert!(reply.body["detail"].as_str().expect("a detail").contains(name), "{}", reply.text);
    }
    let headers = [("authorization", token.as_bytes()), ("authorization", token.as_bytes())];
    for path in ["/environments", "/findings", "/nowhere"] {
        send(&world, &Method::GET, path, &headers, "").await.problem(400, "repeated_header");
    }
    let list = get(&world, "demo", "/environments").await.expect(200).body;
    assert_eq!(list["environments"], json!([]));
}
