//! Calls from a web page.

use http::Method;
use tests::{World, WorldOptions};

use super::send;

const PORTAL: &str = "https://portal.example.com";

async fn world() -> World {
    World::with(WorldOptions { allowed_origin: Some(PORTAL.parse().unwrap()), ..WorldOptions::default() }).await
}

#[tokio::test(start_paused = true)]
async fn the_allowed_page_may_ask_before_it_has_a_token_and_reads_every_answer() {
    let world = world().await;
    let asks = [
        ("origin", PORTAL.as_bytes()),
        ("access-control-request-method", b"POST".as_slice()),
        ("access-control-request-headers", b"authorization,content-type,idempotency-key".as_slice()),
    ];
    let preflight = send(&world, &Method::OPTIONS, "/environments", &asks, "").await.expect(204);
    assert_eq!(preflight.headers["access-control-allow-origin"], PORTAL);
    let allowed = preflight.headers["access-control-allow-headers"].to_str().unwrap();
    for header in ["authorization", "content-type", "idempotency-key"] {
        assert!(allowed.contains(header), "{allowed}");
    }
    // A refusal too: otherwise the page sees only that something failed.
    let refused = send(&world, &Method::GET, "/environments", &[("origin", PORTAL.as_bytes())], "").await.expect(401);
    assert_eq!(refused.headers["access-control-allow-origin"], PORTAL);
    let exposed = refused.headers["access-control-expose-headers"].to_str().unwrap();
    for header in ["location", "retry-after", "x-request-id"] {
        assert!(exposed.contains(header), "{exposed}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_page_is_not_named_as_allowed() {
    let world = world().await;
    let reply =
        send(&world, &Method::GET, "/healthz", &[("origin", b"https://elsewhere.example.com".as_slice())], "").await;
    assert_ne!(
        reply.headers.get("access-control-allow-origin").and_then(|origin| origin.to_str().ok()),
        Some("https://elsewhere.example.com")
    );
}

#[tokio::test(start_paused = true)]
async fn without_an_allowed_origin_no_page_may() {
    let world = World::new().await;
    let reply = send(&world, &Method::GET, "/healthz", &[("origin", PORTAL.as_bytes())], "").await.expect(200);
    assert!(reply.headers.get("access-control-allow-origin").is_none());
    let preflight = send(&world, &Method::OPTIONS, "/environments", &[("origin", PORTAL.as_bytes())], "").await;
    assert!(preflight.expect(204).headers.get("access-control-allow-origin").is_none());
}

#[test]
fn only_an_origin_can_be_allowed() {
    use berth_api::cors::parse_origin;
    assert!(parse_origin("").unwrap().is_none());
    for good in [PORTAL, "http://localhost:3000"] {
        assert_eq!(parse_origin(good).unwrap().unwrap(), good);
    }
    for bad in
        ["*", "portal.example.com", "https://", "https://portal.example.com/", "https://*.example.com", "https://a b"]
    {
        assert!(parse_origin(bad).is_err(), "{bad}");
    }
}
