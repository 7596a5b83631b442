//! Resources that no record explains: reported, and removed after an hour unless there are too many.

use berth_domain::{Environment, ResourceKind};
use berth_local::faults::Fault;
use berth_local::stand_in::refusal::Refusal;

use super::*;

/// REST APIs that no record explains, as fast as AWS lets them be made.
async fn stray_apis(world: &World, count: usize) {
    for _ in 0..count {
        let tags = OURS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let create = world.system.clients.apigateway.create_rest_api().name("stray").set_tags(Some(tags));
        create.send().await.expect("an API");
        world.system.clock.sleep(Duration::from_secs(5)).await;
    }
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
