//! What the janitor measures for the alarms.

use berth_domain::ResourceKind;
use berth_local::faults::Fault;
use berth_local::stand_in::refusal::Refusal;
use tests::EnvironmentView;

use super::*;

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
