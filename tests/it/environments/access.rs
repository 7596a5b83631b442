//! Who may reach an environment: what a request may ask for, what a caller is shown, and who is let in.

use std::net::Ipv4Addr;
use std::time::Duration;

use berth_domain::access::{AccessKind, AccessRule};
use berth_local::faults::Fault;
use berth_local::stand_in::refusal::Refusal;
use http::Method;
use serde_json::{Value, json};
use tests::clients::{STRANGER, plain, signed};
use tests::faults::{denied, throttled, unavailable};
use tests::{World, WorldOptions};

/// An address in the range that the tests invite.
const INVITED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

async fn world(default: AccessKind, loosest: AccessKind, cidrs: &[&str]) -> World {
    let cidrs = cidrs.iter().map(|cidr| cidr.parse().expect("a range")).collect();
    let access = AccessRule::new(default, loosest, cidrs).expect("a rule");
    World::with(WorldOptions { access, ..Default::default() }).await
}

/// The environment of a request with this access, when it has settled.
async fn settled(world: &World, access: &Value) -> Value {
    let body = json!({"name": "orders", "task_definition": "hello", "access": access});
    let reply = world.call("demo", Method::POST, "/environments", &body).await.expect(202);
    world.settled(reply.body["id"].as_str().expect("an id")).await
}

/// What an answer of the data path says: the status, and the gateway's error type if it answers.
fn said(answer: &http::Response<bytes::Bytes>) -> (u16, &str) {
    let kind = answer.headers().get("x-amzn-errortype").map(|kind| kind.to_str().expect("text"));
    (answer.status().as_u16(), kind.unwrap_or_default())
}

/// A path of the environment, with a query.
fn path(environment: &Value) -> String {
    format!("{}/some/path?b=2&a=%20x", environment["url"].as_str().expect("a url"))
}

#[tokio::test(start_paused = true)]
async fn an_open_environment_answers_everyone() {
    let world = world(AccessKind::Iam, AccessKind::Open, &[]).await;
    let environment = settled(&world, &json!({"kind": "open"})).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(said(&plain(&world.system, &path(&environment), STRANGER).await), (200, ""));
    assert_eq!(environment["access"]["kind"], "open");
    let url = environment["url"].as_str().expect("a url");
    assert_eq!(environment["access"]["example"], format!("curl '{url}/'"));
}

#[tokio::test(start_paused = true)]
async fn an_environment_with_ranges_answers_the_invited_addresses_only() {
    let world = world(AccessKind::Iam, AccessKind::Open, &[]).await;
    let environment = settled(&world, &json!({"kind": "cidrs", "cidrs": ["203.0.113.0/24"]})).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(said(&plain(&world.system, &path(&environment), INVITED).await), (200, ""));
    assert_eq!(said(&plain(&world.system, &path(&environment), STRANGER).await), (403, "AccessDeniedException"));
    assert_eq!(environment["access"]["cidrs"], json!(["203.0.113.0/24"]));
}

#[tokio::test(start_paused = true)]
async fn an_environment_with_iam_answers_signed_requests_of_permitted_principals_only() {
    let world = world(AccessKind::Iam, AccessKind::Iam, &[]).await;
    let id = world.create("orders", "hello").await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(environment["access"]["kind"], "iam", "the deployment's default");
    assert_eq!(
        said(&plain(&world.system, &path(&environment), INVITED).await),
        (403, "MissingAuthenticationTokenException")
    );
    assert_eq!(said(&signed(&world.system, &path(&environment), true).await), (200, ""));
    assert_eq!(said(&signed(&world.system, &path(&environment), false).await), (403, "AccessDeniedException"));
    let example = environment["access"]["example"].as_str().expect("a command");
    assert!(example.starts_with("curl --aws-sigv4 aws:amz:us-east-1:execute-api "), "{example}");
}

#[tokio::test(start_paused = true)]
async fn a_looser_access_than_the_deployment_permits_is_refused_and_nothing_comes_of_it() {
    let ranges = |ranges: &[&str]| json!({"kind": "cidrs", "cidrs": ranges});
    for (loosest, allowed, access, pointers) in [
        (AccessKind::Iam, &[][..], json!({"kind": "open"}), &["/access/kind"][..]),
        (AccessKind::Iam, &[], ranges(&["203.0.113.0/24"]), &["/access/kind"]),
        (AccessKind::Cidrs, &[], json!({"kind": "open"}), &["/access/kind"]),
        (AccessKind::Cidrs, &[], ranges(&["203.0.113.0/24", "0.0.0.0/0"]), &["/access/cidrs/1"]),
        (AccessKind::Cidrs, &[], ranges(&["0.0.0.0/1", "128.0.0.0/1"]), &["/access/cidrs/0", "/access/cidrs/1"]),
        (AccessKind::Open, &[], ranges(&["10.1.0.0/16", "127.0.0.1/32"]), &["/access/cidrs/0", "/access/cidrs/1"]),
        (
            AccessKind::Cidrs,
            &["203.0.113.0/24"],
            ranges(&["203.0.113.64/26", "198.51.100.0/24", "10.0.0.0/8"]),
            &["/access/cidrs/1", "/access/cidrs/2"],
        ),
    ] {
        let world = world(AccessKind::Iam, loosest, allowed).await;
        let body = json!({"name": "orders", "task_definition": "hello", "access": access});
        let reply = world.call("demo", Method::POST, "/environments", &body).await.problem(422, "not_allowed");
        assert_eq!(reply.pointers(), pointers, "{access}: {}", reply.text);
        let list = world.call("demo", Method::GET, "/environments", &Value::Null).await.expect(200);
        assert_eq!(list.body["environments"], json!([]), "{access}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_without_a_limit_is_open_where_that_is_permitted() {
    let world = world(AccessKind::Iam, AccessKind::Open, &[]).await;
    let environment = settled(&world, &json!({"kind": "cidrs", "cidrs": ["0.0.0.0/0"]})).await;
    assert_eq!(environment["access"]["kind"], "open", "{environment:#}");
    assert_eq!(said(&plain(&world.system, &path(&environment), STRANGER).await).0, 200);
}

#[tokio::test(start_paused = true)]
async fn an_access_that_is_wrong_in_itself_is_refused_with_every_bad_place() {
    let world = World::new().await;
    for (access, pointers) in [
        (json!("open"), vec!["/access"]),
        (json!(null), vec!["/access"]),
        (json!({}), vec!["/access/kind"]),
        (json!({"kind": "public"}), vec!["/access/kind"]),
        (json!({"kind": "cidrs"}), vec!["/access/cidrs"]),
        (json!({"kind": "cidrs", "cidrs": null}), vec!["/access/cidrs"]),
        (json!({"kind": "cidrs", "cidrs": []}), vec!["/access/cidrs"]),
        (json!({"kind": "iam", "cidrs": ["203.0.113.0/24"]}), vec!["/access/cidrs"]),
        (json!({"kind": "open", "role": "x"}), vec!["/access/role"]),
        (
            json!({"kind": "cidrs", "cidrs": ["203.0.113.256/24", "::/0", "203.0.113.0", 7, "203.0.113.0/33"]}),
            vec!["/access/cidrs/0", "/access/cidrs/1", "/access/cidrs/2", "/access/cidrs/3", "/access/cidrs/4"],
        ),
    ] {
        let body = json!({"name": "orders", "task_definition": "hello", "access": access});
        let reply = world.call("demo", Method::POST, "/environments", &body).await.problem(400, "invalid_request");
        assert_eq!(reply.pointers(), pointers, "{access}: {}", reply.text);
    }
}

#[test]
fn a_deployment_whose_default_is_looser_than_its_loosest_or_whose_ranges_are_no_limit_does_not_start() {
    assert!(AccessRule::new(AccessKind::Open, AccessKind::Cidrs, Vec::new()).is_err());
    assert!(AccessRule::new(AccessKind::Cidrs, AccessKind::Open, Vec::new()).is_err(), "no ranges");
    let unlimited = vec!["203.0.113.0/24".parse().expect("one"), "0.0.0.0/0".parse().expect("one")];
    assert!(AccessRule::new(AccessKind::Cidrs, AccessKind::Open, unlimited).is_err(), "open, and called ranges");
    assert!(
        AccessRule::new(AccessKind::Cidrs, AccessKind::Cidrs, vec!["203.0.113.0/24".parse().expect("one")]).is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn the_proof_behind_ranges_takes_either_name_of_a_method() {
    let world = world(AccessKind::Iam, AccessKind::Cidrs, &["203.0.113.0/24"]).await;
    let unknown = Refusal::new(404, "NotFoundException", "Invalid Method identifier specified");
    world.fault("apigateway:TestInvokeMethod", 1, Fault::Refuse(unknown));
    let environment = settled(&world, &json!({"kind": "cidrs", "cidrs": ["203.0.113.0/24"]})).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert!(world.faults().all_came());
}

#[tokio::test(start_paused = true)]
async fn a_rest_api_that_lost_its_protection_while_it_came_up_never_becomes_ready() {
    for (access, operation) in [("iam", "UpdateMethod"), ("cidrs", "UpdateRestApi")] {
        let world = world(AccessKind::Iam, AccessKind::Cidrs, &["127.0.0.0/8"]).await;
        let asked =
            if access == "iam" { json!({"kind": "iam"}) } else { json!({"kind": "cidrs", "cidrs": ["127.0.0.0/8"]}) };
        let body = json!({"name": "orders", "task_definition": "hello", "access": asked});
        let reply = world.call("demo", Method::POST, "/environments", &body).await.expect(202);
        let id = reply.body["id"].as_str().expect("an id");
        world.until_step(id, "EnsureRestApi", "done").await;
        // Another client takes the protection away before the deployment.
        world.system.cloud.change(|account| {
            let api = account.apigateway.apis.all_mut().next().expect("the REST API").1;
            api.policy = None;
            for method in api.resources.values_mut().flat_map(|resource| resource.methods.values_mut()) {
                method.authorization_type = "NONE".to_owned();
            }
        });
        let environment = world.settled(id).await;
        assert_eq!(environment["status"], "failed", "{operation}: {environment:#}");
        assert_eq!(environment["failure"]["cause"], "access_not_enforced", "{environment:#}");
        assert!(world.inventory().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stage_lets_no_more_requests_through_than_its_throttle() {
    let world = World::new().await;
    let environment = settled(&world, &json!({"kind": "open"})).await;
    let throttle = &environment["throttle"];
    let burst = throttle["burst"].as_u64().expect("a number");
    world.system.clock.sleep(Duration::from_secs(10)).await;
    for _ in 0..burst {
        assert_eq!(said(&plain(&world.system, &path(&environment), STRANGER).await).0, 200);
    }
    assert_eq!(said(&plain(&world.system, &path(&environment), STRANGER).await), (429, "TooManyRequestsException"));
    world.system.clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(said(&plain(&world.system, &path(&environment), STRANGER).await).0, 200, "{throttle}");
}

#[tokio::test(start_paused = true)]
async fn a_proof_behind_ranges_that_meets_a_fault_is_tried_again_and_one_that_is_denied_fails() {
    let asked = json!({"kind": "cidrs", "cidrs": ["203.0.113.0/24"]});
    let test = "apigateway:TestInvokeMethod";
    let slow = Fault::Slow(Duration::from_secs(45));
    for (operation, fault, status) in [
        (test, throttled(test), "ready"),
        (test, unavailable(test), "ready"),
        (test, Fault::Reset, "ready"),
        (test, Fault::LoseReply, "ready"),
        (test, slow, "ready"),
        (test, denied(test), "failed"),
        ("apigateway:UpdateStage", Fault::LoseReply, "ready"),
        ("apigateway:GetDeployments", Fault::Reset, "ready"),
    ] {
        let world = world(AccessKind::Iam, AccessKind::Cidrs, &[]).await;
        world.fault(operation, 1, fault.clone());
        let environment = settled(&world, &asked).await;
        assert_eq!(environment["status"], status, "{operation} {fault:?}: {environment:#}");
        assert!(world.faults().all_came(), "{operation} {fault:?}");
        assert_eq!(world.inventory().await.is_empty(), status == "failed");
    }
}
