//! The proof before `ready`: a request to the environment's URL, which the service itself must answer below 500.

use std::time::Duration;

use serde_json::Value;
use tests::documents::{Answer, Documents};
use tests::{World, WorldOptions};

/// A world whose services answer every proving request with `status` and `body`.
async fn answering(status: u16, body: &str) -> (World, String) {
    let documents = Documents::default();
    documents.set_others(Answer::Sends(status, body.to_owned()));
    let world = World::with(WorldOptions { prober_through: Some(documents.connector()), ..Default::default() }).await;
    let id = world.create("proof", "hello").await;
    (world, id)
}

#[tokio::test(start_paused = true)]
async fn a_service_that_answers_the_proving_request_with_499_is_ready() {
    let (world, id) = answering(499, "not for you").await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_sends_an_error_type_itself_is_ready_unless_the_gateway_could_have_answered_so() {
    // Smithy servers send it, and API Gateway passes it on (docs/aws.md#the-gateways-own-answers).
    for (status, kind, of_service, end) in [
        (200, "GreetingResult", false, "ready"),
        (301, "Moved", false, "ready"),
        (404, "UnknownOperationException", false, "ready"),
        (405, "MethodNotAllowed", false, "ready"),
        (400, "ValidationException", true, "ready"),
        (401, "UnauthorizedException", true, "ready"),
        (403, "AccessDeniedException", true, "ready"),
        (403, "ForbiddenException", false, "failed"),
        (429, "TooManyRequestsException", false, "failed"),
        (500, "InternalServerErrorException", false, "failed"),
        (504, "InternalServerErrorException", false, "failed"),
        (500, "InternalServerErrorException", true, "failed"),
    ] {
        let documents = Documents::default();
        documents.set_others(Answer::SendsErrorType(status, kind, of_service));
        let world =
            World::with(WorldOptions { prober_through: Some(documents.connector()), ..Default::default() }).await;
        let id = world.create("smithy", "hello").await;
        assert_eq!(world.settled(&id).await["status"], end, "{status} {kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_answers_the_proving_request_with_500_is_not_ready_and_its_answer_is_shown() {
    let (world, id) = answering(500, "no database").await;
    let environment = world.settled(&id).await;
    let failure = &environment["failure"];
    assert_eq!(environment["status"], "failed", "{environment:#}");
    assert_eq!(failure["step"], "EnsureReachable", "{failure:#}");
    assert_eq!(failure["cause"], "service_answers_5xx", "{failure:#}");
    let evidence = failure["evidence"].as_array().expect("evidence");
    let shown =
        |one: &Value| one["detail"].as_str().is_some_and(|text| text.contains("500") && text.contains("no database"));
    assert!(evidence.iter().any(shown), "{failure:#}");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_no_longer_answers_500_becomes_ready() {
    let documents = Documents::default();
    documents.set_others(Answer::Sends(500, "starting".to_owned()));
    let world = World::with(WorldOptions { prober_through: Some(documents.connector()), ..Default::default() }).await;
    let id = world.create("proof", "hello").await;
    world.until_step(&id, "EnsureReachable", "waiting").await;
    world.system.clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(world.get(&id).await["status"], "provisioning");
    documents.set_others(Answer::Sends(200, String::new()));
    assert_eq!(world.settled(&id).await["status"], "ready");
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_the_services_answer_is_masked_wherever_it_is_stored_or_shown() {
    let (world, id) = answering(500, "connect to postgres://app:hunter2@db failed; DB_PASSWORD=hunter2").await;
    world.until_step(&id, "EnsureReachable", "waiting").await;
    let waiting = world.get(&id).await.to_string();
    assert!(waiting.contains("postgres://app:[masked]@db failed; DB_PASSWORD=[masked]"), "{waiting}");
    let environment = world.settled(&id).await;
    assert_eq!(environment["failure"]["cause"], "service_answers_5xx", "{environment:#}");
    let events = world.events("demo", &id).await;
    let mut seen = format!("{environment}{events:?}{:?}", world.records().await);
    let executions = world.executions().await;
    assert!(!executions.is_empty());
    for execution in executions {
        let of = serde_json::json!({"executionArn": execution});
        seen.push_str(&world.system.states.call("GetExecutionHistory", &of).expect("a history").to_string());
    }
    assert!(!seen.contains("hunter2"), "{seen}");
}
