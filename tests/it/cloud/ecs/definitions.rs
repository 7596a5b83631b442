//! Task definitions as teams have them: sidecars, volumes, secrets, dependencies, log routers. They are taken as they are, described
//! back, and run behind Berth. The files follow public ones in kind; their words and values are ours.

use berth_local::embedded;
use http::Method;
use serde_json::Map;
use tests::{LogLines, World, WorldOptions, call_ecs};

use super::*;

/// A definition, and the container and the port that a request names.
struct Given {
    text: &'static str,
    container: &'static str,
    port: u16,
    /// What the log says that its tasks do without.
    ignored: &'static str,
}

const DEFINITIONS: [Given; 10] = [
    Given {
        text: include_str!("definitions/appmesh-envoy.json"),
        container: "catalog",
        port: 5000,
        ignored: "proxyConfiguration, taskRoleArn, the container envoy, dependsOn of catalog",
    },
    Given {
        text: include_str!("definitions/datadog-firelens.json"),
        container: "checkout",
        port: 8080,
        ignored: "taskRoleArn, the container datadog-agent, the container log-router, logConfiguration of checkout",
    },
    Given {
        text: include_str!("definitions/django-nginx.json"),
        container: "django",
        port: 8000,
        ignored: "taskRoleArn, volumes, the container nginx, command of django, entryPoint of django, healthCheck of django (it counts as HEALTHY), mountPoints of django, user of django, workingDirectory of django",
    },
    Given {
        text: include_str!("definitions/jvm-arm64.json"),
        container: "search",
        port: 9200,
        ignored: "ephemeralStorage, pidMode, runtimePlatform, taskRoleArn, linuxParameters of search, ulimits of search",
    },
    Given {
        text: include_str!("definitions/migrate-first.json"),
        container: "api",
        port: 9292,
        ignored: "taskRoleArn, the container migrate, dependsOn of api, environmentFiles of api, startTimeout of api",
    },
    Given {
        text: include_str!("definitions/otel-console.json"),
        container: "web",
        port: 8000,
        ignored: "runtimePlatform, taskRoleArn, the container otel-collector",
    },
    Given {
        text: include_str!("definitions/splunk-private.json"),
        container: "ledger",
        port: 8443,
        ignored: "taskRoleArn, interactive of ledger, logConfiguration of ledger, pseudoTerminal of ledger, repositoryCredentials of ledger",
    },
    Given {
        text: include_str!("definitions/spot-worker.json"),
        container: "thumbnails",
        port: 8081,
        ignored: "taskRoleArn, readonlyRootFilesystem of thumbnails, restartPolicy of thumbnails, systemControls of thumbnails",
    },
    Given {
        text: include_str!("definitions/wordpress-efs.json"),
        container: "wordpress",
        port: 80,
        ignored: "taskRoleArn, volumes, mountPoints of wordpress, secrets of wordpress",
    },
    Given {
        text: include_str!("definitions/xray-sidecar.json"),
        container: "app",
        port: 3000,
        ignored: "taskRoleArn, the container xray-daemon, dependsOn of app",
    },
];

/// Members of a description that no registration has.
const ADDED: [&str; 8] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "compatibilities",
    "requiresAttributes",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
];

fn without(value: &Value, members: &[&str]) -> Value {
    let members: Map<String, Value> =
        value.as_object().unwrap().clone().into_iter().filter(|(name, _)| !members.contains(&name.as_str())).collect();
    Value::Object(members)
}

/// Fails if something of `given` is not in `described`.
fn assert_described(given: &Value, described: &Value, path: &str) {
    match given {
        Value::Null => {}
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| assert_described(value, &described[name], &format!("{path}/{name}")));
        }
        Value::Array(entries) => {
            assert_eq!(entries.len(), described.as_array().map_or(0, Vec::len), "{path}");
            let pairs = entries.iter().enumerate();
            pairs.for_each(|(index, value)| assert_described(value, &described[index], &format!("{path}/{index}")));
        }
        value => assert_eq!(value, described, "{path}"),
    }
}

#[tokio::test(start_paused = true)]
async fn ten_definitions_of_real_kinds_are_described_as_they_were_registered_and_can_be_registered_again() {
    let account = Account::new();
    for Given { text, .. } in DEFINITIONS {
        let given: Value = serde_json::from_str(text).unwrap();
        let family = &given["family"];
        let (status, reply) = call_ecs(&account.endpoint, "RegisterTaskDefinition", &given).await;
        assert_eq!(status, 200, "{family}: {reply}");
        let asked = json!({"taskDefinition": family, "include": ["TAGS"]});
        let (_, described) = call_ecs(&account.endpoint, "DescribeTaskDefinition", &asked).await;
        assert_eq!(described["taskDefinition"], reply["taskDefinition"], "{family}");
        // CPU and memory are described in units and MiB.
        assert_described(
            &without(&given, &["cpu", "memory", "tags"]),
            &described["taskDefinition"],
            &family.to_string(),
        );
        assert_described(&given["tags"], &described["tags"], &family.to_string());
        assert_eq!(described["taskDefinition"]["compatibilities"], json!(["EC2", "MANAGED_INSTANCES", "FARGATE"]));

        let again = without(&described["taskDefinition"], &ADDED);
        let (status, reply) = call_ecs(&account.endpoint, "RegisterTaskDefinition", &again).await;
        assert_eq!((status, &reply["taskDefinition"]["revision"]), (200, &json!(2)), "{family}: {reply}");
        assert_eq!(without(&reply["taskDefinition"], &ADDED), again, "{family}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_definitions_of_real_kinds_run_behind_berth_and_the_log_names_once_what_their_tasks_do_without() {
    let mut limits = embedded::default_limits();
    limits.task_roles.push("arn:aws:iam::000000000000:role/app".to_owned());
    let world = World::with(WorldOptions { limits, ..WorldOptions::default() }).await;
    let log = LogLines::default();
    let collecting = log.collect();
    let mut environments = Vec::new();
    for Given { text, container, port, .. } in DEFINITIONS {
        let given: Value = serde_json::from_str(text).unwrap();
        let (status, reply) = call_ecs(&world.system.endpoint, "RegisterTaskDefinition", &given).await;
        assert_eq!(status, 200, "{reply}");
        let body = json!({
            "name": given["family"], "task_definition": given["family"], "container": {"name": container, "port": port},
        });
        let reply = world.call("demo", Method::POST, "/environments", &body).await.expect(202);
        environments.push(reply.body["id"].as_str().unwrap().to_owned());
    }
    for id in &environments {
        let environment = world.settled(id).await;
        assert_eq!(environment["status"], "ready", "{environment:#}");
        assert_eq!(world.reach(&environment, "/").await.0, 200, "{environment:#}");
    }
    // The second task of a definition is not announced.
    let tasks = world.system.clients.ecs.list_tasks().family("blog").send().await.unwrap();
    world.system.clients.ecs.stop_task().task(&tasks.task_arns()[0]).send().await.unwrap();
    world.system.clock.sleep(Duration::from_secs(300)).await;
    drop(collecting);

    let said = log.take();
    let said: Vec<&str> = said.lines().filter(|line| line.contains("run on this machine without")).collect();
    assert_eq!(said.len(), DEFINITIONS.len(), "{said:#?}");
    for Given { text, ignored, .. } in DEFINITIONS {
        let family = serde_json::from_str::<Value>(text).unwrap()["family"].as_str().unwrap().to_owned();
        let line = format!(
            "tasks of {family}:1 run on this machine without these parts of their definition: {ignored}. On AWS they have them."
        );
        assert!(said.iter().any(|said| said.ends_with(&line)), "{line}\nis none of\n{said:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_health_check_is_not_played_and_counts_as_healthy() {
    let ecs = Ecs::new();
    let mut definition: Value = serde_json::from_str(include_str!("definitions/django-nginx.json")).unwrap();
    // It would fail if it ran.
    for container in definition["containerDefinitions"].as_array_mut().unwrap() {
        if let Some(health_check) = container.get_mut("healthCheck") {
            health_check["command"] = json!(["CMD", "false"]);
        }
    }
    call_ecs(&ecs.0.endpoint, "RegisterTaskDefinition", &definition).await;
    ecs.create("shop", "shop").send().await.unwrap();
    let health = async || {
        let task = ecs.tasks("shop", "RUNNING").await.remove(0);
        let each = task.containers().iter();
        let each = each.map(|one| (one.name().unwrap().to_owned(), one.health_status().unwrap().as_str().to_owned()));
        (task.health_status().unwrap().as_str().to_owned(), each.collect::<Vec<_>>())
    };
    let unknown = |name: &str| (name.to_owned(), "UNKNOWN".to_owned());
    assert_eq!(health().await, ("UNKNOWN".to_owned(), vec![unknown("nginx"), unknown("django")]));
    ecs.wait(60).await;
    let healthy = ("django".to_owned(), "HEALTHY".to_owned());
    assert_eq!(health().await, ("HEALTHY".to_owned(), vec![unknown("nginx"), healthy]));
}
