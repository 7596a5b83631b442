//! What the deployment does not allow: foreign networks, public addresses, task definitions and roles of others.

use berth_aws::sdk::ecs_types::Tag;
use berth_local::embedded;
use berth_local::stand_in::ec2::{
    BERTH_SUBNETS, OTHER_SECURITY_GROUP, OTHER_SUBNET, OTHER_VPC, SECURITY_GROUP, SECURITY_GROUPS, SUBNETS,
};
use tests::{WorldOptions, container};

use super::*;

const ROLE: &str = "arn:aws:iam::000000000000:role/app";
const FOREIGN_ROLE: &str = "arn:aws:iam::000000000000:role/admin";

/// Registers `family` with this tag `berth:team`, task role and execution role.
async fn register(world: &World, family: &str, teams: Option<&str>, roles: [Option<&str>; 2]) {
    let call = world.registration(family, container("secret-name", "berth/hello"));
    let tags = teams.map(|teams| vec![Tag::builder().key("berth:team").value(teams).build()]);
    let [task_role, execution_role] = roles.map(|role| role.map(str::to_owned));
    let call = call.set_tags(tags).set_task_role_arn(task_role).set_execution_role_arn(execution_role);
    call.send().await.expect("a task definition");
}

/// A world that allows only families of `app-…` and `hello`, the role [`ROLE`] beside that of `hello`, and what is tagged.
async fn strict() -> World {
    let mut limits = embedded::default_limits();
    limits.families = vec!["app-*".to_owned(), "hello".to_owned()];
    limits.task_roles.push(ROLE.to_owned());
    limits.untagged = false;
    World::with(WorldOptions { limits, ..Default::default() }).await
}

#[tokio::test(start_paused = true)]
async fn what_the_deployment_does_not_allow_is_refused_with_its_place_and_nothing_comes_of_it() {
    let world = strict().await;
    register(&world, "app-theirs", Some("other payments"), [Some(FOREIGN_ROLE), None]).await;
    register(&world, "app-nameless", Some(""), [None, None]).await;
    register(&world, "app-similar", Some("demos @al all dem"), [None, None]).await;
    register(&world, "app-untagged", None, [None, None]).await;
    register(&world, "app-admin", Some("demo"), [Some(FOREIGN_ROLE), Some(ROLE)]).await;
    register(&world, "app-puller", Some("demo"), [Some(ROLE), Some(FOREIGN_ROLE)]).await;
    register(&world, "billing", Some("demo"), [None, None]).await;
    register(&world, "my-app-1", Some("demo"), [None, None]).await;
    world.faults().record();

    let definition = |family: &str| json!({"task_definition": family});
    let network = |members: Value| json!({"network": members});
    for (members, pointers, said) in [
        (network(json!({"subnets": [BERTH_SUBNETS[0], OTHER_SUBNET]})), vec!["/network/subnets/1"], OTHER_SUBNET),
        (network(json!({"subnets": ["subnet-00000001"]})), vec!["/network/subnets/0"], "AllowedSubnets"),
        (
            network(json!({"security_groups": [OTHER_SECURITY_GROUP, SECURITY_GROUP]})),
            vec!["/network/security_groups/0"],
            "AllowedSecurityGroups",
        ),
        (network(json!({"assign_public_ip": true})), vec!["/network/assign_public_ip"], "AllowPublicIp"),
        (definition("billing"), vec!["/task_definition"], "AllowedTaskDefinitionFamilies"),
        (definition("my-app-1"), vec!["/task_definition"], "app-*, hello"),
        (definition("app-theirs"), vec!["/task_definition"], "not for team demo"),
        (definition("app-theirs:1"), vec!["/task_definition"], "not for team demo"),
        (definition("app-nameless"), vec!["/task_definition"], "not for team demo"),
        (definition("app-similar"), vec!["/task_definition"], "not for team demo"),
        (definition("app-untagged"), vec!["/task_definition"], "key=berth:team,value=demo"),
        (definition("app-admin"), vec!["/task_definition"], "TaskRoleArns"),
        (definition("app-puller"), vec!["/task_definition"], FOREIGN_ROLE),
        (
            json!({
                "task_definition": "app-untagged",
                "network": {
                    "subnets": [OTHER_SUBNET], "security_groups": [OTHER_SECURITY_GROUP], "assign_public_ip": true,
                },
            }),
            vec!["/task_definition", "/network/subnets/0", "/network/security_groups/0", "/network/assign_public_ip"],
            "key=berth:team,value=demo",
        ),
        // What another team's task definition holds stays unsaid, whatever else is wrong.
        (
            json!({"task_definition": "app-theirs", "container": {"name": "web", "port": 1}}),
            vec!["/task_definition"],
            "not for team demo",
        ),
    ] {
        let reply = post(&world, "demo", &request(members.clone())).await.problem(422, "not_allowed");
        assert_eq!(reply.pointers(), pointers, "{members}: {}", reply.text);
        assert!(reply.body["detail"].as_str().expect("a detail").contains(said), "{members}: {}", reply.text);
        let theirs = members["task_definition"].as_str().is_some_and(|family| family.starts_with("app-theirs"));
        assert!(!theirs || !(reply.text.contains("secret-name") || reply.text.contains("role/")), "{}", reply.text);
    }
    assert_nothing_came_of_it(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_definition_that_names_the_team_or_all_with_allowed_roles_is_run() {
    let world = strict().await;
    for (number, (teams, roles)) in [
        ("demo", [None, None]),
        ("other demo", [Some(ROLE), None]),
        ("  demo  payments ", [Some(ROLE), Some(ROLE)]),
        ("@all", [None, Some(ROLE)]),
        ("payments @all", [None, None]),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("app-{number}");
        register(&world, &name, Some(teams), roles).await;
        let body = request(json!({"name": name, "task_definition": name}));
        let reply = post(&world, "demo", &body).await.expect(202);
        assert_eq!(world.settled(reply.body["id"].as_str().expect("an id")).await["status"], "ready", "{teams}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_the_deployment_allows_beside_its_own_is_used() {
    let (mut limits, mut subnets) = (embedded::default_limits(), Vec::new());
    let group = SECURITY_GROUPS.iter().find(|group| group.vpc == OTHER_VPC).expect("a group").id.to_owned();
    subnets.extend(SUBNETS.iter().filter(|subnet| subnet.vpc == OTHER_VPC).map(|subnet| subnet.id.to_owned()));
    limits.subnets.extend(subnets.clone());
    limits.security_groups.push(group.clone());
    limits.public_ip = true;
    let world = World::with(WorldOptions { limits, ..Default::default() }).await;
    let network = json!({"subnets": subnets, "security_groups": [group], "assign_public_ip": true});
    let reply = post(&world, "demo", &request(json!({"network": network}))).await.expect(202);
    assert_eq!(reply.body["network"], network);
    let environment = world.settled(reply.body["id"].as_str().expect("an id")).await;
    assert_eq!(environment["status"], "ready", "{environment:#}");
    assert_eq!(world.reach(&environment, "/").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_ecs_refuses_for_another_reason_is_not_said_to_be_absent() {
    let world = World::new().await;
    let said = "The revision must be a number.";
    for code in ["ClientException", "InvalidParameterException"] {
        world.fault("ecs:DescribeTaskDefinition", 1, Fault::Refuse(Refusal::bad(code, said)));
        let reply = post(&world, "demo", &request(json!({}))).await.problem(422, "task_definition_refused");
        assert_eq!(reply.pointers(), ["/task_definition"]);
        assert!(reply.text.contains(said) && !reply.text.contains("has no task definition"), "{}", reply.text);
    }
}
