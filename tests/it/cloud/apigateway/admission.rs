//! Whom the gateway admits, as docs/aws.md#who-may-invoke has it: resource policies, and what TestInvokeMethod asks of them.

use std::net::{IpAddr, Ipv4Addr};

use berth_local::stand_in::apigateway::SourceIp;
use serde_json::{Value, json};

use super::*;

const NEAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

impl World {
    /// A served API with this resource policy.
    async fn guarded(&self, policy: &Value) -> String {
        let (api, link) = self.served().await;
        let set = self.account.clients.apigateway.update_rest_api().rest_api_id(&api);
        set.patch_operations(patch("replace", "/policy", Some(&policy.to_string()))).send().await.unwrap();
        self.deploy(&api, &link).await;
        self.pass(30).await;
        api
    }

    async fn from(&self, address: Ipv4Addr, method: &str, path: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).body(Vec::new().into()).unwrap();
        request.extensions_mut().insert(SourceIp(IpAddr::V4(address)));
        Answer::from(self.account.endpoint.request(request).await.unwrap())
    }
}

fn statement(effect: &str, resource: &str, condition: Value) -> Value {
    let mut statement =
        json!({"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

fn ranges(operator: &str, ranges: Value) -> Value {
    json!({operator: {"aws:SourceIp": ranges}})
}

#[tokio::test(start_paused = true)]
async fn a_resource_policy_admits_what_it_allows_and_nothing_else() {
    let all = "execute-api:/*";
    let near = ranges("IpAddress", json!(["203.0.113.0/24", "192.0.2.9"]));
    for (statements, near_get, far_get, far_post) in [
        (json!([statement("Allow", all, Value::Null)]), 201, 201, 201),
        (json!([statement("Allow", all, near.clone())]), 201, 403, 403),
        (json!(statement("Allow", all, ranges("IpAddress", json!("203.0.113.7/32")))), 201, 403, 403),
        (json!([statement("Allow", "execute-api:/live/GET/*", Value::Null)]), 201, 201, 403),
        (json!([statement("Allow", "execute-api:/other/*", Value::Null)]), 403, 403, 403),
        (
            json!([
                statement("Allow", all, Value::Null),
                statement("Deny", all, ranges("NotIpAddress", json!(["203.0.113.0/24"]))),
            ]),
            201,
            403,
            403,
        ),
    ] {
        let world = World::new().await;
        let api = world.guarded(&json!({"Version": "2012-10-17", "Statement": statements})).await;
        let path = format!("/restapis/{api}/live/_user_request_/items");
        for (address, method, status) in [(NEAR, "GET", near_get), (FAR, "GET", far_get), (FAR, "POST", far_post)] {
            let answer = world.from(address, method, &path).await;
            assert_eq!(answer.status, status, "{statements} {address} {method}: {answer:?}");
            if status == 403 {
                assert_eq!(answer.headers["x-amzn-errortype"], "AccessDeniedException");
                let resource = format!("arn:aws:execute-api:us-east-1:********0000:{api}/live/{method}/items");
                assert!(answer.body.contains(&resource) && answer.body.contains("\"Message\""), "{}", answer.body);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_takes_effect_with_the_next_deployment_and_is_shown_with_the_api_s_own_arn() {
    let world = World::new().await;
    let (api, link) = world.served().await;
    let policy =
        json!({"Version": "2012-10-17", "Statement": [statement("Allow", "execute-api:/other/*", Value::Null)]});
    let set = world.account.clients.apigateway.update_rest_api().rest_api_id(&api);
    let set = set.patch_operations(patch("replace", "/policy", Some(&policy.to_string()))).send().await.unwrap();
    let shown = set.policy().unwrap().replace("\\\"", "\"");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["Statement"][0]["Resource"], format!("arn:aws:execute-api:us-east-1:000000000000:{api}/other/*"));
    world.pass(60).await;
    assert_eq!(world.get(&api, "/items").await.status, 201);
    world.deploy(&api, &link).await;
    world.pass(30).await;
    assert_eq!(world.get(&api, "/items").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_none_or_that_the_stand_in_cannot_play_is_refused() {
    let world = World::new().await;
    for policy in [
        json!("Allow"),
        json!({"Statement": "all"}),
        json!({"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "*", "Resource": "*"}]}),
        json!({"Statement": [statement("Allow", "*", json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}))]}),
        json!({"Statement": [statement("Allow", "*", ranges("IpAddress", json!("home")))]}),
    ] {
        world.pass(3).await;
        let create = world.account.clients.apigateway.create_rest_api().name("guarded").policy(policy.to_string());
        let (status, code, message) = refused(create.send().await);
        assert_eq!((status, code.as_str()), (400, BAD), "{policy}: {message}");
        assert!(message.starts_with("Invalid policy document"), "{policy}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_with_iam_refuses_each_wrong_signature_in_its_own_way() {
    let world = World::new().await;
    let link = world.link().await;
    let (api, root) = world.api().await;
    let put = world.account.clients.apigateway.put_method().rest_api_id(&api).resource_id(&root).http_method("ANY");
    let put = put.authorization_type("AWS_IAM").request_parameters("method.request.path.proxy", true);
    put.send().await.unwrap();
    world.through(&api, &root, "${stageVariables.link}", "/").await;
    world.deploy(&api, &link).await;
    world.pass(30).await;
    let key = world.account.cloud.read(|account| account.keys.developer.id.clone());
    let today = "19700101";
    let scope = |key: &str, service: &str| format!("Credential={key}/{today}/us-east-1/{service}/aws4_request");
    let of = |credential: &str| format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host;x-amz-date, Signature=0000");
    for (authorization, kind) in [
        (String::new(), "MissingAuthenticationTokenException"),
        ("Bearer a.b.c".to_owned(), "MissingAuthenticationTokenException"),
        ("AWS4-HMAC-SHA256 Credential=x".to_owned(), "IncompleteSignatureException"),
        (of("Credential=x/y"), "IncompleteSignatureException"),
        (of(&scope(&key, "s3")), "InvalidSignatureException"),
        (of(&scope("AKIAUNKNOWN", "execute-api")), "UnrecognizedClientException"),
        (of(&scope(&key, "execute-api")), "InvalidSignatureException"),
    ] {
        let now = world.account.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let request = Request::get(format!("/restapis/{api}/live/_user_request_/"));
        let request = request.header("host", "127.0.0.1:4566").header("x-amz-date", now);
        let request = request.header("authorization", &authorization).body(Vec::new().into()).unwrap();
        let answer = Answer::from(world.account.endpoint.request(request).await.unwrap());
        assert_eq!((answer.status, answer.headers["x-amzn-errortype"].as_str()), (403, kind), "{authorization}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_invocation_uses_the_current_configuration_and_asks_no_policy() {
    let world = World::new().await;
    let no_stage =
        json!({"Version": "2012-10-17", "Statement": [statement("Allow", "execute-api:/other/*", Value::Null)]});
    let (api, link) = world.served().await;
    let set = world.account.clients.apigateway.update_rest_api().rest_api_id(&api);
    set.patch_operations(patch("replace", "/policy", Some(&no_stage.to_string()))).send().await.unwrap();
    world.deploy(&api, &link).await;
    world.pass(30).await;
    let resources = world.account.clients.apigateway.get_resources().rest_api_id(&api).send().await.unwrap();
    let id = |path: &str| {
        let found = resources.items().iter().find(|resource| resource.path() == Some(path));
        found.and_then(|resource| resource.id()).unwrap().to_owned()
    };
    let test = |method: &str, path: &str, link: &str| {
        let test = world.account.clients.apigateway.test_invoke_method().rest_api_id(&api);
        let test = test.resource_id(id("/{proxy+}")).http_method(method).path_with_query_string(path);
        test.stage_variables("link", link).send()
    };
    assert_eq!(world.get(&api, "/items").await.status, 403);
    for method in ["GET", "ANY"] {
        let answer = test(method, "/items?x=1", &link).await.unwrap();
        assert_eq!(answer.status(), 201, "{method}");
        assert!(answer.body().unwrap().starts_with("GET /items?x=1 HTTP/1.1"), "{answer:?}");
        assert!(answer.headers().unwrap().get("x-amzn-ErrorType").is_none());
    }
    let without = test("GET", "/items", "another").await.unwrap();
    assert_eq!(
        (without.status(), without.headers().unwrap()["x-amzn-ErrorType"].as_str()),
        (500, "InternalServerErrorException")
    );
    let delete = world.account.clients.apigateway.delete_method().rest_api_id(&api).resource_id(id("/{proxy+}"));
    delete.http_method("ANY").send().await.unwrap();
    is_refused(test("GET", "/items", &link).await, (404, NOT_FOUND, "Invalid Method identifier specified"));
}

#[tokio::test(start_paused = true)]
async fn a_stage_s_throttle_is_set_by_its_two_patches_and_shown() {
    let world = World::new().await;
    let (api, _) = world.served().await;
    let update = world.account.clients.apigateway.update_stage().rest_api_id(&api).stage_name("live");
    let update = update.patch_operations(patch("replace", "/*/*/throttling/rateLimit", Some("1")));
    let update = update.patch_operations(patch("replace", "/*/*/throttling/burstLimit", Some("2")));
    let settings = update.send().await.unwrap().method_settings.unwrap();
    let shown = &settings["*/*"];
    assert_eq!((shown.throttling_rate_limit(), shown.throttling_burst_limit()), (1.0, 2));
    for status in [201, 201, 429] {
        assert_eq!(world.get(&api, "/items").await.status, status);
    }
    world.pass(1).await;
    assert_eq!(world.get(&api, "/items").await.status, 201);
    let wrong = world.account.clients.apigateway.update_stage().rest_api_id(&api).stage_name("live");
    let wrong = wrong.patch_operations(patch("replace", "/*/*/throttling/rateLimit", Some("many")));
    let (status, code, _) = refused(wrong.send().await);
    assert_eq!((status, code.as_str()), (400, BAD));
}
