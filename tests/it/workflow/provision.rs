//! From `POST` to a service that answers.

use std::time::Duration;

use berth_domain::{Environment, ResourceKind};
use berth_local::critical_path::critical_path;
use berth_local::faults::Fault;
use berth_local::stand_in::profile::Profile;
use berth_local::stand_in::refusal::Refusal;
use serde_json::{Value, json};
use tests::World;

/// The record behind an environment.
async fn record(world: &World, id: &str) -> Environment {
    let team = "demo".parse().expect("a team");
    world.system.store.environment_get(&team, &id.parse().expect("an id")).await.expect("a record")
}

fn seconds_between(environment: &Value, from: &str, to: &str) -> f64 {
    let at = |name: &str| environment[name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    at(to).duration_since(at(from)).as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn an_environment_becomes_ready_and_answers_through_its_url() {
    let world = World::new().await;
    let id = world.create("orders", "hello").await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(environment["progress"], 100);
    assert!(environment["steps"].as_array().expect("steps").iter().all(|step| step["state"] == "done"));
    let inventory = world.inventory().await;
    assert!(inventory.is_each(1), "{inventory}");
    for path in ["", "/", "/deep/er/path?x=1"] {
        let (status, body) = world.reach(&environment, path).await;
        assert_eq!((status, body["method"].as_str()), (200, Some("GET")), "{path}: {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_in_one_zone_is_reached_from_all_and_leaves_after_thirty_seconds() {
    let world = World::new().await;
    let id = world.create("zonal", "hello").await;
    world.settled(&id).await;
    let group = world.inventory().await.one(ResourceKind::TargetGroup);
    let attributes = world.system.clients.elb.describe_target_group_attributes().target_group_arn(group).send().await;
    let attributes = attributes.expect("attributes");
    let value = |key| attributes.attributes().iter().find(|one| one.key() == Some(key)).and_then(|one| one.value());
    assert_eq!(value("load_balancing.cross_zone.enabled"), Some("true"));
    assert_eq!(value("deregistration_delay.timeout_seconds"), Some("30"));
}

#[tokio::test(start_paused = true)]
async fn a_new_service_that_does_not_show_everywhere_yet_is_waited_for() {
    let world = World::new().await;
    let not_yet = Fault::Refuse(Refusal::bad("ServiceNotFoundException", "Service not found."));
    world.fault("ecs:ListTasks", 1, not_yet);
    let id = world.create("lagging", "hello").await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert!(world.faults().all_came());
}

#[tokio::test(start_paused = true)]
async fn becoming_ready_takes_little_more_than_the_critical_path() {
    for seed in [None, Some(1), Some(2), Some(3)] {
        let profile = if seed.is_some() { Profile::varying() } else { Profile::medians() };
        let options = tests::WorldOptions { seed: seed.unwrap_or(1), profile, ..Default::default() };
        let world = World::with(options).await;
        let id = world.create("quick", "hello").await;
        let environment = world.settled(&id).await;
        assert_eq!(environment["status"], "ready", "seed {seed:?}: {environment:#}");
        let record = record(&world, &id).await;
        let path = critical_path(&world.system.cloud, &record).expect("a critical path").as_secs_f64();
        let took = seconds_between(&environment, "created_at", "updated_at");
        // With drawn latencies the service may be slower than the link; the medians are what is promised.
        if seed.is_none() {
            assert!(took <= 1.15 * path, "{took} s against {path} s");
        }
        assert!(took >= path, "{took} s cannot be less than {path} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_and_the_link_are_made_side_by_side() {
    let world = World::new().await;
    let id = world.create("parallel", "hello").await;
    let environment = world.settled(&id).await;
    let time = |step: &str, which: &str| {
        let steps = environment["steps"].as_array().expect("steps");
        let record = steps.iter().find(|record| record["name"] == step).expect("the step");
        record[which].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time")
    };
    assert!(time("EnsureService", "started_at") < time("EnsureLoadBalancerActive", "finished_at"));
    assert!(time("EnsureVpcLink", "started_at") < time("EnsureVpcLink", "finished_at"));
    assert!(time("EnsureTargetHealth", "finished_at") < time("EnsureVpcLink", "finished_at"));
}

#[tokio::test(start_paused = true)]
async fn the_steps_tell_which_resource_is_waited_for_since_when_and_why() {
    let world = World::new().await;
    let id = world.create("told", "hello").await;
    let environment = world.until_step(&id, "EnsureVpcLink", "waiting").await;
    let steps = environment["steps"].as_array().expect("steps");
    let link = steps.iter().find(|step| step["name"] == "EnsureVpcLink").expect("the link's step");
    let links = world.inventory().await.ids(ResourceKind::VpcLink).to_vec();
    assert_eq!(link["why"], json!(format!("VPC link {} is pending", links[0])));
    assert!(link["started_at"].is_string() && link["finished_at"].is_null());
    assert_eq!(environment["status"], "provisioning");
    assert!((1..100).contains(&environment["progress"].as_u64().expect("progress")));
}

#[tokio::test(start_paused = true)]
async fn ten_environments_posted_at_once_all_become_ready() {
    let world = &World::new().await;
    let names: Vec<String> = (0..10).map(|number| format!("at-once-{number}")).collect();
    let mut ids = Vec::new();
    for name in &names {
        ids.push(world.create(name, "hello").await);
    }
    for id in &ids {
        let environment = world.settled(id).await;
        assert_eq!(environment["status"], "ready", "{environment:#}");
        assert_eq!(world.reach(&environment, "/").await.0, 200);
    }
    let inventory = world.inventory().await;
    assert!(inventory.is_each(10), "{inventory}");
}

#[tokio::test(start_paused = true)]
async fn a_family_is_pinned_to_the_revision_that_was_newest_when_it_was_asked_for() {
    let world = World::new().await;
    world.register("pinned", "berth/hello").await;
    let id = world.create("pinned", "pinned").await;
    world.register("pinned", "berth/exits:1").await;
    let environment = world.settled(&id).await;
    assert_eq!(environment["status"], "ready");
    let pinned = environment["task_definition"].as_str().expect("a task definition");
    assert!(pinned.ends_with("task-definition/pinned:1"), "{pinned}");
    world.system.clock.sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.reach(&environment, "/").await.0, 200);
}
