//! The generated client against the API that runs at BERTH_URL, with the token BERTH_TOKEN: create, get, list, events, delete,
//! and errors. What an answer has and the document does not say fails to be read.

use std::env;
use std::num::NonZeroU32;
use std::time::Duration;

use berth_client_check::types::{Environment, EnvironmentId, EnvironmentRequest, EventView, Lifetime, Problem, Status};
use berth_client_check::{ByteStream, Client, Error, ResponseValue};
use futures_util::TryStreamExt;
use reqwest::header::{AUTHORIZATION, HeaderMap};

fn client(token: &str) -> Client {
    let url = env::var("BERTH_URL").expect("BERTH_URL: where the API answers");
    let authorization = format!("Bearer {token}").parse().expect("a header");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization)]);
    let http = reqwest::Client::builder().default_headers(headers).timeout(Duration::from_secs(20)).build();
    Client::new_with_client(&url, http.expect("a client"))
}

fn token() -> String {
    env::var("BERTH_TOKEN").expect("BERTH_TOKEN: a token for the API")
}

/// Looks as often as the API asks for, until nothing moves any more.
async fn settled(client: &Client, id: &EnvironmentId) -> Environment {
    for _ in 0..120 {
        let environment = client.get_environment().id(id.clone()).send().await.expect("the environment").into_inner();
        let Some(seconds) = environment.retry_after_seconds else { return environment };
        tokio::time::sleep(Duration::from_secs(u64::try_from(seconds).expect("seconds"))).await;
    }
    panic!("it did not settle");
}

/// The status of an error, and its body. The generator reads `application/json` only; the type is there all the same.
async fn problem<T: std::fmt::Debug>(answer: Result<ResponseValue<T>, Error<ByteStream>>) -> (u16, Problem) {
    let response = match answer.expect_err("an error") {
        Error::ErrorResponse(response) => response,
        other => panic!("not a documented error: {other:?}"),
    };
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let mut body = Vec::new();
    let mut stream = response.into_inner_stream();
    while let Some(bytes) = stream.try_next().await.expect("a body") {
        body.extend(bytes);
    }
    (status, serde_json::from_slice(&body).expect("a problem"))
}

#[tokio::test]
async fn an_environment_is_created_looked_at_listed_and_deleted() {
    let client = client(&token());
    let body = EnvironmentRequest::builder()
        .name("round-trip")
        .task_definition("hello")
        .desired_count(NonZeroU32::new(2).expect("not 0"))
        .ttl("8h".parse::<Lifetime>().expect("a lifetime"));
    let created = client.create_environment().idempotency_key("round-trip").body(body).send().await.expect("accepted");
    assert_eq!(created.status(), 202);
    let location = created.headers()["location"].to_str().expect("a path").to_owned();
    let created = created.into_inner();
    assert_eq!(location, format!("/environments/{}", *created.id));
    assert!(created.expires_at.is_some());

    let ready = settled(&client, &created.id).await;
    assert_eq!(ready.status, Status::Ready, "{ready:?}");
    assert_eq!(ready.desired_count, 2);
    assert!(ready.url.is_some() && !ready.steps.is_empty() && !ready.resources.is_empty(), "{ready:?}");

    let page = client.list_environments().status(Status::Ready).limit(1).send().await.expect("a page").into_inner();
    assert_eq!(page.environments.iter().map(|one| &one.id).collect::<Vec<_>>(), [&created.id]);
    assert_eq!(page.next_cursor, None);
    let events = client.list_environment_events().id(created.id.clone()).send().await.expect("events").into_inner();
    assert!(matches!(events.events[..], [EventView::Variant0 { status: Status::Queued, .. }, ..]), "{events:?}");

    client.delete_environment().id(created.id.clone()).send().await.expect("accepted");
    let deleted = settled(&client, &created.id).await;
    assert_eq!(deleted.status, Status::Deleted);
    assert!(deleted.resources.iter().all(|resource| resource.absent_at.is_some()), "{deleted:?}");
}

#[tokio::test]
async fn errors_are_the_documented_problems() {
    let client = client(&token());
    let nobodys: EnvironmentId = "env_01k9xq3v6zj2m4t8d5w7c0b1ae".parse().expect("an id");
    let (status, not_found) = problem(client.get_environment().id(nobodys.clone()).send().await).await;
    assert_eq!((status, not_found.code.as_str()), (404, "not_found"));
    assert!(not_found.request_id.is_some());

    let body = EnvironmentRequest::builder().name("no-such").task_definition("no-such");
    let (status, refused) = problem(client.create_environment().body(body).send().await).await;
    assert_eq!((status, refused.code.as_str()), (422, "task_definition_not_found"));
    assert_eq!(refused.errors.iter().map(|field| field.pointer.as_str()).collect::<Vec<_>>(), ["/task_definition"]);

    let (status, forbidden) = problem(client.list_findings().send().await).await;
    assert_eq!((status, forbidden.code.as_str()), (403, "forbidden"));

    let stranger = self::client("no token");
    let (status, unknown) = problem(stranger.list_environments().send().await).await;
    assert_eq!((status, unknown.code.as_str()), (401, "unauthenticated"));
}

#[test]
fn what_the_document_forbids_cannot_be_built() {
    assert!(
        EnvironmentRequest::try_from(EnvironmentRequest::builder().name("No capitals").task_definition("t")).is_err()
    );
    assert!("9h".parse::<Lifetime>().is_ok());
    assert!("9w".parse::<Lifetime>().is_err());
    assert!("env_7".parse::<EnvironmentId>().is_err());
}
