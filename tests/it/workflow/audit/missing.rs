//! What a `ready` environment lacks, because it was deleted outside of Berth.

use berth_domain::ResourceKind;
use berth_local::faults::Fault;

use super::*;

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
