//! ECS: task definitions, services, deployments and tasks through the SDK; task programs through the network.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_aws::sdk::ProvideErrorMetadata;
use berth_aws::sdk::ecs_types::{
    AwsVpcConfiguration, ContainerDefinition, DeploymentCircuitBreaker, DeploymentConfiguration, KeyValuePair,
    LaunchType, LoadBalancer, NetworkConfiguration, PortMapping, Service, Tag, Task,
};
use berth_aws::sdk::elb_types::Action;
use berth_domain::Clock;
use berth_local::cloud::net::Net;
use berth_local::cloud::profile::Profile;
use berth_local::cloud::quotas::Quotas;
use berth_local::cloud::rates::Rates;
use berth_local::cloud::sim::Sim;
use berth_local::cloud::{Cloud, Options, ecs};
use berth_local::ec2::{SECURITY_GROUP, SUBNETS, VPC};
use serde_json::{Value, json};
use tests::Account;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The code and message of a refusal.
fn refusal<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, E>) -> (String, String) {
    let error = result.expect_err("a refusal");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

fn message<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, E>) -> String {
    refusal(result).1
}

fn network(subnet: &str, group: &str) -> NetworkConfiguration {
    let vpc = AwsVpcConfiguration::builder().subnets(subnet).security_groups(group).build().unwrap();
    NetworkConfiguration::builder().awsvpc_configuration(vpc).build()
}

fn breaker(rollback: bool) -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(rollback).build();
    DeploymentConfiguration::builder().deployment_circuit_breaker(breaker).build()
}

fn load_balancer(target_group: &str, container: &str, port: i32) -> LoadBalancer {
    LoadBalancer::builder().target_group_arn(target_group).container_name(container).container_port(port).build()
}

/// What the tests do with one account.
struct Ecs(Account);

type Create = berth_aws::sdk::CreateService;

impl Ecs {
    fn new() -> Self {
        Self(Account::new())
    }

    async fn wait(&self, seconds: u64) {
        self.0.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// CreateService as most tests want it: one task in the first subnet.
    fn create(&self, name: &str, definition: &str) -> Create {
        let create = self.0.clients.ecs.create_service().service_name(name).task_definition(definition);
        create
            .desired_count(1)
            .launch_type(LaunchType::Fargate)
            .network_configuration(network(SUBNETS[0].0, SECURITY_GROUP))
    }

    async fn delete(&self, name: &str) {
        self.0.clients.ecs.delete_service().service(name).force(true).send().await.unwrap();
    }

    async fn service(&self, name: &str) -> Service {
        let reply = self.0.clients.ecs.describe_services().services(name).send().await.unwrap();
        reply.services()[0].clone()
    }

    async fn status(&self, name: &str) -> String {
        self.service(name).await.status().unwrap().to_owned()
    }

    async fn tasks(&self, service: &str, desired: &str) -> Vec<Task> {
        let list = self.0.clients.ecs.list_tasks().service_name(service).desired_status(desired.into());
        let arns = list.send().await.unwrap().task_arns().to_vec();
        if arns.is_empty() {
            return Vec::new();
        }
        let reply = self.0.clients.ecs.describe_tasks().set_tasks(Some(arns)).send().await.unwrap();
        reply.tasks().to_vec()
    }

    async fn register(&self, family: &str, image: &str) -> String {
        let port = PortMapping::builder().container_port(8000).build();
        let variables = [("BERTH_GREETING", "hi"), ("SECRET", "hidden")];
        let variables = variables.map(|(name, value)| KeyValuePair::builder().name(name).value(value).build());
        let container = ContainerDefinition::builder().name("web").image(image).port_mappings(port);
        let container = container.set_environment(Some(variables.to_vec())).build();
        let register = self.0.clients.ecs.register_task_definition().family(family).container_definitions(container);
        let register = register.network_mode("awsvpc".into()).requires_compatibilities("FARGATE".into());
        let reply = register.cpu(".25 vCPU").memory("0.5 GB").send().await.unwrap();
        reply.task_definition().unwrap().task_definition_arn().unwrap().to_owned()
    }

    async fn target_group(&self, name: &str, kind: &str) -> String {
        let create = self.0.clients.elb.create_target_group().name(name).protocol("TCP".into()).port(8000);
        let create = create.vpc_id(VPC).target_type(kind.into()).health_check_interval_seconds(10);
        create.send().await.unwrap().target_groups()[0].target_group_arn().unwrap().to_owned()
    }

    async fn load_balancer(&self) -> String {
        let create = self.0.clients.elb.create_load_balancer().name("nlb").r#type("network".into());
        let reply = create.subnets(SUBNETS[0].0).security_groups(SECURITY_GROUP).send().await.unwrap();
        reply.load_balancers()[0].load_balancer_arn().unwrap().to_owned()
    }

    async fn listen(&self, load_balancer: &str, port: i32, target_group: &str) {
        let create = self.0.clients.elb.create_listener().load_balancer_arn(load_balancer).port(port);
        let forward = Action::builder().r#type("forward".into()).target_group_arn(target_group).build();
        create.protocol("TCP".into()).default_actions(forward).send().await.unwrap();
    }

    /// A target group behind a listener.
    async fn served(&self) -> String {
        let (balancer, group) = (self.load_balancer().await, self.target_group("group", "ip").await);
        self.listen(&balancer, 80, &group).await;
        group
    }

    async fn health(&self, group: &str) -> Vec<String> {
        let reply = self.0.clients.elb.describe_target_health().target_group_arn(group).send().await.unwrap();
        let states = reply.target_health_descriptions().iter();
        states.map(|target| target.target_health().unwrap().state().unwrap().as_str().to_owned()).collect()
    }
}

fn address(task: &Task) -> String {
    task.containers()[0].network_interfaces()[0].private_ipv4_address().unwrap().to_owned()
}

fn rollout(service: &Service) -> String {
    service.deployments()[0].rollout_state().unwrap().as_str().to_owned()
}

fn told(service: &Service, text: &str) -> bool {
    service.events().iter().any(|event| event.message().unwrap().contains(text))
}

/// Asks what listens at an address; the body of its answer.
async fn ask(net: &Net, ip: &str, request: &str) -> String {
    let Ok(mut connection) = net.connect(&(ip.to_owned(), 8000)).await else { return String::new() };
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn hello_comes_to_a_steady_state_and_answers_at_its_tasks_address() {
    let ecs = Ecs::new();
    let family = ecs.register("greeter", "berth/hello").await;
    assert!(family.ends_with(":task-definition/greeter:1"), "{family}");
    ecs.create("hello", "hello").send().await.unwrap();
    ecs.create("greeter", "greeter").send().await.unwrap();

    let provisioning = &ecs.tasks("hello", "RUNNING").await[0];
    assert_eq!(provisioning.last_status(), Some("PROVISIONING"));
    ecs.wait(20).await;
    assert_eq!(ecs.tasks("hello", "RUNNING").await[0].last_status(), Some("PENDING"));
    assert_eq!(ecs.service("hello").await.pending_count(), 1);
    assert_eq!(rollout(&ecs.service("hello").await), "IN_PROGRESS");
    ecs.wait(30).await;

    let service = ecs.service("hello").await;
    assert_eq!((service.running_count(), service.deployments().len()), (1, 1));
    assert_eq!(rollout(&service), "COMPLETED");
    assert!(told(&service, "(service hello) has reached a steady state."));
    assert!(service.task_definition().unwrap().ends_with(":task-definition/hello:1"));
    let task = &ecs.tasks("hello", "RUNNING").await[0];
    assert_eq!(task.last_status(), Some("RUNNING"));
    assert_eq!((task.cpu(), task.memory(), task.group()), (Some("256"), Some("512"), Some("service:hello")));
    assert!(task.created_at() < task.pull_started_at() && task.pull_stopped_at() <= task.started_at());

    let task = &ecs.tasks("greeter", "RUNNING").await[0];
    let request = "POST /x?y=1 HTTP/1.1\r\nHost: a\r\nX-Trace: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    let answer: Value = serde_json::from_str(&ask(ecs.0.cloud.net(), &address(task), request).await).unwrap();
    assert_eq!(answer["method"], "POST");
    assert_eq!(answer["path"], "/x?y=1");
    assert_eq!(answer["headers"]["x-trace"], "b");
    assert_eq!(answer["body_length"], 3);
    assert_eq!(answer["environment"], json!({"BERTH_GREETING": "hi"}));
    assert!(task.task_arn().unwrap().ends_with(answer["task"].as_str().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_is_refused_with_its_words() {
    let ecs = Ecs::new();
    let client = &ecs.0.clients.ecs;
    let (balancer, group) = (ecs.load_balancer().await, ecs.target_group("group", "ip").await);
    let instances = ecs.target_group("instances", "instance").await;
    let with = |group: &str, container: &str, port| {
        ecs.create("api", "hello").load_balancers(load_balancer(group, container, port)).send()
    };
    let unserved = format!("The target group with targetGroupArn {group} does not have an associated load balancer.");
    assert_eq!(refusal(with(&group, "web", 8000).await), ("InvalidParameterException".to_owned(), unserved));
    ecs.listen(&balancer, 80, &group).await;
    ecs.listen(&balancer, 81, &instances).await;
    assert!(message(with(&instances, "web", 8000).await).contains("incompatible with the awsvpc network mode"));
    assert_eq!(message(with(&group, "app", 8000).await), "The container app does not exist in the task definition.");
    assert_eq!(
        message(with(&group, "web", 9000).await),
        "The container web did not have a container port 9000 defined."
    );
    let absent = group.replace("group/", "absent/");
    assert!(message(with(&absent, "web", 8000).await).contains("does not exist"));

    let create = || ecs.create("api", "hello");
    assert_eq!(
        refusal(create().cluster("none").send().await),
        ("ClusterNotFoundException".to_owned(), "Cluster not found.".to_owned())
    );
    assert_eq!(
        refusal(create().task_definition("none").send().await),
        ("ClientException".to_owned(), "TaskDefinition not found.".to_owned())
    );
    let elsewhere = network("subnet-none", SECURITY_GROUP);
    assert!(message(create().network_configuration(elsewhere).send().await).contains("'subnet-none' does not exist"));
    let unsafe_group = network(SUBNETS[0].0, "sg-none");
    assert!(message(create().network_configuration(unsafe_group).send().await).contains("'sg-none' does not exist"));
    assert!(message(create().launch_type(LaunchType::Ec2).send().await).contains("launchType FARGATE only"));
    assert!(message(create().client_token("x".repeat(37)).send().await).contains("clientToken"));
    let blocked = DeploymentConfiguration::builder().maximum_percent(100).minimum_healthy_percent(100).build();
    assert!(message(create().deployment_configuration(blocked).send().await).contains("block deployments"));
    assert!(message(create().health_check_grace_period_seconds(60).send().await).contains("Health check grace period"));
    assert!(message(create().role("ecsServiceRole").send().await).contains("role of CreateService"));

    let register = || {
        let container = ContainerDefinition::builder().name("web").image("a").build();
        let register = client.register_task_definition().family("sized").container_definitions(container);
        register.network_mode("awsvpc".into()).requires_compatibilities("FARGATE".into()).cpu("256").memory("512")
    };
    register().send().await.unwrap();
    register().cpu("4096").memory("30720").send().await.unwrap();
    for (cpu, memory) in [("256", "4096"), ("4096", "4096"), ("300", "512"), ("8192", "17408")] {
        let (code, message) = refusal(register().cpu(cpu).memory(memory).send().await);
        assert_eq!(code, "ClientException");
        assert!(message.starts_with("No Fargate configuration exists for given values"), "{message}");
    }
    assert!(message(register().network_mode("bridge".into()).send().await).starts_with("Fargate only supports"));
    assert_eq!(
        message(client.register_task_definition().family("sized").send().await),
        "Container list cannot be empty."
    );
    let describe = |definition: &str| client.describe_task_definition().task_definition(definition).send();
    assert_eq!(
        refusal(describe("none").await),
        ("ClientException".to_owned(), "Unable to describe task definition.".to_owned())
    );
    client.deregister_task_definition().task_definition("sized:2").send().await.unwrap();
    assert_eq!(describe("sized").await.unwrap().task_definition().unwrap().revision(), 1);
    assert_eq!(message(create().task_definition("sized:2").send().await), "TaskDefinition is inactive");

    let update = || client.update_service().service("api").desired_count(2).send();
    assert_eq!(refusal(update().await).0, "ServiceNotFoundException");
    create().send().await.unwrap();
    assert_eq!(
        refusal(client.delete_service().service("api").send().await),
        (
            "InvalidParameterException".to_owned(),
            "The service cannot be stopped while it is scaled above 0.".to_owned()
        )
    );
    assert_eq!(refusal(client.delete_cluster().cluster("default").send().await).0, "ClusterContainsServicesException");
    ecs.delete("api").await;
    assert_eq!(refusal(update().await).0, "ServiceNotActiveException");
    assert_eq!(message(client.stop_task().task("none").send().await), "The referenced task was not found.");
}

#[tokio::test(start_paused = true)]
async fn a_client_token_gives_the_same_service_again() {
    let ecs = Ecs::new();
    let create = |name: &str| ecs.create(name, "hello").client_token("token-1").send();
    let first = create("api").await.unwrap();
    let again = create("api").await.unwrap();
    assert_eq!(first.service().unwrap().deployments()[0].id(), again.service().unwrap().deployments()[0].id());
    assert_eq!(ecs.tasks("api", "RUNNING").await.len(), 1);

    let not_idempotent = "Creation of service was not idempotent.";
    assert_eq!(message(ecs.create("api", "hello").client_token("token-2").send().await), not_idempotent);
    assert_eq!(message(ecs.create("api", "hello").send().await), not_idempotent);
    assert_eq!(message(create("other").await), not_idempotent);

    // The token belongs to its cluster.
    ecs.0.clients.ecs.create_cluster().cluster_name("second").send().await.unwrap();
    ecs.create("api", "hello").cluster("second").client_token("token-1").send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_breaker_stops_a_first_deployment_after_three_failures_and_it_stalls() {
    let ecs = Ecs::new();
    ecs.register("crash", "berth/exits:3").await;
    ecs.create("crash", "crash").deployment_configuration(breaker(true)).send().await.unwrap();
    ecs.wait(600).await;

    let service = ecs.service("crash").await;
    let deployment = &service.deployments()[0];
    assert_eq!(deployment.rollout_state().unwrap().as_str(), "FAILED");
    assert_eq!(deployment.rollout_state_reason(), Some("ECS deployment circuit breaker: tasks failed to start."));
    assert_eq!((service.status(), service.running_count()), (Some("ACTIVE"), 0));
    assert!(!told(&service, "steady state"));
    assert_eq!(ecs.tasks("crash", "RUNNING").await.len(), 0);
    let stopped = ecs.tasks("crash", "STOPPED").await;
    assert_eq!(stopped.len(), 3);
    for task in stopped {
        assert_eq!(task.stop_code().unwrap().as_str(), "EssentialContainerExited");
        assert_eq!(task.stopped_reason(), Some("Essential container in task exited"));
        assert_eq!((task.containers()[0].exit_code(), task.last_status()), (Some(3), Some("STOPPED")));
        assert!(task.started_at().is_some() && task.stopped_at().is_some());
    }
    ecs.wait(3600).await;
    assert_eq!(ecs.tasks("crash", "STOPPED").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_says_so_and_backs_off() {
    let ecs = Ecs::new();
    ecs.register("private", "unpullable/app").await;
    ecs.create("private", "private").send().await.unwrap();
    ecs.wait(300).await;

    let stopped = ecs.tasks("private", "STOPPED").await;
    assert_eq!(stopped[0].stop_code().unwrap().as_str(), "TaskFailedToStart");
    let reason = stopped[0].stopped_reason().unwrap();
    assert!(reason.starts_with("CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/unpullable/app:latest"));
    assert!(stopped[0].started_at().is_none() && stopped[0].containers()[0].exit_code().is_none());
    // 40 s each, with 10, 20, 40, 80 s between them.
    assert_eq!(stopped.len(), 4);
    assert!(told(&ecs.service("private").await, "is unable to consistently start tasks successfully."));
}

#[tokio::test(start_paused = true)]
async fn a_task_without_its_secrets_never_starts_and_one_without_memory_is_killed() {
    let ecs = Ecs::new();
    for (family, image) in [("secret", "berth/secretless"), ("greedy", "berth/oom:2")] {
        ecs.register(family, image).await;
        ecs.create(family, family).send().await.unwrap();
    }
    ecs.wait(60).await;
    let stopped = &ecs.tasks("secret", "STOPPED").await[0];
    assert_eq!(stopped.stop_code().unwrap().as_str(), "TaskFailedToStart");
    assert!(stopped.stopped_reason().unwrap().starts_with("ResourceInitializationError: unable to pull secrets"));
    let stopped = &ecs.tasks("greedy", "STOPPED").await[0];
    assert_eq!(stopped.stop_code().unwrap().as_str(), "EssentialContainerExited");
    let container = &stopped.containers()[0];
    assert_eq!(container.exit_code(), Some(137));
    assert_eq!(container.reason(), Some("OutOfMemoryError: Container killed due to memory usage"));
}

#[tokio::test(start_paused = true)]
async fn a_task_definition_of_another_account_or_region_is_not_there() {
    let ecs = Ecs::new();
    let own = ecs.register("mine", "berth/mine").await;
    let describe = |given: &str| ecs.0.clients.ecs.describe_task_definition().task_definition(given).send();
    describe(&own).await.expect("it is there");
    for other in [
        own.replace("us-east-1", "eu-west-1"),
        own.replace("000000000000", "111111111111"),
        own.replace(":task-definition/", ":service/"),
    ] {
        assert_eq!(
            refusal(describe(&other).await),
            ("ClientException".into(), "Unable to describe task definition.".into())
        );
        assert_eq!(message(ecs.create("api", &other).send().await), "TaskDefinition not found.");
        let deregister = ecs.0.clients.ecs.deregister_task_definition().task_definition(&other).send().await;
        assert_eq!(message(deregister), "The specified task definition does not exist.");
    }
}

#[tokio::test(start_paused = true)]
async fn deleting_drains_for_the_deregistration_delay_and_frees_the_name() {
    let ecs = Ecs::new();
    let client = &ecs.0.clients.ecs;
    let group = ecs.served().await;
    let create = || ecs.create("api", "hello").load_balancers(load_balancer(&group, "web", 8000)).send();
    create().await.unwrap();
    ecs.wait(50).await;
    let service = ecs.service("api").await;
    assert!(told(&service, "has reached a steady state."), "the steady state does not wait for target health");
    assert_eq!(rollout(&service), "IN_PROGRESS");
    assert_eq!(ecs.health(&group).await, ["initial"]);
    ecs.wait(250).await;
    assert_eq!(ecs.health(&group).await, ["healthy"]);
    assert_eq!(rollout(&ecs.service("api").await), "COMPLETED");
    let ip = address(&ecs.tasks("api", "RUNNING").await[0]);

    let deleted = client.delete_service().service("api").force(true).send().await.unwrap();
    assert_eq!(deleted.service().unwrap().status(), Some("DRAINING"));
    assert!(client.list_services().send().await.unwrap().service_arns().is_empty());
    assert_eq!(message(create().await), "Unable to Start a service that is still Draining.");
    assert_eq!(ecs.tasks("api", "STOPPED").await[0].last_status(), Some("DEACTIVATING"));
    assert_eq!(ecs.health(&group).await, ["draining"]);
    ecs.wait(290).await;
    assert_eq!(ecs.status("api").await, "DRAINING");
    let hello = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(ask(ecs.0.cloud.net(), &ip, hello).await.contains("hello"), "a draining task still answers");
    ecs.wait(20).await;
    assert_eq!(ecs.status("api").await, "INACTIVE");
    let task = &ecs.tasks("api", "STOPPED").await[0];
    assert_eq!(task.stop_code().unwrap().as_str(), "ServiceSchedulerInitiated");
    assert_eq!((task.last_status(), task.containers()[0].exit_code()), (Some("STOPPED"), Some(0)));
    assert_eq!(ask(ecs.0.cloud.net(), &ip, hello).await, "");

    create().await.unwrap();
    assert_eq!(ecs.status("api").await, "ACTIVE");
    ecs.delete("api").await;
    ecs.wait(60).await;
    assert_eq!(ecs.status("api").await, "INACTIVE");
    ecs.wait(3600).await;
    let reply = client.describe_services().services("api").send().await.unwrap();
    assert_eq!(reply.failures()[0].reason(), Some("MISSING"));
}

#[tokio::test(start_paused = true)]
async fn an_update_replaces_the_tasks_without_a_gap() {
    let ecs = Ecs::new();
    let group = ecs.served().await;
    let create = ecs.create("api", "hello").desired_count(2);
    create.load_balancers(load_balancer(&group, "web", 8000)).send().await.unwrap();
    ecs.wait(300).await;
    assert_eq!(ecs.health(&group).await, ["healthy", "healthy"]);

    let second = ecs.register("hello", "berth/hello").await;
    assert!(second.ends_with("hello:2"));
    ecs.0.clients.ecs.update_service().service("api").task_definition("hello").send().await.unwrap();
    ecs.wait(60).await;
    let service = ecs.service("api").await;
    assert_eq!((service.deployments().len(), service.running_count()), (2, 4));
    assert_eq!(service.deployments()[1].status(), Some("ACTIVE"));
    ecs.wait(600).await;
    let service = ecs.service("api").await;
    assert_eq!((service.deployments().len(), service.running_count()), (1, 2));
    assert_eq!((rollout(&service).as_str(), service.task_definition()), ("COMPLETED", Some(second.as_str())));
    assert_eq!(ecs.health(&group).await, ["healthy", "healthy"]);

    let update = ecs.0.clients.ecs.update_service().service("api");
    update.desired_count(0).send().await.unwrap();
    ecs.wait(400).await;
    let service = ecs.service("api").await;
    assert_eq!((service.deployments().len(), service.running_count()), (1, 0));
    ecs.0.clients.ecs.delete_service().service("api").send().await.unwrap();
    ecs.wait(10).await;
    assert_eq!(ecs.status("api").await, "INACTIVE");
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_rolls_back_when_asked_to() {
    let ecs = Ecs::new();
    ecs.create("api", "hello").deployment_configuration(breaker(true)).send().await.unwrap();
    ecs.wait(60).await;
    let good = ecs.service("api").await;
    let task = ecs.tasks("api", "RUNNING").await[0].task_arn().unwrap().to_owned();

    ecs.register("crash", "berth/exits:1").await;
    ecs.0.clients.ecs.update_service().service("api").task_definition("crash").send().await.unwrap();
    ecs.wait(300).await;
    let service = ecs.service("api").await;
    assert_eq!(service.deployments().len(), 1);
    assert_eq!(service.deployments()[0].id(), good.deployments()[0].id());
    assert_eq!(rollout(&service), "COMPLETED");
    assert_eq!(service.task_definition(), good.task_definition());
    assert!(told(&service, "deployment failed: tasks failed to start."));
    assert!(told(&service, "rolling back to deployment"));
    assert_eq!(ecs.tasks("api", "RUNNING").await[0].task_arn(), Some(task.as_str()));
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_task_is_replaced_after_the_grace_period() {
    let ecs = Ecs::new();
    let group = ecs.served().await;
    ecs.register("deaf", "berth/deaf").await;
    let create = ecs.create("api", "deaf").load_balancers(load_balancer(&group, "web", 8000));
    create.health_check_grace_period_seconds(400).deployment_configuration(breaker(false)).send().await.unwrap();
    ecs.wait(380).await;
    assert_eq!(ecs.health(&group).await, ["unhealthy"]);
    assert_eq!(ecs.tasks("api", "RUNNING").await[0].last_status(), Some("RUNNING"));
    ecs.wait(100).await;
    let service = ecs.service("api").await;
    assert!(told(&service, &format!("is unhealthy in (target-group {group}) due to (reason Health checks failed)")));
    let replaced = &ecs.tasks("api", "STOPPED").await[0];
    assert!(replaced.stopped_reason().unwrap().starts_with("Task failed ELB health checks in (target-group"));
    ecs.wait(2000).await;
    assert_eq!(rollout(&ecs.service("api").await), "FAILED");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_stopped_or_lacks_vcpus_is_told_of_and_tried_again() {
    let ecs = Ecs::new();
    ecs.0.cloud.change(|sim| sim.quotas.fargate_vcpus = 0.25);
    ecs.create("api", "hello").desired_count(2).send().await.unwrap();
    ecs.wait(60).await;
    let service = ecs.service("api").await;
    assert_eq!((service.running_count(), service.pending_count()), (1, 0));
    assert!(told(
        &service,
        "was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently"
    ));
    ecs.0.cloud.change(|sim| sim.quotas.fargate_vcpus = 100.0);
    ecs.wait(120).await;
    assert_eq!(ecs.service("api").await.running_count(), 2);

    let task = ecs.tasks("api", "RUNNING").await[0].task_arn().unwrap().to_owned();
    ecs.0.clients.ecs.stop_task().task(&task).reason("maintenance").send().await.unwrap();
    ecs.wait(60).await;
    let stopped = &ecs.tasks("api", "STOPPED").await[0];
    assert_eq!(stopped.task_arn(), Some(task.as_str()));
    assert_eq!(stopped.stop_code().unwrap().as_str(), "UserInitiated");
    assert_eq!(stopped.stopped_reason(), Some("maintenance"));
    assert_eq!(ecs.service("api").await.running_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn tags_are_shown_when_asked_for_and_reach_the_tasks() {
    let ecs = Ecs::new();
    let client = &ecs.0.clients.ecs;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let create = ecs.create("api", "hello").tags(tag("berth:environment", "e-1")).propagate_tags("SERVICE".into());
    let arn = create.send().await.unwrap().service().unwrap().service_arn().unwrap().to_owned();
    assert!(ecs.service("api").await.tags().is_empty());
    let describe = client.describe_services().services("api").include("TAGS".into());
    assert_eq!(describe.send().await.unwrap().services()[0].tags(), [tag("berth:environment", "e-1")]);
    let task = ecs.tasks("api", "RUNNING").await[0].task_arn().unwrap().to_owned();
    let tags = client.list_tags_for_resource().resource_arn(task).send().await.unwrap();
    assert_eq!(tags.tags(), [tag("berth:environment", "e-1")]);

    client.tag_resource().resource_arn(&arn).tags(tag("more", "")).send().await.unwrap();
    client.untag_resource().resource_arn(&arn).tag_keys("berth:environment").send().await.unwrap();
    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags(), [tag("more", "")]);
}

/// The program of the next test: run as a task's command, it answers on `PORT`.
#[tokio::test]
#[ignore = "it is a server; the next test starts it"]
async fn a_command_that_serves() {
    let Some(port) = std::env::var("PORT").ok().and_then(|port| port.parse().ok()) else { return };
    println!("serving {}", std::env::var("BERTH_TASK_ID").unwrap());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    while let Ok((mut connection, _)) = listener.accept().await {
        let leaked = std::env::vars().any(|(name, _)| name.starts_with("CARGO"));
        let reply = format!("HTTP/1.1 200 OK\r\n\r\npid {} leaked {leaked}", std::process::id());
        let mut request = [0; 1024];
        if connection.read(&mut request).await.is_ok() {
            let _sent = connection.write_all(reply.as_bytes()).await;
        }
    }
}

fn command_cloud(state: Option<Sim>, kept: &Arc<Mutex<String>>) -> Cloud {
    let server = std::env::current_exe().unwrap();
    let run = format!("'{}' --exact cloud::ecs::a_command_that_serves --ignored --nocapture", server.display());
    let kept = Arc::clone(kept);
    Cloud::start(Options {
        clock: Clock::scaled(500.0),
        profile: Profile::medians(),
        seed: 1,
        net: Net::loopback(),
        rates: Rates::Aws,
        quotas: Quotas::default(),
        state,
        keep: Some(Box::new(move |sim| *kept.lock().unwrap() = serde_json::to_string(sim).unwrap())),
        programs: [
            ("served", run.as_str()),
            ("brief", "echo ready; kill -9 $$"),
            ("stubborn", "trap '' TERM; sleep 99"),
        ]
        .map(|(family, command)| (family.to_owned(), command.to_owned()))
        .into(),
    })
}

/// Calls ECS in process: there is no door, so that the test has no SDK between itself and the processes.
fn call(cloud: &Cloud, operation: &str, input: Value) -> Value {
    cloud.change(|sim| ecs::call(sim, operation, &input)).unwrap()
}

async fn until<T>(mut found: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..200 {
        if let Some(found) = found().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it has not come within two seconds");
}

/// The first task of a service that has stopped.
async fn stopped(cloud: &Cloud, service: &str) -> ecs::Task {
    let stopped = |task: &&ecs::Task| task.service.ends_with(service) && task.status == ecs::TaskStatus::Stopped;
    until(async || cloud.change(|sim| sim.ecs.tasks.values().find(stopped).cloned())).await
}

async fn answered(cloud: &Cloud) -> String {
    until(async || {
        let ip = cloud.change(|sim| {
            let mut running = sim.ecs.tasks.values().filter(|task| task.should_run && task.service.ends_with("served"));
            running.next().map(|task| task.ip.clone())
        })?;
        let answer = ask(cloud.net(), &ip, "GET / HTTP/1.1\r\n\r\n").await;
        (!answer.is_empty()).then_some(answer)
    })
    .await
}

fn group(cloud: &Cloud) -> Option<i32> {
    cloud.change(|sim| sim.ecs.tasks.values().find_map(|task| task.process_group))
}

fn alive(group: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{group}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_command_runs_as_the_task_survives_a_kill_and_ends_with_the_stand_in() {
    let kept = Arc::new(Mutex::new(String::new()));
    let cloud = command_cloud(None, &kept);
    let network = json!({"awsvpcConfiguration": {"subnets": [SUBNETS[0].0]}});
    let create = |name: &str| {
        json!({"serviceName": name, "taskDefinition": name, "desiredCount": 1, "launchType": "FARGATE",
               "networkConfiguration": network})
    };
    until(async || cloud.change(|sim| sim.ecs.families.contains_key("brief")).then_some(())).await;
    call(&cloud, "CreateService", create("served"));
    assert!(answered(&cloud).await.contains("leaked false"));
    let first = until(async || group(&cloud)).await;

    // What a stand-in that was killed leaves behind: its state, and the process.
    let state: Sim = serde_json::from_str(&kept.lock().unwrap()).unwrap();
    let ids: Vec<String> = state.ecs.tasks.keys().cloned().collect();
    let next = command_cloud(Some(state), &Arc::default());
    let second = until(async || group(&next).filter(|second| *second != first)).await;
    assert!(!alive(first));
    assert!(answered(&next).await.contains("pid"));
    assert_eq!(next.change(|sim| sim.ecs.tasks.keys().cloned().collect::<Vec<_>>()), ids, "the same task goes on");
    cloud.runner().stop_all().await;

    call(&next, "CreateService", create("brief"));
    let failed = stopped(&next, "brief").await;
    let lines: Vec<&str> = failed.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!((failed.containers[0].exit_code, lines), (Some(137), vec!["ready"]));

    call(&next, "CreateService", create("stubborn"));
    let stubborn = until(async || {
        let running = |task: &&ecs::Task| task.service.ends_with("stubborn") && task.process_group.is_some();
        next.change(|sim| sim.ecs.tasks.values().find(running).cloned())
    })
    .await;
    // Time for the shell to set its trap.
    tokio::time::sleep(Duration::from_millis(50)).await;
    call(&next, "StopTask", json!({"task": stubborn.id}));
    assert_eq!(stopped(&next, "stubborn").await.containers[0].exit_code, Some(137), "killed after the stop timeout");
    assert!(!alive(stubborn.process_group.unwrap()));

    next.runner().stop_all().await;
    assert!(!alive(second));
    let served = next.change(|sim| sim.ecs.tasks.get(&ids[0]).map(|task| task.status));
    assert_eq!(served, Some(ecs::TaskStatus::Running), "the task itself is to go on at the next start");
}
