//! What becomes of a running service: deleted, updated, its tasks replaced.

use super::*;

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
async fn a_task_that_is_stopped_or_lacks_vcpus_is_reported_and_replaced() {
    let ecs = Ecs::new();
    ecs.0.cloud.change(|account| account.quotas.fargate_vcpus = 0.25);
    ecs.create("api", "hello").desired_count(2).send().await.unwrap();
    ecs.wait(60).await;
    let service = ecs.service("api").await;
    assert_eq!((service.running_count(), service.pending_count()), (1, 0));
    assert!(told(
        &service,
        "was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently"
    ));
    ecs.0.cloud.change(|account| account.quotas.fargate_vcpus = 100.0);
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
