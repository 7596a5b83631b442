//! Who may reach an environment: what a request may ask for, what a caller is shown, and who is let in.

use std::net::{IpAddr, Ipv4Addr};

use berth_aws::{ProbeResult, Prober, Signer};
use berth_domain::access::{AccessKind, AccessRule};
use berth_local::endpoint::sdk;
use berth_local::faults::Fault;
use berth_local::stand_in::REGION;
use berth_local::stand_in::apigateway::SourceIp;
use berth_local::stand_in::refusal::Refusal;
use http::{Method, Request};
use serde_json::{Value, json};
use tests::{World, WorldOptions};

/// An address in the range that the tests invite, and one outside.
const INVITED: [u8; 4] = [203, 0, 113, 7];
const STRANGER: [u8; 4] = [198, 51, 100, 7];

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

/// A plain request from this address: the status, and the gateway's error type if it answers.
async fn plain(world: &World, environment: &Value, from: [u8; 4]) -> (u16, String) {
    let url = environment["url"].as_str().expect("a url");
    let mut request = Request::get(format!("{url}/some/path")).body(Default::default()).expect("a request");
    request.extensions_mut().insert(SourceIp(IpAddr::V4(Ipv4Addr::from(from))));
    let response = world.system.endpoint.request(request).await.expect("an answer");
    let kind = response.headers().get("x-amzn-errortype").map(|kind| kind.to_str().expect("text").to_owned());
    (response.status().as_u16(), kind.unwrap_or_default())
}

/// A request that the developer of this machine signs, whose policies permit invoking or do not.
async fn signed(world: &World, environment: &Value, may_invoke: bool) -> ProbeResult {
    let key = world.system.cloud.change(|account| {
        account.keys.developer.may_invoke = may_invoke;
        account.keys.developer.clone()
    });
    let signer = Signer { role: key.principal.clone(), credentials: sdk::credentials(&key), region: REGION.to_owned() };
    let prober = Prober::new(sdk::connector(&world.system.endpoint), signer, world.system.clock.clone());
    let url = environment["url"].as_str().expect("a url");
    prober.probe_signed(&format!("{url}/some/path?b=2&a=%20x")).await.expect("an answer")
}

fn is_refused(answer: &ProbeResult, as_kind: &str) -> bool {
    matches!(answer, ProbeResult::Gateway { status: 403, kind, .. } if kind == as_kind)
}

#[tokio::test(start_paused = true)]
async fn an_open_environment_answers_everyone() {
    let world = world(AccessKind::Iam, AccessKind::Open, &[]).await;
    let environment = settled(&world, &json!({"kind": "open"})).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(plain(&world, &environment, STRANGER).await, (200, String::new()));
    assert_eq!(environment["access"]["kind"], "open");
    let url = environment["url"].as_str().expect("a url");
    assert_eq!(environment["access"]["example"], format!("curl '{url}/'"));
}

#[tokio::test(start_paused = true)]
async fn an_environment_with_ranges_answers_the_invited_addresses_only() {
    let world = world(AccessKind::Iam, AccessKind::Open, &[]).await;
    let environment = settled(&world, &json!({"kind": "cidrs", "cidrs": ["203.0.113.0/24"]})).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(plain(&world, &environment, INVITED).await, (200, String::new()));
    assert_eq!(plain(&world, &environment, STRANGER).await, (403, "AccessDeniedException".to_owned()));
    assert_eq!(environment["access"]["cidrs"], json!(["203.0.113.0/24"]));
}

#[tokio::test(start_paused = true)]
async fn an_environment_with_iam_answers_signed_requests_of_permitted_principals_only() {
    let world = world(AccessKind::Iam, AccessKind::Iam, &[]).await;
    let id = world.create("orders", "hello").await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(environment["access"]["kind"], "iam", "the deployment's default");
    assert_eq!(plain(&world, &environment, INVITED).await, (403, "MissingAuthenticationTokenException".to_owned()));
    assert_eq!(signed(&world, &environment, true).await, ProbeResult::Service { status: 200, body: String::new() });
    assert!(is_refused(&signed(&world, &environment, false).await, "AccessDeniedException"));
    let example = environment["access"]["example"].as_str().expect("a command");
    assert!(example.starts_with("curl --aws-sigv4 aws:amz:us-east-1:execute-api "), "{example}");
}

#[tokio::test(start_paused = true)]
async fn a_looser_access_than_the_deployment_permits_is_refused_and_nothing_comes_of_it() {
    for (loosest, allowed, access, code, pointer) in [
        (AccessKind::Iam, &[][..], json!({"kind": "open"}), "access_too_loose", "/access/kind"),
        (
            AccessKind::Iam,
            &[],
            json!({"kind": "cidrs", "cidrs": ["203.0.113.0/24"]}),
            "access_too_loose",
            "/access/kind",
        ),
        (AccessKind::Cidrs, &[], json!({"kind": "open"}), "access_too_loose", "/access/kind"),
        (
            AccessKind::Cidrs,
            &[],
            json!({"kind": "cidrs", "cidrs": ["203.0.113.0/24", "0.0.0.0/0"]}),
            "access_too_loose",
            "/access/cidrs/1",
        ),
        (
            AccessKind::Cidrs,
            &[],
            json!({"kind": "cidrs", "cidrs": ["0.0.0.0/1"]}),
            "access_too_loose",
            "/access/cidrs/0",
        ),
        (AccessKind::Open, &[], json!({"kind": "cidrs", "cidrs": ["10.1.0.0/16"]}), "cidr_private", "/access/cidrs/0"),
        (AccessKind::Open, &[], json!({"kind": "cidrs", "cidrs": ["127.0.0.1/32"]}), "cidr_private", "/access/cidrs/0"),
        (
            AccessKind::Cidrs,
            &["203.0.113.0/24"],
            json!({"kind": "cidrs", "cidrs": ["203.0.113.64/26", "198.51.100.0/24"]}),
            "cidr_not_allowed",
            "/access/cidrs/1",
        ),
    ] {
        let world = world(AccessKind::Iam, loosest, allowed).await;
        let body = json!({"name": "orders", "task_definition": "hello", "access": access});
        let reply = world.call("demo", Method::POST, "/environments", &body).await.problem(422, code);
        assert_eq!(reply.pointers(), [pointer], "{access}: {}", reply.text);
        let list = world.call("demo", Method::GET, "/environments", &Value::Null).await.expect(200);
        assert_eq!(list.body["environments"], json!([]), "{access}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_without_a_limit_is_open_where_that_is_permitted() {
    let world = world(AccessKind::Iam, AccessKind::Open, &[]).await;
    let environment = settled(&world, &json!({"kind": "cidrs", "cidrs": ["0.0.0.0/0"]})).await;
    assert_eq!(environment["access"]["kind"], "open", "{environment:#}");
    assert_eq!(plain(&world, &environment, STRANGER).await.0, 200);
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
            json!({"kind": "cidrs", "cidrs": ["203.0.113.7/24", "::/0", "203.0.113.0", 7, "203.0.113.0/33"]}),
            vec!["/access/cidrs/0", "/access/cidrs/1", "/access/cidrs/2", "/access/cidrs/3", "/access/cidrs/4"],
        ),
    ] {
        let body = json!({"name": "orders", "task_definition": "hello", "access": access});
        let reply = world.call("demo", Method::POST, "/environments", &body).await.problem(400, "invalid_request");
        assert_eq!(reply.pointers(), pointers, "{access}: {}", reply.text);
    }
}

#[test]
fn a_deployment_whose_default_is_looser_than_its_loosest_does_not_start() {
    assert!(AccessRule::new(AccessKind::Open, AccessKind::Cidrs, Vec::new()).is_err());
    assert!(AccessRule::new(AccessKind::Cidrs, AccessKind::Open, Vec::new()).is_err(), "no ranges");
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
            let api = account.apigateway.apis.values_mut().next().expect("the REST API");
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
    world.system.clock.sleep(std::time::Duration::from_secs(10)).await;
    for _ in 0..burst {
        assert_eq!(plain(&world, &environment, STRANGER).await.0, 200);
    }
    assert_eq!(plain(&world, &environment, STRANGER).await, (429, "TooManyRequestsException".to_owned()));
    world.system.clock.sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(plain(&world, &environment, STRANGER).await.0, 200, "{throttle}");
}
