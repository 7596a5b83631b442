//! CloudWatch Logs: what tasks write with the `awslogs` driver can be read there.

use tests::World;

#[tokio::test(start_paused = true)]
async fn what_a_task_writes_is_in_the_stream_of_its_container() {
    let world = World::new().await;
    let id = world.create("talks", "hello").await;
    world.until_step(&id, "EnsureTargetHealth", "done").await;
    let clients = &world.system.clients;
    let tasks = clients.ecs.list_tasks().service_name(service_of(&world).await).send().await;
    let task = tasks.expect("tasks").task_arns()[0].rsplit('/').next().expect("an id").to_owned();
    let read = |group: &str, stream: String| {
        clients.logs.get_log_events().log_group_name(group).log_stream_name(stream).limit(1).send()
    };
    let reply = read("/berth/hello", format!("task/web/{task}")).await.expect("events");
    let [event] = reply.events() else { panic!("{reply:?}") };
    assert_eq!(event.message(), Some("Listening on 0.0.0.0:8000"));
    let now = world.system.clock.now().as_millisecond();
    assert!(event.timestamp().is_some_and(|written| (now - 1_000_000..now).contains(&written)), "{event:?}");
    for (group, stream, missing) in [
        ("/berth/no-such-group", format!("task/web/{task}"), "group"),
        ("/berth/hello", format!("task/other/{task}"), "stream"),
        ("/berth/hello", "task/web/0123".to_owned(), "stream"),
    ] {
        let error = read(group, stream).await.expect_err("a refusal").into_service_error();
        assert_eq!(error.meta().code(), Some("ResourceNotFoundException"));
        assert_eq!(error.meta().message(), Some(format!("The specified log {missing} does not exist.").as_str()));
    }
}

/// The one service of the account.
async fn service_of(world: &World) -> String {
    let services = world.system.clients.ecs.list_services().send().await.expect("services");
    services.service_arns()[0].clone()
}
