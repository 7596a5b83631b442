//! The limits, and the tags of a task definition, are checked again before each creation in AWS: they may have changed since the
//! request was accepted.

use berth_aws::sdk::ecs_types::Tag;
use berth_domain::limits::Limits;
use berth_local::embedded;
use berth_local::stand_in::ec2::{OTHER_SECURITY_GROUP, OTHER_SUBNET};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{Moment, World, WorldOptions, container};

use super::restart::{Folder, live};

const ROLE: &str = "arn:aws:iam::000000000000:role/app";

/// Everything that the environments of these tests need.
fn wide() -> Limits {
    let mut limits = embedded::default_limits();
    limits.subnets.push(OTHER_SUBNET.to_owned());
    limits.security_groups.push(OTHER_SECURITY_GROUP.to_owned());
    limits.task_roles.push(ROLE.to_owned());
    limits.public_ip = true;
    limits
}

/// Registers the family `app` with a role; the ARN of its revision.
async fn register(world: &World, teams: Option<&str>) -> String {
    let call = world.registration("app", container("web", "berth/hello")).task_role_arn(ROLE);
    let tags = teams.map(|teams| vec![Tag::builder().key("berth:team").value(teams).build()]);
    let reply = call.set_tags(tags).send().await.expect("a task definition");
    reply.task_definition().and_then(|made| made.task_definition_arn()).expect("an ARN").to_owned()
}

async fn create(world: &World) -> String {
    let network =
        json!({"subnets": [OTHER_SUBNET], "security_groups": [OTHER_SECURITY_GROUP], "assign_public_ip": true});
    let body = json!({"name": "app", "task_definition": "app", "network": network});
    let reply = world.call("demo", Method::POST, "/environments", &body).await.expect(202);
    reply.body["id"].as_str().expect("an id").to_owned()
}

/// The environment failed at `step` with this cause, says `said`, and nothing is left.
async fn assert_refused(world: &World, id: &str, step: &str, said: &str) {
    let environment = world.settled(id).await;
    let failure = &environment["failure"];
    assert_eq!(environment["status"], "failed", "{said}: {environment:#}");
    assert_eq!(
        (&failure["step"], &failure["code"], &failure["cause"]),
        (&Value::from(step), &Value::from("not_allowed"), &Value::from("not_allowed"))
    );
    assert!(failure["message"].as_str().is_some_and(|text| text.contains(said)), "{said}: {failure:#}");
    let inventory = world.inventory().await;
    assert!(inventory.is_empty(), "{said}: {inventory}");
}

#[test]
fn limits_that_were_tightened_after_the_acceptance_stop_the_creation_of_load_balancer_and_service() {
    let first = Timestamp::constant(1_800_000_000, 0);
    let own = embedded::default_limits;
    for (number, (tightened, said, at_load_balancer)) in [
        (Limits { subnets: own().subnets, ..wide() }, OTHER_SUBNET, true),
        (Limits { security_groups: own().security_groups, ..wide() }, OTHER_SECURITY_GROUP, true),
        (Limits { public_ip: false, ..wide() }, "AllowPublicIp", true),
        (Limits { families: vec!["other*".to_owned()], ..wide() }, "AllowedTaskDefinitionFamilies", false),
        (Limits { task_roles: Vec::new(), ..wide() }, ROLE, false),
        (Limits { untagged: false, ..wide() }, "key=berth:team,value=demo", false),
    ]
    .into_iter()
    .enumerate()
    {
        let steps = [("EnsureLoadBalancer", at_load_balancer), ("EnsureService", true)];
        for (step, _) in steps.into_iter().filter(|(_, checks)| *checks) {
            let folder = Folder::new(&format!("tightened-{number}-{step}"));
            let options = WorldOptions { limits: wide(), origin: first, ..Default::default() };
            let id = live(&folder, options, |world| async move {
                register(&world, None).await;
                world.make_step_wait(step);
                let id = create(&world).await;
                if step == "EnsureService" {
                    world.until_step(&id, "EnsureListener", "done").await;
                }
                id
            });
            let origin = first + SignedDuration::from_secs(600);
            let options = WorldOptions { limits: tightened.clone(), origin, ..Default::default() };
            live(&folder, options, |world| async move { assert_refused(&world, &id, step, said).await });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_definition_that_was_given_to_another_team_meanwhile_is_not_run() {
    for (teams, limits, said) in [
        (Some("payments"), wide(), "not for team demo"),
        (None, Limits { untagged: false, ..wide() }, "key=berth:team,value=demo"),
    ] {
        let world = World::with(WorldOptions { limits, ..Default::default() }).await;
        let arn = register(&world, Some("demo")).await;
        let held = world.hold_call("EnsureService", 1, Moment::Before);
        let id = create(&world).await;
        assert!(held.reached().await);
        let ecs = &world.system.clients.ecs;
        match teams {
            Some(teams) => {
                let tag = Tag::builder().key("berth:team").value(teams).build();
                ecs.tag_resource().resource_arn(&arn).tags(tag).send().await.map(drop).expect("tagged");
            }
            None => {
                ecs.untag_resource()
                    .resource_arn(&arn)
                    .tag_keys("berth:team")
                    .send()
                    .await
                    .map(drop)
                    .expect("untagged");
            }
        }
        held.let_go();
        assert_refused(&world, &id, "EnsureService", said).await;
    }
}
