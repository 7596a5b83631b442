//! Commands that run as tasks, in this machine's processes.

use std::collections::BTreeSet;

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

/// The keeper of the tasks in these tests: this program, as berth-local is its own.
#[tokio::test]
#[ignore = "it runs a task's command; the next tests start it"]
async fn a_keeper() {
    if std::env::var_os(ecs::keeper::COMMAND).is_some() {
        std::process::exit(ecs::keeper::run().await.unwrap().into());
    }
}

/// A stand-in in a separate process, to be killed. It prints the lines of its task.
#[tokio::test]
#[ignore = "it is a stand-in; the last test starts it"]
async fn a_stand_in_with_a_task() {
    if std::env::var_os("BERTH_TEST_STAND_IN").is_none() {
        return;
    }
    let cloud = command_cloud(None, &Stash::default(), "stray").await;
    call(&cloud, "CreateService", create("stray"));
    loop {
        let lines = lines(&cloud, "stray");
        println!("{}", lines.join("\n"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn this_program(test: &str) -> Vec<String> {
    let own = std::env::current_exe().unwrap().display().to_string();
    [own.as_str(), "--exact", test, "--ignored", "--nocapture"].map(str::to_owned).into()
}

/// Starts a child that leaves the process group, and a grandchild whose parent ends. All write their process ids.
const STRAY: &str =
    "echo pid $$; setsid sh -c 'echo pid $$; exec sleep 98765' & sh -c 'sleep 98765 & echo pid $!'; wait";

async fn command_cloud(state: Option<account::Account>, stash: &Stash, family: &str) -> Cloud {
    let served = this_program("cloud::ecs::commands::a_command_that_serves");
    let served = served.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let commands = [
        ("served", served.as_str()),
        ("brief", "echo ready; kill -9 $$"),
        ("stubborn", "trap '' TERM; echo ready; while :; do sleep 1; done"),
        ("stray", STRAY),
    ];
    let commands = commands.map(|(family, command)| (family.to_owned(), command.to_owned()));
    let cloud = Cloud::start(Options {
        clock: Clock::scaled(500.0),
        profile: Profile::medians(),
        seed: 1,
        net: Net::loopback(),
        rates: Rates::Aws,
        quotas: Quotas::default(),
        state,
        keep: Some(stash.keep()),
        programs: ecs::Programs { commands: commands.into(), keeper: this_program("cloud::ecs::commands::a_keeper") },
    });
    // An effect of the start registers it.
    until(async || cloud.read(|account| account.ecs.families.contains_key(family)).then_some(())).await;
    cloud
}

/// Calls ECS in process: there is no endpoint, so that the test has no SDK between itself and the processes.
fn call(cloud: &Cloud, operation: &str, input: Value) -> Value {
    cloud.change(|account| ecs::call(account, operation, &input)).unwrap()
}

fn create(name: &str) -> Value {
    json!({"serviceName": name, "taskDefinition": name, "desiredCount": 1, "launchType": "FARGATE",
           "networkConfiguration": {"awsvpcConfiguration": {"subnets": [BERTH_SUBNETS[0]]}}})
}

async fn until<T>(mut found: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(found) = found().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it has not come within thirty seconds");
}

/// The first task of a service that has stopped.
async fn stopped(cloud: &Cloud, service: &str) -> ecs::EcsTask {
    let stopped = |task: &&ecs::EcsTask| task.service.ends_with(service) && task.status == ecs::TaskStatus::Stopped;
    until(async || cloud.change(|account| account.ecs.tasks.values().find(stopped).cloned())).await
}

/// What the tasks of a service have printed.
fn lines(cloud: &Cloud, service: &str) -> Vec<String> {
    cloud.read(|account| {
        let tasks = account.ecs.tasks.values().filter(|task| task.service.ends_with(service));
        tasks.flat_map(|task| &task.lines).map(|line| line.text.clone()).collect()
    })
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

/// The process ids in what a task printed.
fn pids<'a>(printed: impl IntoIterator<Item = &'a str>) -> Vec<i32> {
    let pid = |line: &str| line.split("pid ").nth(1)?.split_whitespace().next()?.parse().ok();
    printed.into_iter().filter_map(pid).collect()
}

fn alive(process: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn all_end(processes: &[i32]) {
    until(async || processes.iter().all(|process| !alive(*process)).then_some(())).await;
}

#[tokio::test]
async fn a_command_runs_as_the_task_goes_on_after_a_restart_and_ends_with_the_stand_in() {
    let stash = Stash::default();
    let cloud = command_cloud(None, &stash, "served").await;
    call(&cloud, "CreateService", create("served"));
    let answer = answered(&cloud).await;
    assert!(answer.contains("leaked false"), "{answer}");
    let first = pids([answer.as_str()]);
    cloud.runner().stop_all().await;
    all_end(&first).await;

    let state = account::Account::read_rows(&mut stash.rows()).unwrap().unwrap();
    let ids: Vec<String> = state.ecs.tasks.keys().cloned().collect();
    let next = command_cloud(Some(state), &Stash::default(), "served").await;
    let second = pids([answered(&next).await.as_str()]);
    assert_ne!(first, second);
    let now = next.read(|account| account.ecs.tasks.keys().cloned().collect::<Vec<_>>());
    assert_eq!(now, ids, "the same task goes on");
    next.runner().stop_all().await;
    all_end(&second).await;
    let served = next.read(|account| account.ecs.tasks.get(&ids[0]).map(|task| task.status));
    assert_eq!(served, Some(ecs::TaskStatus::Running), "the task itself is to go on at the next start");
}

#[tokio::test]
async fn a_commands_end_is_the_tasks_end_with_its_exit_code_and_its_last_lines() {
    let cloud = command_cloud(None, &Stash::default(), "brief").await;
    call(&cloud, "CreateService", create("brief"));
    let failed = stopped(&cloud, "brief").await;
    let printed: Vec<&str> = failed.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(failed.containers[0].exit_code, Some(137));
    assert!(printed.contains(&"ready"), "{printed:?}");
    cloud.runner().stop_all().await;

    let cloud = command_cloud(None, &Stash::default(), "stubborn").await;
    call(&cloud, "CreateService", create("stubborn"));
    until(async || lines(&cloud, "stubborn").contains(&"ready".to_owned()).then_some(())).await;
    let task = cloud.read(|account| account.ecs.tasks.keys().next().cloned().unwrap());
    call(&cloud, "StopTask", json!({"task": task}));
    assert_eq!(stopped(&cloud, "stubborn").await.containers[0].exit_code, Some(137), "killed after the stop timeout");
    cloud.runner().stop_all().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_that_a_command_has_started_survives_its_task_or_its_stand_in() {
    let printed = |cloud: &Cloud| pids(lines(cloud, "stray").iter().map(String::as_str));
    for end in ["StopTask", "the stand-in ends"] {
        let cloud = command_cloud(None, &Stash::default(), "stray").await;
        call(&cloud, "CreateService", create("stray"));
        let started = until(async || Some(printed(&cloud)).filter(|pids| pids.len() >= 3)).await;
        assert!(started.iter().all(|process| alive(*process)), "{end}: {started:?}");
        if end == "StopTask" {
            let task = cloud.read(|account| account.ecs.tasks.keys().next().cloned().unwrap());
            call(&cloud, "StopTask", json!({"task": task}));
            stopped(&cloud, "stray").await;
        }
        let before = started.clone();
        if end != "StopTask" {
            cloud.runner().stop_all().await;
        }
        all_end(&before).await;
        cloud.runner().stop_all().await;
    }

    let [program, arguments @ ..] = &this_program("cloud::ecs::commands::a_stand_in_with_a_task")[..] else { panic!() };
    let mut stand_in = tokio::process::Command::new(program);
    stand_in.args(arguments).env("BERTH_TEST_STAND_IN", "yes").stdout(std::process::Stdio::piped());
    let mut stand_in = stand_in.kill_on_drop(true).spawn().unwrap();
    let mut output = tokio::io::BufReader::new(stand_in.stdout.take().unwrap()).lines();
    let mut started = BTreeSet::new();
    while started.len() < 3 {
        let line = tokio::time::timeout(Duration::from_secs(60), output.next_line()).await.expect("a line in time");
        started.extend(pids([line.unwrap().expect("a line").as_str()]));
    }
    stand_in.kill().await.unwrap();
    all_end(&started.into_iter().collect::<Vec<_>>()).await;
}
