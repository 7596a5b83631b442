//! Services that do not come up: each ends `failed`, with its cause, what to do, who can do it, what was seen, and nothing
//! left behind.

use std::time::Duration;

use berth_aws::sdk::ecs_types::{LogConfiguration, LogDriver};
use berth_domain::ResourceKind;
use berth_local::faults::Fault;
use berth_local::stand_in::ecs;
use serde_json::Value;
use tests::faults::denied;
use tests::{World, container};

/// Registers a task definition with one container `web` on port 8000 of `image` that writes to CloudWatch Logs.
async fn register_with_log(world: &World, family: &str, image: &str) {
    let log = LogConfiguration::builder()
        .log_driver(LogDriver::Awslogs)
        .options("awslogs-group", "/team/logs")
        .options("awslogs-region", "us-east-1")
        .options("awslogs-stream-prefix", "app")
        .build()
        .expect("a log configuration");
    let container = container("web", image).log_configuration(log);
    let call = world.registration(family, container).execution_role_arn(ecs::EXECUTION_ROLE);
    call.send().await.expect("a task definition");
}

/// The failure of environment `id`, once it has settled with nothing left; its cause, and who can fix it, are these.
async fn failure(world: &World, id: &str, cause: &str, who: &str) -> Value {
    let environment = world.settled(id).await;
    assert_eq!(environment["status"], "failed", "{environment:#}");
    let failure = environment["failure"].clone();
    assert_eq!((&failure["cause"], &failure["who"]), (&cause.into(), &who.into()), "{failure:#}");
    let what_to_do = failure["what_to_do"].as_str().expect("what to do");
    assert!(!what_to_do.is_empty() && !what_to_do.contains("{id}"), "{what_to_do}");
    let inventory = world.inventory().await;
    assert!(inventory.is_empty(), "{inventory}");
    failure
}

/// Everything that was seen at `source`, a line each.
fn seen(failure: &Value, source: &str) -> String {
    let entries = failure["evidence"].as_array().expect("evidence").iter();
    let details =
        entries.filter(|entry| entry["source"] == source).map(|entry| entry["detail"].as_str().expect("text"));
    details.collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_program_that_exits_at_once_is_shown_with_its_exit_code_and_last_words() {
    let world = World::new().await;
    register_with_log(&world, "crash", "berth/exits:3").await;
    let id = world.create("crash", "crash").await;
    let failure = failure(&world, &id, "container_exited", "caller").await;
    assert_eq!(failure["code"], "service_failed");
    let stopped = seen(&failure, "stopped_task");
    assert!(stopped.contains("EssentialContainerExited") && stopped.contains("code 3"), "{stopped}");
    assert_eq!(seen(&failure, "log"), "container web: berth/exits: ending with code 3, as the image says");
    assert_eq!(seen(&failure, "service"), "0 of 1 tasks are running");
    assert!(failure["what_to_do"].as_str().is_some_and(|text| text.contains(&id)), "{failure:#}");
    assert_eq!(world.delete(&id).await["status"], "deleted");
}

#[tokio::test(start_paused = true)]
async fn a_program_without_a_log_in_cloudwatch_is_said_to_leave_no_lines() {
    let world = World::new().await;
    world.register("silent", "berth/exits:1").await;
    let id = world.create("silent", "silent").await;
    let failure = failure(&world, &id, "container_exited", "caller").await;
    assert!(seen(&failure, "log").contains("no awslogs log driver"), "{failure:#}");
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_fails_with_the_pull_error() {
    let world = World::new().await;
    register_with_log(&world, "absent", "unpullable/image:1").await;
    let id = world.create("absent", "absent").await;
    let failure = failure(&world, &id, "image_not_pullable", "caller").await;
    assert!(seen(&failure, "stopped_task").contains("CannotPullContainerError"), "{failure:#}");
    assert!(seen(&failure, "log").contains("has no log stream"), "{failure:#}");
}

#[tokio::test(start_paused = true)]
async fn too_little_memory_and_missing_secrets_have_causes_of_their_own() {
    for (image, cause) in [("berth/oom", "out_of_memory"), ("berth/secretless", "secrets_not_readable")] {
        let world = World::new().await;
        register_with_log(&world, "ends", image).await;
        let id = world.create("ends", "ends").await;
        failure(&world, &id, cause, "caller").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_could_not_set_up_is_shown_with_its_reason() {
    for (operation, source, cause) in [
        ("elasticloadbalancing:CreateLoadBalancer", "load_balancer", "load_balancer_failed"),
        ("apigateway:CreateVpcLink", "vpc_link", "link_failed"),
    ] {
        let world = World::new().await;
        let fails = Fault::ComesUpFailed("an address was taken meanwhile".to_owned());
        world.fault(operation, 1, fails);
        let id = world.create("unlucky", "hello").await;
        let failure = failure(&world, &id, cause, "aws").await;
        assert!(seen(&failure, source).contains("an address was taken meanwhile"), "{failure:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_where_it_is_asked_fails_for_its_health_checks() {
    for (image, cause) in [
        ("berth/deaf", "health_check_failing"),
        ("berth/deaf:0.0.0.0:9000", "port_mismatch"),
        ("berth/deaf:127.0.0.1:8000", "listens_on_loopback"),
    ] {
        let world = World::new().await;
        register_with_log(&world, "deaf", image).await;
        let id = world.create("deaf", "deaf").await;
        let failure = failure(&world, &id, cause, "caller").await;
        assert_eq!(failure["step"], "EnsureTargetHealth");
        assert!(seen(&failure, "target_health").contains("Target.FailedHealthChecks"), "{failure:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_beyond_the_vcpu_quota_name_the_quota() {
    let world = World::new().await;
    world.system.cloud.change(|account| account.quotas.fargate_vcpus = 0.0);
    let id = world.create("large", "hello").await;
    let failure = failure(&world, &id, "vcpu_quota", "operator").await;
    assert_eq!((&failure["code"], &failure["step"]), (&"timed_out".into(), &"EnsureService".into()));
    assert!(seen(&failure, "service_event").contains("limit on the number of vCPUs"), "{failure:#}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_names_the_call_and_is_for_an_operator() {
    let world = World::new().await;
    world.deny("elasticloadbalancing:CreateTargetGroup");
    let id = world.create("denied", "hello").await;
    let failure = failure(&world, &id, "permission_denied", "operator").await;
    assert!(failure["message"].as_str().is_some_and(|text| text.contains("CreateTargetGroup")), "{failure:#}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_could_not_be_made_is_said_not_to_be_there() {
    let world = World::new().await;
    world.deny("ecs:CreateService");
    let id = world.create("denied", "hello").await;
    let failure = failure(&world, &id, "permission_denied", "operator").await;
    assert_eq!(seen(&failure, "service"), "there is no service");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_that_serves_another_link_fails_with_the_link_s_message() {
    let world = World::new().await;
    let id = world.create("taken", "hello").await;
    world.until_step(&id, "EnsureLoadBalancer", "done").await;
    let clients = &world.system.clients;
    let load_balancer = world.inventory().await.one(ResourceKind::LoadBalancer);
    let create = clients.apigateway.create_vpc_link().name("of another client").target_arns(load_balancer);
    let link = create.send().await.expect("a link").id().expect("an id").to_owned();
    world.until_step(&id, "EnsureVpcLink", "failed").await;
    clients.apigateway.delete_vpc_link().vpc_link_id(link).send().await.expect("its deletion");
    let failure = failure(&world, &id, "link_in_use", "operator").await;
    assert!(seen(&failure, "vpc_link").contains("FAILED: NLB is already associated"), "{failure:#}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_the_gateway_cannot_reach_is_shown_with_the_gateways_answer() {
    let world = World::new().await;
    let id = world.create("gone", "hello").await;
    world.until_step(&id, "EnsureTargetHealth", "done").await;
    let ecs = &world.system.clients.ecs;
    let service = world.inventory().await.one(ResourceKind::Service);
    ecs.update_service().service(service).desired_count(0).send().await.expect("a smaller service");
    let failure = failure(&world, &id, "gateway_cannot_reach", "operator").await;
    assert_eq!(failure["step"], "EnsureReachable");
    let gateway = seen(&failure, "gateway");
    assert!(gateway.contains("API Gateway does not reach the service (500 "), "{gateway}");
}

#[tokio::test(start_paused = true)]
async fn evidence_that_cannot_be_read_is_said_and_holds_nothing_up() {
    let logs = "logs:GetLogEvents";
    let slow = Fault::Slow(Duration::from_secs(3600));
    // The service's step asks for the task definition first.
    let definition = "ecs:DescribeTaskDefinition";
    for (operation, nth, fault, words) in [
        (logs, 1, denied(logs), "could not be read: AWS does not allow Berth to call GetLogEvents"),
        (logs, 1, slow, "could not be read: "),
        (definition, 2, Fault::Reset, "could not be read: DescribeTaskDefinition got no answer"),
    ] {
        let world = World::new().await;
        register_with_log(&world, "crash", "berth/exits:3").await;
        let id = world.create("crash", "crash").await;
        world.fault(operation, nth, fault);
        let failure = failure(&world, &id, "container_exited", "caller").await;
        assert!(seen(&failure, "log").starts_with(words), "{failure:#}");
        assert!(world.faults().all_came());
    }
}

#[tokio::test(start_paused = true)]
async fn collecting_evidence_ends_in_time_when_nothing_answers() {
    let world = World::new().await;
    register_with_log(&world, "deaf", "berth/deaf").await;
    let id = world.create("deaf", "deaf").await;
    world.until_step(&id, "EnsureTargetHealth", "waiting").await;
    // The step's own last look falls over these, and so does everything that is asked after it.
    for nth in 1..2_000 {
        world.fault("ecs:ListTasks", nth, Fault::Slow(Duration::from_secs(3600)));
        world.fault("elasticloadbalancing:DescribeTargetHealth", nth, Fault::Slow(Duration::from_secs(3600)));
    }
    let environment = world.settled(&id).await;
    let failure = &environment["failure"];
    assert_eq!(
        (&environment["status"], &failure["cause"]),
        (&"failed".into(), &"aws_unavailable".into()),
        "{failure:#}"
    );
    let time_over = "not collected: the 30 s limit for collecting evidence was reached";
    assert!(seen(failure, "target_health").contains(time_over), "{failure:#}");
    assert!(world.inventory().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_a_program_printed_is_masked_in_the_evidence() {
    let world = World::new().await;
    register_with_log(&world, "deaf", "berth/deaf:0.0.0.0:9000/postgres://app:hunter2@db").await;
    let id = world.create("deaf", "deaf").await;
    let failure = failure(&world, &id, "port_mismatch", "caller").await;
    assert_eq!(seen(&failure, "log"), "container web: Listening on 0.0.0.0:9000/postgres://app:[masked]@db");
    let records = format!("{:?}{:?}", world.records().await, world.events("demo", &id).await);
    assert!(!records.contains("hunter2"), "{records}");
}
