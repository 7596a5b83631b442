//! Commands that run as tasks, in this machine's processes.

use super::*;

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

fn command_cloud(state: Option<account::Account>, kept: &Arc<Mutex<String>>) -> Cloud {
    let server = std::env::current_exe().unwrap();
    let run =
        format!("'{}' --exact cloud::ecs::commands::a_command_that_serves --ignored --nocapture", server.display());
    let kept = Arc::clone(kept);
    Cloud::start(Options {
        clock: Clock::scaled(500.0),
        profile: Profile::medians(),
        seed: 1,
        net: Net::loopback(),
        rates: Rates::Aws,
        quotas: Quotas::default(),
        state,
        keep: Some(Box::new(move |account| *kept.lock().unwrap() = serde_json::to_string(account).unwrap())),
        programs: [
            ("served", run.as_str()),
            ("brief", "echo ready; kill -9 $$"),
            ("stubborn", "trap '' TERM; sleep 99"),
        ]
        .map(|(family, command)| (family.to_owned(), command.to_owned()))
        .into(),
    })
}

/// Calls ECS in process: there is no endpoint, so that the test has no SDK between itself and the processes.
fn call(cloud: &Cloud, operation: &str, input: Value) -> Value {
    cloud.change(|account| ecs::call(account, operation, &input)).unwrap()
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
async fn stopped(cloud: &Cloud, service: &str) -> ecs::EcsTask {
    let stopped = |task: &&ecs::EcsTask| task.service.ends_with(service) && task.status == ecs::TaskStatus::Stopped;
    until(async || cloud.change(|account| account.ecs.tasks.values().find(stopped).cloned())).await
}

async fn answered(cloud: &Cloud) -> String {
    until(async || {
        let ip = cloud.change(|account| {
            let mut running =
                account.ecs.tasks.values().filter(|task| task.should_run && task.service.ends_with("served"));
            running.next().map(|task| task.ip.clone())
        })?;
        let answer = ask(cloud.net(), &ip, "GET / HTTP/1.1\r\n\r\n").await;
        (!answer.is_empty()).then_some(answer)
    })
    .await
}

fn group(cloud: &Cloud) -> Option<i32> {
    cloud.change(|account| account.ecs.tasks.values().find_map(|task| task.process_group))
}

fn alive(group: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{group}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_command_runs_as_the_task_survives_a_kill_and_ends_with_the_stand_in() {
    let kept = Arc::new(Mutex::new(String::new()));
    let cloud = command_cloud(None, &kept);
    let network = json!({"awsvpcConfiguration": {"subnets": [BERTH_SUBNETS[0]]}});
    let create = |name: &str| {
        json!({"serviceName": name, "taskDefinition": name, "desiredCount": 1, "launchType": "FARGATE",
               "networkConfiguration": network})
    };
    until(async || cloud.change(|account| account.ecs.families.contains_key("brief")).then_some(())).await;
    call(&cloud, "CreateService", create("served"));
    assert!(answered(&cloud).await.contains("leaked false"));
    let first = until(async || group(&cloud)).await;

    // What a stand-in that was killed leaves behind: its state, and the process.
    let state: account::Account = serde_json::from_str(&kept.lock().unwrap()).unwrap();
    let ids: Vec<String> = state.ecs.tasks.keys().cloned().collect();
    let next = command_cloud(Some(state), &Arc::default());
    let second = until(async || group(&next).filter(|second| *second != first)).await;
    assert!(!alive(first));
    assert!(answered(&next).await.contains("pid"));
    assert_eq!(
        next.change(|account| account.ecs.tasks.keys().cloned().collect::<Vec<_>>()),
        ids,
        "the same task goes on"
    );
    cloud.runner().stop_all().await;

    call(&next, "CreateService", create("brief"));
    let failed = stopped(&next, "brief").await;
    let lines: Vec<&str> = failed.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!((failed.containers[0].exit_code, lines), (Some(137), vec!["ready"]));

    call(&next, "CreateService", create("stubborn"));
    let stubborn = until(async || {
        let running = |task: &&ecs::EcsTask| task.service.ends_with("stubborn") && task.process_group.is_some();
        next.change(|account| account.ecs.tasks.values().find(running).cloned())
    })
    .await;
    // Time for the shell to set its trap.
    tokio::time::sleep(Duration::from_millis(50)).await;
    call(&next, "StopTask", json!({"task": stubborn.id}));
    assert_eq!(stopped(&next, "stubborn").await.containers[0].exit_code, Some(137), "killed after the stop timeout");
    assert!(!alive(stubborn.process_group.unwrap()));

    next.runner().stop_all().await;
    assert!(!alive(second));
    let served = next.change(|account| account.ecs.tasks.get(&ids[0]).map(|task| task.status));
    assert_eq!(served, Some(ecs::TaskStatus::Running), "the task itself is to go on at the next start");
}
