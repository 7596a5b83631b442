//! RegisterTaskDefinition: what does not fit its model, what ECS adds, and what a definition may be used for. What ECS's rules
//! refuse is in `refusals`. The sources are at docs/aws.md#registering-a-task-definition.

use tests::call_ecs;

use super::*;

/// A definition that Fargate takes, as short as can be.
pub(super) fn smallest() -> Value {
    json!({
        "family": "small", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "containerDefinitions": [{"name": "app", "image": "nginx", "portMappings": [{"containerPort": 80}]}],
    })
}

/// The smallest definition with these members, each at its place.
pub(super) fn with(changes: &[(&str, Value)]) -> Value {
    let mut definition = smallest();
    for (pointer, value) in changes {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        match definition.pointer_mut(parent).unwrap() {
            Value::Array(entries) => entries.push(value.clone()),
            members => members[member] = value.clone(),
        }
    }
    definition
}

/// Types, enums, required members, lengths and ranges are the model's.
#[tokio::test(start_paused = true)]
async fn what_does_not_fit_the_model_is_refused_with_its_place() {
    let account = Account::unlimited();
    let violation = |value: &str, at: &str, rule: &str| {
        let words =
            format!("1 validation error detected: Value {value} at '{at}' failed to satisfy constraint: {rule}");
        ("InvalidParameterException", words)
    };
    let serialization = |words: &str| ("SerializationException", words.to_owned());
    let rows = [
        (
            "/networkMode",
            json!("aws-vpc"),
            violation("'aws-vpc'", "networkMode", "Member must satisfy enum value set: [bridge, host, awsvpc, none]"),
        ),
        (
            "/requiresCompatibilities",
            json!(["FARGAT"]),
            violation(
                "'FARGAT'",
                "requiresCompatibilities.1.member",
                "Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]",
            ),
        ),
        ("/family", Value::Null, violation("null", "family", "Member must not be null")),
        (
            "/containerDefinitions/0/secrets",
            json!([{"name": "A"}]),
            violation("null", "containerDefinitions.1.member.secrets.1.member.valueFrom", "Member must not be null"),
        ),
        (
            "/containerDefinitions/0/ulimits",
            json!([{"name": "files", "softLimit": 1, "hardLimit": 1}]),
            violation(
                "'files'",
                "containerDefinitions.1.member.ulimits.1.member.name",
                "Member must satisfy enum value set: [core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack]",
            ),
        ),
        (
            "/tags",
            json!([{"key": "", "value": "a"}]),
            violation("''", "tags.1.member.key", "Member must have length greater than or equal to 1"),
        ),
        ("/cpu", json!(256), serialization("NUMBER_VALUE cannot be converted to String")),
        ("/containerDefinitions/0/memory", json!("512"), serialization("STRING_VALUE cannot be converted to Integer")),
        (
            "/containerDefinitions/0/essential",
            json!("true"),
            serialization("STRING_VALUE cannot be converted to Boolean"),
        ),
        ("/containerDefinitions/0/command", json!("run"), serialization("Expected list or null")),
        (
            "/containerDefinitions/0/environment",
            json!([{"name": "A", "value": true}]),
            serialization("TRUE_VALUE cannot be converted to String"),
        ),
        ("/containerDefinitions/0/healthCheck", json!([]), serialization("Start of list found where not expected")),
        (
            "/containerDefinitions/0/dockerLabels",
            json!({"a": 1}),
            serialization("NUMBER_VALUE cannot be converted to String"),
        ),
        (
            "/containerDefinitions/0/memroy",
            json!(1),
            (
                "InvalidParameterException",
                "berth-local knows no member 'containerDefinitions.1.member.memroy' of RegisterTaskDefinition."
                    .to_owned(),
            ),
        ),
    ];
    for (at, value, (code, words)) in rows {
        let reply = call_ecs(&account.endpoint, "RegisterTaskDefinition", &with(&[(at, value)])).await;
        assert_eq!(reply, (400, json!({"__type": code, "message": words})), "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn ecs_fills_in_what_a_registration_leaves_out() {
    let account = Account::new();
    let given = with(&[
        ("/cpu", json!("1 vCPU")),
        ("/memory", json!("2GB")),
        ("/containerDefinitions/0/healthCheck", json!({"command": ["CMD-SHELL", "true"]})),
    ]);
    let (_, reply) = call_ecs(&account.endpoint, "RegisterTaskDefinition", &given).await;
    let mut described = reply["taskDefinition"].clone();
    assert!(described["registeredAt"].is_number());
    described.as_object_mut().unwrap().remove("registeredAt");
    assert_eq!(
        described,
        json!({
            "taskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/small:1",
            "family": "small", "revision": 1, "status": "ACTIVE", "networkMode": "awsvpc", "cpu": "1024", "memory": "2048",
            "requiresCompatibilities": ["FARGATE"], "compatibilities": ["EC2", "MANAGED_INSTANCES", "FARGATE"],
            "volumes": [], "placementConstraints": [], "requiresAttributes": [],
            "registeredBy": "arn:aws:iam::000000000000:root",
            "containerDefinitions": [{
                "name": "app", "image": "nginx", "cpu": 0, "essential": true, "environment": [], "mountPoints": [],
                "volumesFrom": [], "systemControls": [],
                "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
                "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "retries": 3},
            }],
        })
    );
}

/// A definition that does not ask for Fargate need not fit it, and says what it fits.
#[tokio::test(start_paused = true)]
async fn a_definition_for_instances_is_taken_and_no_service_on_fargate_runs_it() {
    let ecs = Ecs::new();
    for (family, changes, compatibilities) in [
        ("undecided", vec![], json!(["EC2", "MANAGED_INSTANCES", "FARGATE"])),
        ("privileged", vec![("/containerDefinitions/0/privileged", json!(true))], json!(["EC2"])),
        ("bridged", vec![("/networkMode", json!("bridge"))], json!(["EXTERNAL", "EC2"])),
    ] {
        let changes = [vec![("/family", json!(family)), ("/requiresCompatibilities", Value::Null)], changes].concat();
        let (status, reply) = call_ecs(&ecs.0.endpoint, "RegisterTaskDefinition", &with(&changes)).await;
        assert_eq!((status, &reply["taskDefinition"]["compatibilities"]), (200, &compatibilities), "{reply}");
        let created = ecs.create(family, family).send().await;
        match family {
            "undecided" => drop(created.unwrap()),
            _ => assert_eq!(message(created), "Task definition does not support launch_type FARGATE."),
        }
    }
}

/// TCP and UDP are counted apart, and only TCP is listened at.
#[tokio::test(start_paused = true)]
async fn one_port_may_be_mapped_for_tcp_and_for_udp() {
    let account = Account::new();
    let both = json!([{"containerPort": 53, "protocol": "udp"}, {"containerPort": 53, "protocol": "tcp"}]);
    let definition = with(&[("/containerDefinitions/0/portMappings", both)]);
    let (status, reply) = call_ecs(&account.endpoint, "RegisterTaskDefinition", &definition).await;
    assert_eq!(status, 200, "{reply}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_or_not_played_is_answered_in_ecs_own_form() {
    let account = Account::new();
    let missing = json!({"services": ["nope"]});
    let failures = json!([{"arn": "arn:aws:ecs:us-east-1:000000000000:service/nope", "reason": "MISSING"}]);
    let reply = call_ecs(&account.endpoint, "DescribeServices", &missing).await;
    assert_eq!(reply, (200, json!({"services": [], "failures": failures})));

    let reply = call_ecs(&account.endpoint, "RunTask", &json!({"taskDefinition": "hello"})).await;
    let words = "berth-local does not play ecs:RunTask.";
    assert_eq!(reply, (400, json!({"__type": "UnknownOperationException", "message": words})));
}
