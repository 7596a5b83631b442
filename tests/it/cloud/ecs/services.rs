//! Services that come to a steady state, and those that cannot.

use tests::call_ecs;

use super::*;

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
    let unsafe_group = network(BERTH_SUBNETS[0], "sg-none");
    assert!(message(create().network_configuration(unsafe_group).send().await).contains("'sg-none' does not exist"));
    let other_vpc = SUBNETS.iter().find(|subnet| subnet.vpc == OTHER_VPC).unwrap().id;
    let across = network(other_vpc, SECURITY_GROUP);
    assert!(message(create().network_configuration(across).send().await).contains("must belong to the same VPC"));
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
    let tagged =
        |key: &str, value: &str| register().family("tagged").tags(Tag::builder().key(key).value(value).build()).send();
    tagged("berth:team", "demo other-team @all _.:/=+-@").await.unwrap();
    for (key, value) in [("berth:team", "demo,other"), ("berth:team", "*"), ("a*", "demo"), ("a", "(demo)")] {
        assert_eq!(refusal(tagged(key, value).await).0, "InvalidParameterException", "{key}={value}");
    }
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

/// Terraform waits for a service this way (`wait_for_steady_state`).
#[tokio::test(start_paused = true)]
async fn a_deployment_is_followed_from_the_service_to_its_end() {
    let ecs = Ecs::new();
    ecs.register("crash", "berth/exits:3").await;
    let before = ecs.0.clock.now().as_millisecond() as f64 / 1000.0 - 1.0;
    ecs.create("api", "hello").send().await.unwrap();
    ecs.create("crash", "crash").deployment_configuration(breaker(false)).send().await.unwrap();
    let follow = async |service: &str| {
        let id = ecs.service(service).await.deployments()[0].id().unwrap().to_owned();
        let asked = json!({"service": service, "createdAt": {"after": before}});
        let (_, listed) = call_ecs(&ecs.0.endpoint, "ListServiceDeployments", &asked).await;
        let listed = &listed["serviceDeployments"][0];
        let revision = listed["targetServiceRevisionArn"].as_str().unwrap();
        assert!(revision.ends_with(id.trim_start_matches("ecs-svc/")), "{listed}");
        let asked = json!({"serviceDeploymentArns": [listed["serviceDeploymentArn"]]});
        let (_, described) = call_ecs(&ecs.0.endpoint, "DescribeServiceDeployments", &asked).await;
        let described = &described["serviceDeployments"][0];
        assert_eq!(
            (&described["status"], &described["targetServiceRevision"]["arn"]),
            (&listed["status"], &json!(revision))
        );
        (described["status"].as_str().unwrap().to_owned(), described["statusReason"].clone())
    };
    assert_eq!(follow("api").await, ("IN_PROGRESS".to_owned(), Value::Null));
    ecs.wait(600).await;
    assert_eq!(follow("api").await, ("SUCCESSFUL".to_owned(), Value::Null));
    let reason = json!("ECS deployment circuit breaker: tasks failed to start.");
    assert_eq!(follow("crash").await, ("STOPPED".to_owned(), reason));

    let later = json!({"service": "api", "createdAt": {"after": before + 10_000.0}});
    let (_, none) = call_ecs(&ecs.0.endpoint, "ListServiceDeployments", &later).await;
    assert_eq!(none, json!({"serviceDeployments": []}));
    let (status, refused) = call_ecs(&ecs.0.endpoint, "ListServiceDeployments", &json!({"service": "nope"})).await;
    assert_eq!((status, &refused["__type"]), (400, &json!("ServiceNotFoundException")));
}
