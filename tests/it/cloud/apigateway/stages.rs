//! UpdateStage as AWS answers it. The sources are LocalStack's recordings of AWS (`test_create_update_stages`,
//! `test_update_stage_remove_wildcard`) and the patches that Terraform's provider sends.

use berth_aws::sdk::apigateway_types::PatchOperation;
use serde_json::{Value, json};

use super::*;

impl World {
    async fn update_stage(
        &self,
        api: &str,
        patches: &[(&str, &str, Option<&str>)],
    ) -> Result<Value, (u16, String, String)> {
        let patches: Vec<PatchOperation> = patches.iter().map(|(op, path, value)| patch(op, path, *value)).collect();
        let update = self.account.clients.apigateway.update_stage().rest_api_id(api).stage_name("live");
        match update.set_patch_operations(Some(patches)).send().await {
            Ok(_) => Ok(self.stage(api).await),
            error => Err(refused(error)),
        }
    }

    /// The stage as it is on the wire.
    async fn stage(&self, api: &str) -> Value {
        let answer = self.ask("GET", &format!("/restapis/{api}/stages/live"), "").await;
        serde_json::from_str(&answer.body).unwrap()
    }
}

/// AWS's default settings, with these changes.
fn settings(changes: &[(&str, Value)]) -> Value {
    let mut settings = json!({
        "cacheDataEncrypted": false, "cacheTtlInSeconds": 300, "cachingEnabled": false, "dataTraceEnabled": false,
        "metricsEnabled": false, "requireAuthorizationForCacheControl": true, "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10000.0, "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    });
    for (name, value) in changes {
        settings[*name] = value.clone();
    }
    settings
}

#[tokio::test(start_paused = true)]
async fn a_stage_takes_the_patches_of_aws_s_list_and_refuses_others_with_it() {
    let world = World::new().await;
    let (api, _) = world.served().await;
    for path in ["/documentation_version", "/tags/tag1", "/stageName", "/", "/a/b/c/d"] {
        let (status, code, message) = world.update_stage(&api, &[("replace", path, Some("1"))]).await.unwrap_err();
        assert_eq!((status, code.as_str()), (400, BAD), "{path}");
        let list = format!(
            "Invalid method setting path: {path}. Must be one of: [/deploymentId, /description, /cacheClusterEnabled, "
        );
        assert!(
            message.starts_with(&list) && message.ends_with(", /variables/{variable_name}, /tracingEnabled]"),
            "{message}"
        );
    }
    let stage = world.update_stage(
        &api,
        &[
            ("replace", "/description", Some("stage new")),
            ("replace", "/variables/var1", Some("test")),
            ("replace", "/*/*/throttling/burstLimit", Some("123")),
            ("replace", "/*/*/caching/enabled", Some("true")),
            ("replace", "/tracingEnabled", Some("true")),
            ("replace", "/test/GET/throttling/burstLimit", Some("124")),
        ],
    );
    let stage = stage.await.unwrap();
    assert_eq!((&stage["description"], &stage["tracingEnabled"]), (&json!("stage new"), &json!(true)));
    let of_test = settings(&[("throttlingBurstLimit", json!(124)), ("cachingEnabled", json!(true))]);
    let all = settings(&[("throttlingBurstLimit", json!(123)), ("cachingEnabled", json!(true))]);
    assert_eq!(stage["methodSettings"], json!({"*/*": all, "test/GET": of_test}));
    // A change of `*/*` changes no method that has its own settings.
    let stage = world.update_stage(&api, &[("replace", "/*/*/throttling/burstLimit", Some("100"))]).await.unwrap();
    assert_eq!(stage["methodSettings"]["*/*"]["throttlingBurstLimit"], 100);
    assert_eq!(stage["methodSettings"]["test/GET"], of_test);
    assert!(stage.get("tags").is_none() && stage.get("accessLogSettings").is_none(), "{stage}");
}

#[tokio::test(start_paused = true)]
async fn method_settings_are_removed_as_terraform_does_it() {
    let world = World::new().await;
    let (api, _) = world.served().await;
    let remove = |path| [("remove", path, None)];
    for (path, name) in [("/*/*", "*/*"), ("/items/GET", "items/GET")] {
        let message =
            format!("Cannot remove method setting {name} because there is no method setting for this method ");
        assert_eq!(world.update_stage(&api, &remove(path)).await.unwrap_err(), (400, BAD.to_owned(), message));
    }
    // The provider sends -1 for a throttle that is not set, and a rate with six decimals.
    let set = [
        ("replace", "/*/*/metrics/enabled", Some("true")),
        ("replace", "/*/*/throttling/burstLimit", Some("-1")),
        ("replace", "/*/*/throttling/rateLimit", Some("-1.000000")),
        ("replace", "/*/*/logging/loglevel", Some("OFF")),
        ("replace", "/items~1{id}/GET/caching/ttlInSeconds", Some("5")),
    ];
    let stage = world.update_stage(&api, &set).await.unwrap();
    assert_eq!(stage["methodSettings"]["*/*"]["throttlingBurstLimit"], -1);
    assert_eq!(stage["methodSettings"]["items/{id}/GET"]["cacheTtlInSeconds"], 5);
    for _ in 0..10 {
        assert_eq!(world.get(&api, "/items").await.status, 201);
    }
    world.update_stage(&api, &remove("/*/*")).await.unwrap();
    let stage = world.update_stage(&api, &remove("/items/{id}/GET")).await.unwrap();
    assert_eq!(stage["methodSettings"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_method_s_own_throttle_holds_for_it_alone() {
    let world = World::new().await;
    let (api, _) = world.served().await;
    let key = "/~1/ANY/throttling";
    let patches = [(format!("{key}/rateLimit"), "1"), (format!("{key}/burstLimit"), "1")];
    let patches: Vec<_> = patches.iter().map(|(path, value)| ("replace", path.as_str(), Some(*value))).collect();
    let stage = world.update_stage(&api, &patches).await.unwrap();
    assert_eq!(stage["methodSettings"]["~1/ANY"]["throttlingBurstLimit"], 1);
    for (path, status) in [("/", 201), ("/", 429), ("/items", 201), ("/items", 201)] {
        assert_eq!(world.get(&api, path).await.status, status, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_stage_of_aws_can_and_this_one_cannot_says_so() {
    let world = World::new().await;
    let (api, _) = world.served().await;
    for (op, path, value) in [
        ("replace", "/cacheClusterEnabled", Some("true")),
        ("replace", "/cacheClusterSize", Some("0.5")),
        ("replace", "/clientCertificateId", Some("abc")),
        ("replace", "/documentationVersion", Some("1")),
        ("replace", "/canarySettings/percentTraffic", Some("10")),
        ("copy", "/deploymentId", None),
        ("add", "/*/*/metrics/enabled", Some("true")),
    ] {
        let (status, code, message) = world.update_stage(&api, &[(op, path, value)]).await.unwrap_err();
        assert_eq!((status, code.as_str()), (400, BAD), "{path}");
        assert!(message.starts_with("berth-local does not play "), "{path}: {message}");
    }
    // What changes nothing is taken.
    world.update_stage(&api, &[("replace", "/cacheClusterEnabled", Some("false"))]).await.unwrap();
    world.update_stage(&api, &[("remove", "/accessLogSettings", None)]).await.unwrap();
}
