//! The janitor's audit: resources that no record explains, and records whose resources are gone.

mod metrics;
mod missing;
mod orphans;

use std::time::Duration;

use berth_aws::sdk::elb_types::{LoadBalancerSchemeEnum, LoadBalancerTypeEnum, Tag};
use berth_janitor::{JanitorCall, ScheduledTask};
use http::Method;
use serde_json::{Value, json};
use tests::World;

/// A quarter of an hour between two audits, and a little.
const NEXT_AUDIT: Duration = Duration::from_secs(16 * 60);

/// An environment without a record.
const NO_RECORD: &str = "env_01m3z5x9d00000000000000000";

/// The tags of something of ours that no record explains.
const OURS: [(&str, &str); 3] = tags("berth", NO_RECORD);

/// A name like those that Berth gives.
const NAME: &str = "berth-01m3z5x9d00000000000000000";

/// What something of `environment` is tagged with.
const fn tags<'a>(deployment: &'a str, environment: &'a str) -> [(&'a str, &'a str); 3] {
    [("berth:deployment", deployment), ("berth:team", "demo"), ("berth:environment", environment)]
}

/// A load balancer that Berth did not create, with these tags.
async fn stray(world: &World, name: &str, tags: &[(&str, &str)]) -> String {
    let settings = &world.system.settings;
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect();
    let created = world
        .system
        .clients
        .elb
        .create_load_balancer()
        .name(name)
        .r#type(LoadBalancerTypeEnum::Network)
        .scheme(LoadBalancerSchemeEnum::Internal)
        .set_subnets(Some(settings.subnets.clone()))
        .set_tags(Some(tags))
        .send()
        .await
        .expect("a load balancer");
    created.load_balancers()[0].load_balancer_arn().expect("an ARN").to_owned()
}

async fn findings(world: &World) -> Vec<Value> {
    let reply = world.call_as_operator(Method::GET, "/findings").await.expect(200);
    reply.body["findings"].as_array().expect("findings").clone()
}

/// What the line in the janitor's log says after `task`.
async fn measured(world: &World, task: ScheduledTask) -> Value {
    let metrics =
        berth_janitor::run(&world.system.janitor, JanitorCall::Scheduled { task }).await.expect("the janitor ends");
    let line = metrics.line("berth", "WARN", world.system.clock.now()).expect("a line");
    serde_json::from_str(&line).expect("nothing but JSON")
}

#[tokio::test(start_paused = true)]
async fn what_the_records_explain_is_never_found() {
    let world = World::new().await;
    let ready = world.create("ready", "hello").await;
    world.settled(&ready).await;
    world.system.clock.sleep(Duration::from_secs(3 * 3600)).await;
    assert_eq!(findings(&world).await, Vec::<Value>::new());
    let environment = world.get(&ready).await;
    assert_eq!(environment["missing"], json!([]));
    assert_eq!(world.reach(&environment, "/").await.0, 200);
    assert!(world.inventory().await.is_each(1));
}

#[tokio::test(start_paused = true)]
async fn only_operators_see_findings() {
    let world = World::new().await;
    world.call("demo", Method::GET, "/findings", &Value::Null).await.problem(403, "forbidden");
    world.call_as_operator(Method::GET, "/findings?all=1").await.problem(400, "invalid_request");
}
