//! `GET /environments/{id}`.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use tests::{EnvironmentView, World};

use super::get;

/// Ids that team `other` cannot have: as they are sent, and as they are understood.
pub(super) fn foreign_ids(of_demo: &str) -> Vec<(String, String)> {
    let same = |id: &str| (id.to_owned(), id.to_owned());
    vec![
        same(of_demo),
        same("env_01k9xq3v6zj2m4t8d5w7c0b1ae"),
        same("env_"),
        same("env"),
        same(of_demo.trim_start_matches("env_")),
        same(&of_demo.to_ascii_uppercase()),
        same(&format!("{of_demo}0")),
        same(&of_demo.replace("env_", "op_")),
        same(&"x".repeat(2000)),
        (format!("{of_demo}%20"), format!("{of_demo} ")),
        ("%2e%2e%2f".to_owned(), "../".to_owned()),
        (format!("{of_demo}%23NAME"), format!("{of_demo}#NAME")),
        ("%ff%fe".to_owned(), "with this id".to_owned()),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_the_team_does_not_have_is_answered_alike_whether_it_exists_or_not() {
    let world = World::new().await;
    let id = world.create("secret", "hello").await;
    let mut bodies = Vec::new();
    for (sent, understood) in foreign_ids(&id) {
        let path = format!("/environments/{sent}");
        let headers = [("x-request-id", "same")];
        let reply = world.call_with("other", Method::GET, &path, &Value::Null, &headers).await;
        let reply = reply.problem(404, "not_found");
        assert!(reply.text.contains(&understood), "{sent}: {}", reply.text);
        bodies.push(reply.text.replace(&format!("no environment {understood}."), "no environment ID."));
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(world.get(&id).await["name"], "secret");
}

#[tokio::test(start_paused = true)]
async fn body_and_header_give_the_same_time_to_poll_again_while_it_moves_and_none_otherwise() {
    let world = World::new().await;
    let id = world.create("watched", "hello").await;
    let path = format!("/environments/{id}");
    let (mut looks, mut progress) = (0, 0);
    let last = loop {
        let reply = get(&world, "demo", &path).await.expect(200);
        let view = EnvironmentView::of(&reply.body);
        let Some(seconds) = view.retry_after_seconds else { break reply };
        assert_eq!(reply.header("retry-after"), seconds.to_string());
        assert!((1..=30).contains(&seconds), "{seconds}");
        let now = view.progress;
        assert!((progress..100).contains(&now), "{progress}, then {now}");
        (looks, progress) = (looks + 1, now);
        assert_eq!(view.url, None, "no URL before it is proven");
        world.system.clock.sleep(Duration::from_secs(seconds)).await;
    };
    assert!((10..100).contains(&looks), "{looks} looks");
    assert_eq!((last.header("retry-after"), &last.body["progress"]), ("", &Value::from(100)));
    assert_eq!(last.body["status"], "ready");
    // Nothing changes on its own any more, and looking changes nothing.
    world.system.clock.sleep(Duration::from_secs(3600)).await;
    assert_eq!(get(&world, "demo", &path).await.text, last.text);
}
