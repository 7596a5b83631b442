//! The janitor's audit: resources that no record explains, and records whose resources are gone.

use std::time::Duration;

use berth_aws::sdk::elb_types::{LoadBalancerSchemeEnum, LoadBalancerTypeEnum, Tag};
use berth_domain::Environment;
use berth_domain::ResourceKind;
use berth_janitor::{JanitorCall, ScheduledTask};
use berth_local::faults::Fault;
use berth_local::stand_in::refusal::Refusal;
use http::Method;
use serde_json::{Value, json};
use tests::{EnvironmentView, World};

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

/// REST APIs that no record explains, as fast as AWS lets them be made.
async fn stray_apis(world: &World, count: usize) {
    for _ in 0..count {
        let tags = OURS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let create = world.system.clients.apigateway.create_rest_api().name("stray").set_tags(Some(tags));
        create.send().await.expect("an API");
        world.system.clock.sleep(Duration::from_secs(5)).await;
    }
}

/// Deletes the stage of `api` outside of Berth.
async fn delete_stage(world: &World, api: &str) {
    let delete = world.system.clients.apigateway.delete_stage().rest_api_id(api).stage_name("live");
    delete.send().await.expect("a deletion");
}

/// The kinds of resources that `id` lacks.
async fn missing(world: &World, id: &str) -> Vec<String> {
    let missing = world.get(id).await["missing"].as_array().expect("a list").clone();
    missing.iter().map(|one| one["resource"].as_str().expect("a word").to_owned()).collect()
}

async fn findings(world: &World) -> Vec<Value> {
    let reply = world.call_as_operator(Method::GET, "/findings").await.expect(200);
    reply.body["findings"].as_array().expect("findings").clone()
}

/// The environments whose records the last audit could not read.
async fn unreadable(world: &World) -> Vec<Value> {
    let reply = world.call_as_operator(Method::GET, "/findings").await.expect(200);
    reply.body["unreadable"].as_array().expect("records").clone()
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_no_record_explains_is_reported_and_removed_after_an_hour() {
    let world = World::new().await;
    let orphan = stray(&world, NAME, &OURS).await;
    let foreign = stray(&world, "berth-01m3z5x9d00000000000000001", &tags("another", NO_RECORD)).await;
    world.system.clock.sleep(NEXT_AUDIT).await;
    let found = findings(&world).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["id"], orphan.as_str());
    assert_eq!((&found[0]["resource"], &found[0]["team"]), (&"load_balancer".into(), &"demo".into()));
    assert_eq!(world.inventory().await.count(ResourceKind::LoadBalancer), 2, "it is only reported yet");
    world.system.clock.sleep(Duration::from_secs(3600) + NEXT_AUDIT).await;
    assert_eq!(
        world.inventory().await.ids(ResourceKind::LoadBalancer),
        [foreign],
        "another deployment's is left alone"
    );
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert_eq!(findings(&world).await, Vec::<Value>::new(), "what is gone is forgotten");
}

#[tokio::test(start_paused = true)]
async fn orphaned_rest_apis_go_one_at_each_audit_so_that_who_deletes_is_not_throttled() {
    let world = World::new().await;
    stray_apis(&world, 3).await;
    world.faults().record();
    let mut left = Vec::new();
    while left.last() != Some(&0) {
        assert!(left.len() < 12, "{left:?}");
        world.system.clock.sleep(Duration::from_secs(15 * 60)).await;
        left.push(world.inventory().await.count(ResourceKind::RestApi));
    }
    left.dedup();
    assert_eq!(left, [3, 2, 1, 0]);
    let calls = world.faults().journal();
    let deletions = calls.iter().filter(|(operation, _)| operation == "apigateway:DeleteRestApi").count();
    assert_eq!(deletions, 3, "none was throttled");
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert_eq!(findings(&world).await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn an_orphaned_rest_api_that_aws_does_not_let_go_keeps_no_other() {
    let world = World::new().await;
    stray_apis(&world, 2).await;
    let mapped = Refusal::bad("BadRequestException", "Please remove all base path mappings related to the domain name");
    world.fault("apigateway:DeleteRestApi", 1, Fault::Refuse(mapped));
    let kept = loop {
        world.system.clock.sleep(Duration::from_secs(60)).await;
        let found = findings(&world).await;
        if let Some(kept) = found.iter().find(|one| one.to_string().contains("base path mappings")) {
            break kept["id"].clone();
        }
        assert!(world.inventory().await.count(ResourceKind::RestApi) == 2, "{found:#?}");
    };
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert_eq!(Value::from(world.inventory().await.ids(ResourceKind::RestApi).to_vec()), json!([kept]));
    world.system.clock.sleep(NEXT_AUDIT * 2).await;
    assert!(world.inventory().await.is_empty());
    assert_eq!(findings(&world).await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_keeps_its_resources_and_no_other_from_being_looked_after() {
    let world = World::new().await;
    let id = world.create("garbled", "hello").await;
    world.settled(&id).await;
    world.rewrite_record(&id, "\"EnsureStage\"", "\"EnsureSomethingNewer\"").await;
    let orphan = stray(&world, NAME, &OURS).await;
    world.system.clock.sleep(Duration::from_secs(3600) + NEXT_AUDIT * 2).await;
    let left = world.inventory().await;
    assert!(left.is_each(1) && left.ids(ResourceKind::LoadBalancer) != [orphan], "{left}");
    assert_eq!(findings(&world).await, Vec::<Value>::new());
    let unreadable = unreadable(&world).await;
    assert_eq!(unreadable.len(), 1, "{unreadable:#?}");
    assert_eq!(unreadable[0]["environment"], id.as_str());
    assert_eq!((&unreadable[0]["name"], &unreadable[0]["team"]), (&"garbled".into(), &"demo".into()));
    world.rewrite_record(&id, "\"EnsureSomethingNewer\"", "\"EnsureStage\"").await;
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert_eq!(self::unreadable(&world).await, Vec::<Value>::new(), "it can be read again");
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
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
async fn a_ready_environment_whose_resource_is_deleted_outside_of_berth_says_what_is_missing() {
    let world = World::new().await;
    let id = world.create("robbed", "hello").await;
    let environment = world.settled(&id).await;
    let api = world.inventory().await.one(ResourceKind::RestApi);
    world.system.clients.apigateway.delete_rest_api().rest_api_id(&api).send().await.expect("a deletion");
    world.system.clock.sleep(NEXT_AUDIT).await;
    let missing = world.get(&id).await["missing"].clone();
    assert_eq!(missing[0]["resource"], "rest_api", "{missing:#}");
    assert_eq!(missing[0]["id"], api.as_str());
    assert_eq!(missing.as_array().map(Vec::len), Some(1), "{missing:#}");
    assert_eq!(environment["missing"], json!([]));
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_listener_or_stage_that_is_deleted_outside_of_berth_is_missing_until_it_is_there_again() {
    let world = World::new().await;
    let id = world.create("robbed", "hello").await;
    let environment = world.settled(&id).await;
    let (listener, api) = {
        let inventory = world.inventory().await;
        (inventory.one(ResourceKind::Listener), inventory.one(ResourceKind::RestApi))
    };
    let apigateway = &world.system.clients.apigateway;
    let stage = "live";
    let deployment = apigateway.get_stage().rest_api_id(&api).stage_name(stage).send().await.expect("a stage");
    delete_stage(&world, &api).await;
    assert_ne!(world.reach(&environment, "/").await.0, 200);
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert_eq!(missing(&world, &id).await, ["stage"]);
    // What AWS cannot be asked about stays as it was.
    world.throttle("apigateway:GetStage", 1);
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert!(world.faults().all_came());
    assert_eq!(missing(&world, &id).await, ["stage"]);
    let again = apigateway.create_stage().rest_api_id(&api).stage_name(stage);
    let again = again.deployment_id(deployment.deployment_id().expect("an id"));
    again.send().await.expect("a stage");
    world.system.clients.elb.delete_listener().listener_arn(&listener).send().await.expect("a deletion");
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert_eq!(missing(&world, &id).await, ["listener"]);
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_is_missing_is_not_found_because_its_api_is_missing_too() {
    let world = World::new().await;
    let id = world.create("robbed", "hello").await;
    world.settled(&id).await;
    let api = world.inventory().await.one(ResourceKind::RestApi);
    delete_stage(&world, &api).await;
    world.system.clock.sleep(NEXT_AUDIT).await;
    world.system.clients.apigateway.delete_rest_api().rest_api_id(&api).send().await.expect("a deletion");
    world.system.clock.sleep(NEXT_AUDIT).await;
    let mut missing = missing(&world, &id).await;
    missing.sort_unstable();
    assert_eq!(missing, ["rest_api", "stage"]);
    let events = world.events("demo", &id).await;
    let told = |word: &str| events.iter().filter(|event| event.to_string().contains(word)).count();
    assert_eq!((told("\"missing\""), told("\"found\"")), (2, 0), "{events:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_audit_that_aws_keeps_waiting_asks_for_two_minutes_and_later_ones_for_the_rest() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..9 {
        ids.push(world.create(&format!("slow-{number}"), "hello").await);
    }
    for id in &ids {
        assert_eq!(world.settled(id).await["status"], "ready", "before the first audit");
    }
    for api in world.inventory().await.ids(ResourceKind::RestApi) {
        delete_stage(&world, api).await;
    }
    for nth in 1..=100 {
        world.fault("apigateway:GetStage", nth, Fault::Slow(Duration::from_secs(19)));
    }
    let mut found = vec![0];
    while found.last() != Some(&ids.len()) {
        assert!(found.len() < 12, "{found:?}");
        world.system.clock.sleep(Duration::from_secs(15 * 60)).await;
        let mut known = 0;
        for id in &ids {
            known += missing(&world, id).await.len();
        }
        found.push(known);
    }
    found.dedup();
    assert_eq!(found[1], 6, "each takes 20 s with all that is asked: {found:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_late_call_recorded_of_a_deleted_environment_is_still_removed() {
    let world = World::new().await;
    let id = world.create("late", "hello").await;
    world.settled(&id).await;
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "deleted");
    let late = stray(&world, NAME, &tags("berth", &id)).await;
    let (team, environment) = ("demo".parse().expect("a team"), id.parse().expect("an id"));
    let record = |environment: &mut Environment, now| {
        environment.record_id(ResourceKind::LoadBalancer, &late, None, now);
        Ok(())
    };
    world.system.store.environment_change(&team, &environment, record).await.expect("a write");
    world.system.clock.sleep(NEXT_AUDIT).await;
    assert_eq!(findings(&world).await.len(), 1);
    world.system.clock.sleep(Duration::from_secs(3600) + NEXT_AUDIT).await;
    assert!(world.inventory().await.is_empty());
}

/// What the line in the janitor's log says after `task`.
async fn measured(world: &World, task: ScheduledTask) -> Value {
    let metrics =
        berth_janitor::run(&world.system.janitor, JanitorCall::Scheduled { task }).await.expect("the janitor ends");
    let line = metrics.line("berth", "WARN", world.system.clock.now()).expect("a line");
    serde_json::from_str(&line).expect("nothing but JSON")
}

#[tokio::test(start_paused = true)]
async fn more_orphans_than_one_audit_may_remove_are_reported_and_all_of_them_kept() {
    let world = World::new().await;
    let most = world.system.settings.max_orphans_removed;
    for number in 0..=most {
        stray(&world, &format!("berth-01m3z5x9d000000000000000{number:02}"), &OURS).await;
    }
    world.system.clock.sleep(Duration::from_secs(3 * 3600)).await;
    let found = findings(&world).await;
    assert_eq!(found.len(), most + 1, "{found:#?}");
    assert!(
        found.iter().all(|one| one["why"].as_str().is_some_and(|why| why.contains("none is removed"))),
        "{found:#?}"
    );
    assert_eq!(world.inventory().await.count(ResourceKind::LoadBalancer), most + 1);
    let line = measured(&world, ScheduledTask::Audit).await;
    assert_eq!((&line["Orphans"], &line["OrphansHeld"]), (&json!(most + 1), &json!(1)), "{line:#}");

    // An operator who has looked at them raises the limit, or removes one.
    let one = world.inventory().await.ids(ResourceKind::LoadBalancer)[0].clone();
    world.system.clients.elb.delete_load_balancer().load_balancer_arn(one).send().await.expect("a deletion");
    world.system.clock.sleep(NEXT_AUDIT * 2).await;
    assert!(world.inventory().await.is_empty());
    assert_eq!(findings(&world).await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_lost_table_costs_no_environment_that_runs() {
    let world = World::new().await;
    for number in 0..3 {
        let id = world.create(&format!("runs-{number}"), "hello").await;
        assert_eq!(world.settled(&id).await["status"], "ready");
    }
    let (dynamodb, table) = (&world.system.clients.dynamodb, &world.system.settings.deployment);
    let items: Vec<_> =
        dynamodb.scan().table_name(table).into_paginator().items().send().try_collect().await.expect("it");
    for item in items {
        let delete = dynamodb.delete_item().table_name(table);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.expect("a deletion");
    }
    world.system.clock.sleep(Duration::from_secs(24 * 3600)).await;
    let left = world.inventory().await;
    assert!(left.is_each(3), "{left}");
}

#[tokio::test(start_paused = true)]
async fn what_operators_must_hear_of_is_measured_in_lines_that_cloudwatch_reads() {
    let world = World::new().await;
    let robbed = world.create("robbed", "hello").await;
    let garbled = world.create("garbled", "hello").await;
    let stuck = world.create("stuck", "hello").await;
    for id in [&robbed, &garbled, &stuck] {
        assert_eq!(world.settled(id).await["status"], "ready");
    }
    let quiet = measured(&world, ScheduledTask::Audit).await;
    for name in
        ["Orphans", "OrphansHeld", "MissingResources", "UnreadableRecords", "CleanupFailed", "EnvironmentsWaiting"]
    {
        assert_eq!(quiet[name], 0, "{quiet:#}");
    }
    let directive = &quiet["_aws"]["CloudWatchMetrics"][0];
    assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("Berth"), &json!([["Deployment"]])));
    assert_eq!(directive["Metrics"].as_array().map(Vec::len), Some(6), "{quiet:#}");
    assert_eq!((&quiet["Deployment"], &quiet["level"]), (&json!("berth"), &json!("WARN")));
    let calm = measured(&world, ScheduledTask::Sweep).await;
    assert_eq!(calm["QueueSeconds"], 0, "{calm:#}");

    let api = EnvironmentView::of(&world.get(&robbed).await);
    let api = api.resources.iter().find(|one| one.resource == ResourceKind::RestApi).and_then(|one| one.id.clone());
    let delete = world.system.clients.apigateway.delete_rest_api().rest_api_id(api.expect("an API"));
    delete.send().await.expect("a deletion");
    world.rewrite_record(&garbled, "\"EnsureStage\"", "\"EnsureSomethingNewer\"").await;
    for nth in 1..=400 {
        world.fault("ecs:DeleteService", nth, Fault::Refuse(Refusal::bad("AccessDeniedException", "no")));
    }
    world.delete(&stuck).await;
    assert_eq!(world.settled(&stuck).await["status"], "cleanup_failed");
    stray(&world, NAME, &OURS).await;
    let mut waiting = Vec::new();
    for number in 0..12 {
        waiting.push(world.create(&format!("waits-{number}"), "hello").await);
    }
    world.system.clock.sleep(Duration::from_secs(5)).await;
    let loud = measured(&world, ScheduledTask::Audit).await;
    for name in ["Orphans", "MissingResources", "UnreadableRecords", "CleanupFailed"] {
        assert_eq!(loud[name], 1, "{name}: {loud:#}");
    }
    assert!(loud["EnvironmentsWaiting"].as_u64().is_some_and(|count| count > 0), "{loud:#}");
    let busy = measured(&world, ScheduledTask::Sweep).await;
    assert!(busy["QueueSeconds"].as_u64().is_some_and(|seconds| seconds > 0), "{busy:#}");
}

#[tokio::test(start_paused = true)]
async fn only_operators_see_findings() {
    let world = World::new().await;
    world.call("demo", Method::GET, "/findings", &Value::Null).await.problem(403, "forbidden");
    world.call_as_operator(Method::GET, "/findings?all=1").await.problem(400, "invalid_request");
}
