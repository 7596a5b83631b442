//! `POST /environments`.

use std::sync::Arc;
use std::time::Duration;

use berth_aws::sdk::ecs_types::{Compatibility, ContainerDefinition, NetworkMode, PortMapping};
use berth_domain::{Step, usual};
use berth_local::cloud::refusal::Refusal;
use berth_local::faults::Fault;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{Reply, World};

use super::{executions, get, send};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn post(world: &World, team: &str, body: &Value) -> Reply {
    world.call(team, Method::POST, "/environments", body).await
}

/// Posts `body` of team `demo` as it is.
async fn post_text(world: &World, body: &str) -> Reply {
    let token = format!("Bearer {}", world.token("demo"));
    send(world, &Method::POST, "/environments", &[("authorization", token.as_bytes())], body).await
}

/// Posts `body` of `subject` in `team` with an `Idempotency-Key`.
async fn post_with_key(world: &World, team: &str, subject: &str, key: &[u8], body: &Value) -> Reply {
    let token = format!("Bearer {}", world.token_of(team, subject));
    let headers = [("authorization", token.as_bytes()), ("idempotency-key", key)];
    send(world, &Method::POST, "/environments", &headers, &body.to_string()).await
}

/// A good request, changed in `members`.
fn request(members: Value) -> Value {
    let mut body = json!({"name": "orders", "task_definition": "hello"});
    let members = members.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(members);
    body
}

/// The ids of what `demo` has.
async fn ids(world: &World) -> Vec<String> {
    let list = get(world, "demo", "/environments?limit=100").await.expect(200).body;
    let environments = list["environments"].as_array().expect("environments").iter();
    environments.map(|environment| environment["id"].as_str().expect("an id").to_owned()).collect()
}

/// Nothing is recorded, no workflow was started, and the name is free.
async fn assert_nothing_came_of_it(world: &World) {
    let journal = world.system.door.faults().journal();
    let written = |(operation, _): &&(String, u64)| {
        ["dynamodb:TransactWriteItems", "dynamodb:PutItem", "states:StartExecution"].contains(&operation.as_str())
    };
    assert_eq!(journal.iter().find(written), None);
    assert_eq!(ids(world).await, Vec::<String>::new());
    assert_eq!(executions(world), Vec::<String>::new());
    post(world, "demo", &request(json!({}))).await.expect(202);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_request_is_answered_with_all_that_was_asked_and_where_and_when_to_look() {
    let world = World::new().await;
    let asked = json!({
        "name": "orders-pr-42",
        "task_definition": "hello:1",
        "container": {"name": "web", "port": 8000},
        "desired_count": 2,
        "health_check": {"path": "/health?deep=1"},
        "network": {
            "subnets": ["subnet-0be27400000000002"],
            "security_groups": ["sg-0be27400000000001"],
            "assign_public_ip": true,
        },
        "topology": "dedicated",
        "api": {"kind": "new", "stage": "Live_2"},
        "ttl": "90m",
        "labels": {"pull_request": "42", "owner": "Ö"},
    });
    let reply = post(&world, "demo", &asked).await.expect(202);
    let (id, at) = (&reply.body["id"], &reply.body["created_at"]);
    let path = format!("/environments/{}", id.as_str().expect("an id"));
    assert_eq!(reply.header("location"), path);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("retry-after"), reply.body["retry_after_seconds"].to_string());
    let expires_at =
        at.as_str().expect("a moment").parse::<Timestamp>().expect("a moment") + SignedDuration::from_mins(90);
    let pending = |step: Step| {
        json!({
            "name": step, "state": "pending", "why": null, "started_at": null, "finished_at": null,
            "usual_seconds": usual::duration(step).as_secs(), "expected_at": null, "queue": null,
        })
    };
    let whole = json!({
        "id": id,
        "name": "orders-pr-42",
        "team": "demo",
        "created_by": "tester",
        "status": "queued",
        "url": null,
        "task_definition": "arn:aws:ecs:us-east-1:000000000000:task-definition/hello:1",
        "container": asked["container"],
        "desired_count": 2,
        "health_check": asked["health_check"],
        "network": asked["network"],
        "topology": "dedicated",
        "api": asked["api"],
        "labels": asked["labels"],
        "steps": Step::ENSURE.map(pending),
        "progress": 0,
        "retry_after_seconds": reply.body["retry_after_seconds"].as_u64().expect("seconds"),
        "failure": null,
        "leftovers": [],
        "next_attempt_at": null,
        "resources": [],
        "missing": [],
        "expires_at": expires_at,
        "created_at": at,
        "updated_at": at,
        "links": {"self": path, "events": format!("{path}/events")},
    });
    assert_eq!(reply.body, whole, "{:#}", reply.body);
}

#[tokio::test(start_paused = true)]
async fn only_name_and_task_definition_are_required_and_the_rest_is_filled_in() {
    let world = World::new().await;
    let empty = json!({"container": {}, "health_check": {}, "network": {}, "api": {}, "labels": {}});
    for (team, members) in [("left-out", json!({})), ("empty", empty)] {
        let body = post(&world, team, &request(members)).await.expect(202).body;
        assert!(body["task_definition"].as_str().expect("an ARN").ends_with("task-definition/hello:1"), "{body:#}");
        let network = json!({
            "subnets": ["subnet-0be27400000000001", "subnet-0be27400000000002"],
            "security_groups": ["sg-0be27400000000001"],
            "assign_public_ip": false,
        });
        for (member, default) in [
            ("container", json!({"name": "web", "port": 8000})),
            ("desired_count", json!(1)),
            ("health_check", json!({"path": "/"})),
            ("network", network),
            ("topology", json!("dedicated")),
            ("api", json!({"kind": "new", "stage": "live"})),
            ("labels", json!({})),
        ] {
            assert_eq!(body[member], default, "{team}: {member}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_wrong_in_itself_is_refused_with_every_bad_place_and_nothing_comes_of_it() {
    let world = World::new().await;
    world.system.door.faults().record();
    let long = |length: usize| "x".repeat(length);
    let labels = |count: usize| (0..count).map(|number| (format!("label-{number}"), json!(""))).collect::<Value>();
    let subnets = |count: usize| (0..count).map(|number| format!("subnet-{number:08x}")).collect::<Vec<_>>();
    let groups = |count: usize| (0..count).map(|number| format!("sg-{number:017x}")).collect::<Vec<_>>();

    for text in ["", "{", "hello", "{'name': 'orders'}", "{\"name\": \"orders\",}", "\u{feff}{}"] {
        let reply = post_text(&world, text).await.problem(400, "malformed_json");
        assert_eq!(reply.pointers(), [""], "{text}");
    }
    for text in ["[]", "null", "7", "\"orders\"", "[\"orders\", \"hello\"]"] {
        let reply = post_text(&world, text).await.problem(400, "invalid_request");
        assert_eq!(reply.pointers(), [""], "{text}: {}", reply.text);
    }
    for (text, pointers) in [
        ("{}", vec!["/name", "/task_definition"]),
        ("{\"name\": \"orders\"}", vec!["/task_definition"]),
        ("{\"task_definition\": \"hello\"}", vec!["/name"]),
    ] {
        let reply = post_text(&world, text).await.problem(400, "invalid_request");
        assert_eq!(reply.pointers(), pointers, "{text}: {}", reply.text);
    }

    for (members, pointers) in [
        // Unknown fields, at every level.
        (json!({"image": "nginx"}), vec!["/image"]),
        (json!({"a/b~c": 1}), vec!["/a~1b~0c"]),
        (json!({"container": {"image": "nginx"}}), vec!["/container/image"]),
        (json!({"health_check": {"interval": 5}}), vec!["/health_check/interval"]),
        (json!({"network": {"vpc": "vpc-1"}}), vec!["/network/vpc"]),
        (json!({"api": {"id": "abc"}}), vec!["/api/id"]),
        // Wrong types, at every level.
        (json!({"name": null}), vec!["/name"]),
        (json!({"name": 7}), vec!["/name"]),
        (json!({"task_definition": ["hello"]}), vec!["/task_definition"]),
        (json!({"container": "web"}), vec!["/container"]),
        (json!({"container": ["web", 8000]}), vec!["/container"]),
        (json!({"container": {"name": 1}}), vec!["/container/name"]),
        (json!({"container": {"port": "8000"}}), vec!["/container/port"]),
        (json!({"container": {"port": 80.5}}), vec!["/container/port"]),
        (json!({"desired_count": "1"}), vec!["/desired_count"]),
        (json!({"desired_count": -1}), vec!["/desired_count"]),
        (json!({"desired_count": null}), vec!["/desired_count"]),
        (json!({"health_check": "/"}), vec!["/health_check"]),
        (json!({"health_check": {"path": 1}}), vec!["/health_check/path"]),
        (json!({"network": []}), vec!["/network"]),
        (json!({"network": {"subnets": "subnet-00000001"}}), vec!["/network/subnets"]),
        (json!({"network": {"subnets": ["subnet-00000001", 2]}}), vec!["/network/subnets/1"]),
        (json!({"network": {"assign_public_ip": "yes"}}), vec!["/network/assign_public_ip"]),
        (json!({"topology": 1}), vec!["/topology"]),
        (json!({"topology": {"dedicated": null}}), vec!["/topology"]),
        (json!({"api": ["new", "live"]}), vec!["/api"]),
        (json!({"api": {"kind": {"new": null}}}), vec!["/api/kind"]),
        (json!({"labels": []}), vec!["/labels"]),
        (json!({"labels": {"pull_request": 42}}), vec!["/labels/pull_request"]),
        // Words that are not among the known ones.
        (json!({"topology": "shared"}), vec!["/topology"]),
        (json!({"api": {"kind": "attach"}}), vec!["/api/kind"]),
        // Names that AWS would refuse.
        (json!({"name": ""}), vec!["/name"]),
        (json!({"name": long(41)}), vec!["/name"]),
        (json!({"name": "Orders"}), vec!["/name"]),
        (json!({"name": "-orders"}), vec!["/name"]),
        (json!({"name": "orders-"}), vec!["/name"]),
        (json!({"name": "or ders"}), vec!["/name"]),
        (json!({"name": "or_ders"}), vec!["/name"]),
        (json!({"name": "örders"}), vec!["/name"]),
        (json!({"task_definition": ""}), vec!["/task_definition"]),
        (json!({"task_definition": "he llo"}), vec!["/task_definition"]),
        (json!({"task_definition": long(513)}), vec!["/task_definition"]),
        (json!({"container": {"name": ""}}), vec!["/container/name"]),
        (json!({"container": {"name": long(256)}}), vec!["/container/name"]),
        (json!({"api": {"stage": ""}}), vec!["/api/stage"]),
        (json!({"api": {"stage": "li/ve"}}), vec!["/api/stage"]),
        (json!({"api": {"stage": "$default"}}), vec!["/api/stage"]),
        (json!({"api": {"stage": long(129)}}), vec!["/api/stage"]),
        // Numbers out of their bounds.
        (json!({"container": {"port": 0}}), vec!["/container/port"]),
        (json!({"container": {"port": 70_000}}), vec!["/container/port"]),
        (json!({"container": {"port": 65_536.0}}), vec!["/container/port"]),
        (json!({"container": {"port": -1.0}}), vec!["/container/port"]),
        (json!({"desired_count": 0}), vec!["/desired_count"]),
        (json!({"desired_count": 101}), vec!["/desired_count"]),
        (json!({"desired_count": 1e300}), vec!["/desired_count"]),
        (json!({"desired_count": u64::MAX}), vec!["/desired_count"]),
        // Paths.
        (json!({"health_check": {"path": ""}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "health"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/he alth"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/\u{e9}"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/ping"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/sping"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": format!("/{}", long(1024))}}), vec!["/health_check/path"]),
        // Subnets and security groups.
        (json!({"network": {"subnets": []}}), vec!["/network/subnets"]),
        (json!({"network": {"subnets": subnets(17)}}), vec!["/network/subnets"]),
        (
            json!({"network": {"subnets": ["subnet-00000001", "sg-00000001", "subnet-1"]}}),
            vec!["/network/subnets/1", "/network/subnets/2"],
        ),
        (json!({"network": {"subnets": ["subnet-00000001", "subnet-00000001"]}}), vec!["/network/subnets/1"]),
        (json!({"network": {"security_groups": groups(6)}}), vec!["/network/security_groups"]),
        (json!({"network": {"security_groups": ["sg-0000000G"]}}), vec!["/network/security_groups/0"]),
        (json!({"network": {"security_groups": ["sg-00000001", "sg-00000001"]}}), vec!["/network/security_groups/1"]),
        // Labels.
        (json!({"labels": labels(21)}), vec!["/labels"]),
        (json!({"labels": {"": "empty"}}), vec!["/labels/"]),
        (json!({"labels": {long(65): ""}}), vec![format!("/labels/{}", long(65)).leak() as &str]),
        (json!({"labels": {"a/b": long(257)}}), vec!["/labels/a~1b"]),
        // All at once.
        (json!({"name": "No", "desired_count": 0}), vec!["/name", "/desired_count"]),
        (json!({"container": 1, "api": {"kind": 2}}), vec!["/container", "/api/kind"]),
    ] {
        let reply = post(&world, "demo", &request(members.clone())).await.problem(400, "invalid_request");
        assert_eq!(reply.pointers(), pointers, "{members}: {}", reply.text);
    }
    assert_eq!(world.system.door.faults().journal(), [], "AWS is not asked about a request that is wrong in itself");
    assert_nothing_came_of_it(&world).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_just_within_the_bounds_is_accepted() {
    let world = World::new().await;
    let labels: Value = (0..20).map(|number| (format!("{number:064}"), json!("ü".repeat(256)))).collect();
    for (number, members) in [
        json!({"name": "a"}),
        json!({"name": "4".repeat(40)}),
        json!({"desired_count": 100}),
        json!({"desired_count": 100.0, "container": {"port": 8000.0}}),
        json!({"health_check": {"path": format!("/{}", "~".repeat(1023))}}),
        json!({"network": {"security_groups": []}}),
        json!({"network": {"subnets": null, "security_groups": null}}),
        json!({"api": {"stage": "S".repeat(128)}}),
        json!({"labels": labels}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = request(json!({"name": format!("bound-{number}")}));
        body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        post(&world, "demo", &body).await.expect(202);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_have_64_kib_and_not_one_byte_more() {
    let world = World::new().await;
    world.system.door.faults().record();
    let padded = |name: &str, length: usize| {
        let body = request(json!({"name": name})).to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    for length in [65 * 1024, 64 * 1024 + 1, 10 << 20] {
        post_text(&world, &padded("orders", length)).await.problem(413, "body_too_large");
    }
    let name = json!({"name": "n".repeat(64 * 1024)});
    post(&world, "demo", &request(name)).await.problem(413, "body_too_large");
    assert_nothing_came_of_it(&world).await;
    post_text(&world, &padded("largest", 64 * 1024)).await.expect(202);
}

/// Registers `family` with these containers and their ports.
async fn register(world: &World, family: &str, fargate: bool, containers: &[(&str, &[i32])]) {
    let containers = containers.iter().map(|(name, ports)| {
        let ports = ports.iter().map(|port| PortMapping::builder().container_port(*port).build()).collect();
        ContainerDefinition::builder()
            .name(*name)
            .image("berth/hello")
            .memory(128)
            .set_port_mappings(Some(ports))
            .build()
    });
    let call = world.system.clients.ecs.register_task_definition().family(family);
    let call = call.set_container_definitions(Some(containers.collect()));
    let call = if fargate {
        call.network_mode(NetworkMode::Awsvpc).requires_compatibilities(Compatibility::Fargate).cpu("256").memory("512")
    } else {
        call.network_mode(NetworkMode::Bridge)
    };
    call.send().await.expect("a task definition");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_fit_its_task_definition_is_refused_and_nothing_comes_of_it() {
    let world = World::new().await;
    register(&world, "on-ec2", false, &[("web", &[80])]).await;
    register(&world, "two", true, &[("web", &[80]), ("admin", &[81])]).await;
    register(&world, "sidecar", true, &[("web", &[80]), ("agent", &[])]).await;
    register(&world, "ports", true, &[("web", &[80, 443])]).await;
    register(&world, "mute", true, &[("job", &[])]).await;
    register(&world, "retired", true, &[("web", &[80])]).await;
    world.system.clients.ecs.deregister_task_definition().task_definition("retired:1").send().await.expect("retired");
    world.system.door.faults().record();

    for (members, code, pointer, told) in [
        (json!({"task_definition": "nowhere"}), "task_definition_not_found", "/task_definition", "nowhere"),
        (json!({"task_definition": "hello:7"}), "task_definition_not_found", "/task_definition", "hello:7"),
        (json!({"task_definition": "a/b/c:d:e"}), "task_definition_not_found", "/task_definition", "a/b/c:d:e"),
        (json!({"task_definition": "retired:1"}), "task_definition_inactive", "/task_definition", "retired:1"),
        (json!({"task_definition": "retired"}), "task_definition_not_found", "/task_definition", "retired"),
        (json!({"task_definition": "on-ec2"}), "task_definition_not_fargate", "/task_definition", "awsvpc"),
        (json!({"container": {"name": "db"}}), "container_not_found", "/container/name", "web"),
        (json!({"container": {"port": 8001}}), "port_not_found", "/container/port", "8000"),
        (json!({"task_definition": "two"}), "container_ambiguous", "/container/name", "web, admin"),
        (json!({"task_definition": "ports"}), "port_ambiguous", "/container/port", "80, 443"),
        (json!({"task_definition": "mute"}), "port_not_found", "/container/port", "portMapping"),
        (
            json!({"task_definition": "sidecar", "container": {"name": "agent"}}),
            "port_not_found",
            "/container/port",
            "portMapping",
        ),
    ] {
        let reply = post(&world, "demo", &request(members.clone())).await.problem(422, code);
        assert_eq!(reply.pointers(), [pointer], "{members}: {}", reply.text);
        assert!(reply.body["detail"].as_str().expect("a detail").contains(told), "{members}: {}", reply.text);
    }
    assert_nothing_came_of_it(&world).await;

    for (members, container) in [
        (
            json!({"name": "one", "task_definition": "two", "container": {"name": "admin"}}),
            json!({"name": "admin", "port": 81}),
        ),
        (
            json!({"name": "three", "task_definition": "ports", "container": {"port": 443}}),
            json!({"name": "web", "port": 443}),
        ),
        (json!({"name": "four", "task_definition": "sidecar"}), json!({"name": "web", "port": 80})),
    ] {
        let reply = post(&world, "demo", &request(members)).await.expect(202);
        assert_eq!(reply.body["container"], container);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_belongs_to_one_environment_of_a_team_until_that_is_deleted() {
    let world = World::new().await;
    let first = post(&world, "demo", &request(json!({}))).await.expect(202);
    let first = first.body["id"].as_str().expect("an id");
    for stage in ["queued", "ready"] {
        let reply = post(&world, "demo", &request(json!({"desired_count": 2}))).await.problem(409, "name_taken");
        assert!(reply.body["detail"].as_str().expect("a detail").contains(first), "{stage}: {}", reply.text);
        world.settled(first).await;
    }
    let other = post(&world, "other", &request(json!({}))).await.expect(202);
    assert_eq!(other.body["team"], "other");
    world.delete(first).await;
    post(&world, "demo", &request(json!({}))).await.problem(409, "name_taken");
    assert_eq!(world.settled(first).await["status"], "deleted");
    post(&world, "demo", &request(json!({}))).await.expect(202);
}

#[tokio::test(start_paused = true)]
async fn ten_requests_at_once_with_one_key_make_one_environment_and_get_equal_answers() {
    let world = Arc::new(World::new().await);
    let request = request(json!({"labels": {"pull_request": "42"}}));
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let (world, request) = (Arc::clone(&world), request.clone());
            tokio::spawn(async move { post_with_key(&world, "demo", "tester", b"one-key", &request).await })
        })
        .collect();
    let mut replies = Vec::new();
    for request in requests {
        replies.push(request.await.expect("an answer").expect(202));
    }
    for reply in &replies {
        assert_eq!(reply.text, replies[0].text);
        for header in ["location", "retry-after", "content-type"] {
            assert_eq!(reply.header(header), replies[0].header(header));
        }
    }
    let ids = ids(&world).await;
    assert_eq!(ids, [replies[0].body["id"].as_str().expect("an id")]);
    assert_eq!(world.settled(&ids[0]).await["status"], "ready");
    assert_eq!(executions(&world).len(), 1);
    assert!(world.inventory().await.is_each(1));
}

#[tokio::test(start_paused = true)]
async fn ten_requests_at_once_for_one_name_make_one_environment_and_nine_conflicts() {
    let world = Arc::new(World::new().await);
    let requests: Vec<_> = (0..10)
        .map(|number| {
            let world = Arc::clone(&world);
            let body = request(json!({"labels": {"number": number.to_string()}}));
            tokio::spawn(async move {
                post_with_key(&world, "demo", "tester", format!("key-{number}").as_bytes(), &body).await
            })
        })
        .collect();
    let mut accepted = Vec::new();
    for request in requests {
        let reply = request.await.expect("an answer");
        if reply.status == 202 {
            accepted.push(reply.body["id"].as_str().expect("an id").to_owned());
        } else {
            reply.problem(409, "name_taken");
        }
    }
    assert_eq!(accepted, ids(&world).await);
    assert_eq!((accepted.len(), executions(&world).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_key_gets_the_first_answer_whatever_became_of_the_environment_for_24_hours() {
    let world = World::new().await;
    let body = request(json!({}));
    let first = post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
    let id = first.body["id"].as_str().expect("an id");
    assert_eq!(first.body["status"], "queued");
    let began = world.system.clock.now();
    for status in ["ready", "deleted"] {
        assert_eq!(world.settled(id).await["status"], status);
        let again = post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
        assert_eq!(again.text, first.text, "when {status}");
        world.delete(id).await;
    }
    assert_eq!(executions(&world).len(), 2);

    // The name is free again; somebody takes it. The key still speaks of the first environment, until it expires.
    let second = post(&world, "demo", &body).await.expect(202);
    world.settled(second.body["id"].as_str().expect("an id")).await;
    let passed = world.system.clock.since(began);
    world.system.clock.sleep(DAY - passed - Duration::from_secs(2)).await;
    let again = post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
    assert_eq!(again.text, first.text, "just before it expires");
    world.system.clock.sleep(Duration::from_secs(4)).await;
    let reply = post_with_key(&world, "demo", "tester", b"a-key", &body).await.problem(409, "name_taken");
    assert!(reply.text.contains(second.body["id"].as_str().expect("an id")), "{}", reply.text);
    let renamed = request(json!({"name": "renamed"}));
    let third = post_with_key(&world, "demo", "tester", b"a-key", &renamed).await.expect(202);
    let again = post_with_key(&world, "demo", "tester", b"a-key", &renamed).await.expect(202);
    assert_eq!(again.text, third.text, "an expired key may be used anew");
}

#[tokio::test(start_paused = true)]
async fn a_key_belongs_to_one_caller_and_one_body() {
    let world = World::new().await;
    let body = request(json!({}));
    let first = post_with_key(&world, "demo", "ann", b"a-key", &body).await.expect(202).body;
    let other_body = request(json!({"name": "another"}));
    let reply =
        post_with_key(&world, "demo", "ann", b"a-key", &other_body).await.problem(422, "idempotency_key_reused");
    assert_eq!(reply.pointers(), ["Idempotency-Key"]);
    assert!(reply.text.contains(first["id"].as_str().expect("an id")), "{}", reply.text);

    let of_bob = post_with_key(&world, "demo", "bob", b"a-key", &other_body).await.expect(202).body;
    assert_eq!(of_bob["created_by"], "bob");
    let of_other_team = post_with_key(&world, "other", "ann", b"a-key", &body).await.expect(202).body;
    assert_eq!(of_other_team["team"], "other");
    assert_eq!(ids(&world).await.len(), 2);

    // A refused request is not remembered: the key may be used for the corrected one.
    post_with_key(&world, "demo", "ann", b"b-key", &json!({"name": "Wrong"})).await.problem(400, "invalid_request");
    post_with_key(&world, "demo", "ann", b"b-key", &body).await.problem(409, "name_taken");
    post_with_key(&world, "demo", "ann", b"b-key", &request(json!({"name": "right"}))).await.expect(202);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_1_to_255_visible_characters() {
    let world = World::new().await;
    world.system.door.faults().record();
    let long = "k".repeat(256);
    for key in [&b""[..], b"a b", b"a\tb", "schl\u{fc}ssel".as_bytes(), b"\xff", long.as_bytes()] {
        let reply = post_with_key(&world, "demo", "tester", key, &request(json!({}))).await;
        let reply = reply.problem(400, "invalid_idempotency_key");
        assert_eq!(reply.pointers(), ["Idempotency-Key"], "{key:?}");
    }
    assert_nothing_came_of_it(&world).await;
    let body = request(json!({"name": "longest-key"}));
    post_with_key(&world, "demo", "tester", &long.as_bytes()[1..], &body).await.expect(202);
}

fn throttled() -> Fault {
    Fault::Refuse(Refusal::throttled("states"))
}

fn forbidden() -> Fault {
    Fault::Refuse(Refusal::bad("AccessDeniedException", "not authorized to perform this action"))
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_is_hard_to_start_is_started_once_and_a_repeated_request_makes_it_go_on() {
    for (faults, status, code) in [
        (vec![Fault::LoseReply], 202, ""),
        (vec![Fault::Reset], 202, ""),
        (vec![throttled()], 202, ""),
        (vec![Fault::LoseReply, Fault::Reset, throttled()], 503, "unavailable"),
        (vec![throttled(), throttled(), throttled()], 503, "unavailable"),
        (vec![forbidden()], 502, "aws_permission_denied"),
    ] {
        let world = World::new().await;
        for (fault, nth) in faults.iter().zip(1..) {
            world.system.door.faults().script("states:StartExecution", nth, fault.clone());
        }
        let body = request(json!({}));
        let reply = post_with_key(&world, "demo", "tester", b"a-key", &body).await;
        assert!(world.system.door.faults().all_came(), "{faults:?}");
        let told = format!("{faults:?}: {}", reply.text);
        if status == 202 {
            assert_eq!(reply.status, 202, "{told}");
        } else {
            let reply = reply.problem(status, code);
            assert_eq!(reply.header("retry-after").is_empty(), status != 503, "{told}");
            assert!(told.contains("is recorded"), "{told}");
            world.system.clock.sleep(Duration::from_secs(600)).await;
            post_with_key(&world, "demo", "tester", b"a-key", &body).await.expect(202);
        }
        let ids = ids(&world).await;
        assert_eq!(ids.len(), 1, "{told}");
        assert_eq!(executions(&world).len(), 1, "{told}");
        if status != 202 {
            assert_eq!(world.settled(&ids[0]).await["status"], "ready", "{told}");
            assert!(world.inventory().await.is_each(1), "{told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_hard_to_write_is_written_once_or_not_at_all() {
    let conflict = Fault::Refuse(Refusal::bad("TransactionInProgressException", "in progress"));
    for key in [None, Some("a-key")] {
        for (faults, status) in [
            (vec![Fault::LoseReply], 202),
            (vec![Fault::Reset], 202),
            (vec![throttled()], 202),
            (vec![Fault::LoseReply, Fault::LoseReply], 202),
            (vec![throttled(), throttled(), throttled()], 503),
            (vec![conflict.clone(), conflict.clone(), conflict.clone()], 503),
        ] {
            let world = World::new().await;
            for (fault, nth) in faults.iter().zip(1..) {
                world.system.door.faults().script("dynamodb:TransactWriteItems", nth, fault.clone());
            }
            let body = request(json!({}));
            let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
            let reply = world.call_with("demo", Method::POST, "/environments", &body, &headers).await;
            let told = format!("{key:?}, {faults:?}: {}", reply.text);
            assert_eq!(reply.status, status, "{told}");
            if status == 503 {
                reply.problem(503, "unavailable");
                assert!(ids(&world).await.is_empty() && executions(&world).is_empty(), "{told}");
                world.call_with("demo", Method::POST, "/environments", &body, &headers).await.expect(202);
            }
            assert_eq!((ids(&world).await.len(), executions(&world).len()), (1, 1), "{told}");
        }
    }
}
