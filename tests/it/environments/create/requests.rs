//! What a request may say, and what it is answered.

use berth_domain::limits::Limits;
use berth_local::embedded;
use tests::{WorldOptions, provision_steps};

use super::*;

#[tokio::test(start_paused = true)]
async fn an_accepted_request_is_answered_with_all_that_was_asked_and_where_and_when_to_look() {
    let limits = Limits { public_ip: true, ..embedded::default_limits() };
    let world = World::with(WorldOptions { limits, ..Default::default() }).await;
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
            "usual_seconds": step.usual().as_secs(), "expected_at": null, "queue": null,
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
        "access": {
            "kind": "open",
            "cidrs": [],
            "who": "Every client on the internet that knows the URL.",
            "example": null,
        },
        "throttle": {"requests_per_second": 100, "burst": 200},
        "labels": asked["labels"],
        "steps": provision_steps().map(pending).collect::<Vec<_>>(),
        "progress": 0,
        "retry_after_seconds": reply.body["retry_after_seconds"].as_u64().expect("seconds"),
        "failure": null,
        "leftovers": [],
        "next_attempt_at": null,
        "resources": [],
        "missing": [],
        "expires_at": expires_at,
        "kept_until": null,
        "created_at": at,
        "updated_at": at,
        "links": {"self": path, "events": format!("{path}/events")},
    });
    assert_eq!(reply.body, whole, "{:#}", reply.body);
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_type_is_answered_with_what_it_must_be() {
    let world = World::new().await;
    for (members, pointer, message) in [
        (json!({"name": 7}), "/name", "must be a string, not a number"),
        (json!({"name": null}), "/name", "must be a string, not null"),
        (json!({"desired_count": "two"}), "/desired_count", "must be a JSON number, not a string"),
        (
            json!({"network": {"assign_public_ip": "yes"}}),
            "/network/assign_public_ip",
            "must be a boolean, not a string",
        ),
        (json!({"topology": "own"}), "/topology", "must be dedicated"),
        (json!({"access": {"kind": "vpc"}}), "/access/kind", "must be one of iam, cidrs, open"),
        (json!({"access": {"kind": true}}), "/access/kind", "must be one of iam, cidrs, open"),
        (json!({"labels": {"a": 1.5}}), "/labels/a", "must be a string, not a number"),
    ] {
        let reply = post(&world, "demo", &request(members)).await.problem(400, "invalid_request");
        assert_eq!(reply.body["errors"], json!([{"pointer": pointer, "detail": message}]), "{}", reply.text);
    }
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
    world.faults().record();
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

    for (text, pointers) in [
        ("{\"name\": \"orders\", \"name\": \"billing\", \"task_definition\": \"hello\"}", ["/name"]),
        (
            "{\"name\": \"orders\", \"task_definition\": \"hello\", \"labels\": {\"a\": \"\", \"a\": \"\"}}",
            ["/labels/a"],
        ),
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
        (json!({"health_check": {"path": format!("/{}", long(1024))}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/%"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/%zz"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/a?b=%0"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/%00"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/.."}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/./a"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/a/../b?c"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/%2e%2E/b"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/..%2fb"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/%252e%252e/b"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/..%5Cb"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/a?b=%00"}}), vec!["/health_check/path"]),
        // Subnets and security groups.
        (json!({"network": {"subnets": []}}), vec!["/network/subnets"]),
        (json!({"network": {"subnets": subnets(17)}}), vec!["/network/subnets"]),
        (
            json!({"network": {"subnets": ["subnet-00000001", "sg-00000001", "subnet-1"]}}),
            vec!["/network/subnets/1", "/network/subnets/2"],
        ),
        (json!({"network": {"subnets": ["subnet-00000001", "subnet-00000001"]}}), vec!["/network/subnets/1"]),
        (json!({"network": {"security_groups": []}}), vec!["/network/security_groups"]),
        (json!({"network": {"security_groups": groups(6)}}), vec!["/network/security_groups"]),
        (json!({"network": {"security_groups": ["sg-0000000G"]}}), vec!["/network/security_groups/0"]),
        (json!({"network": {"security_groups": ["sg-00000001", "sg-00000001"]}}), vec!["/network/security_groups/1"]),
        // Labels.
        (json!({"labels": labels(21)}), vec!["/labels"]),
        (json!({"labels": {"": "empty"}}), vec!["/labels/"]),
        (json!({"labels": {long(65): ""}}), vec![format!("/labels/{}", long(65)).leak() as &str]),
        (json!({"labels": {"a/b": long(257)}}), vec!["/labels/a~1b"]),
        (json!({"labels": {"a": "b\u{0}"}}), vec!["/labels/a"]),
        (json!({"labels": {"a": "b\u{85}"}}), vec!["/labels/a"]),
        (json!({"labels": {"a\n": "b"}}), vec!["/labels/a\n"]),
        // All at once.
        (json!({"name": "No", "desired_count": 0}), vec!["/name", "/desired_count"]),
        (json!({"container": 1, "api": {"kind": 2}}), vec!["/container", "/api/kind"]),
        (
            json!({"name": 7, "container": {"port": "http"}, "api": {"stage": "li/ve", "id": "abc"}, "ttl": "1y"}),
            vec!["/name", "/container/port", "/api/stage", "/api/id", "/ttl"],
        ),
    ] {
        let reply = post(&world, "demo", &request(members.clone())).await.problem(400, "invalid_request");
        assert_eq!(reply.pointers(), pointers, "{members}: {}", reply.text);
    }
    assert_eq!(world.faults().journal(), [], "AWS is not asked about a request that is wrong in itself");
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
        json!({"health_check": {"path": "/.well-known//a...b/..c?d=%C3%A9/../.&e=%2F%2e%25"}}),
        json!({"network": {"security_groups": ["sg-0be27400000000001"]}}),
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
async fn a_stage_or_path_that_api_gateway_answers_itself_is_refused() {
    // "API Gateway important notes": /ping and /sping are reserved. The gateway decodes escapes and drops a slash at the end.
    let world = World::new().await;
    world.faults().record();
    for (members, pointers) in [
        (json!({"api": {"stage": "ping"}}), vec!["/api/stage"]),
        (json!({"api": {"stage": "sping"}}), vec!["/api/stage"]),
        (json!({"health_check": {"path": "/ping"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/sping?deep=1"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/ping/"}}), vec!["/health_check/path"]),
        (json!({"health_check": {"path": "/%70ing"}}), vec!["/health_check/path"]),
        (
            json!({"health_check": {"path": "/ping"}, "api": {"stage": "ping"}}),
            vec!["/health_check/path", "/api/stage"],
        ),
    ] {
        let reply = post(&world, "demo", &request(members.clone())).await.problem(422, "reserved_by_api_gateway");
        assert_eq!(reply.pointers(), pointers, "{members}: {}", reply.text);
    }
    assert_eq!(world.faults().journal(), [], "AWS is not asked");
    assert_nothing_came_of_it(&world).await;
    for (number, members) in [
        json!({"api": {"stage": "pinger"}}),
        json!({"api": {"stage": "PING"}}),
        json!({"health_check": {"path": "/ping/deep"}}),
        json!({"health_check": {"path": "/?next=/ping"}}),
        json!({"api": {"stage": "resources"}}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = request(json!({"name": format!("open-{number}")}));
        body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        post(&world, "demo", &body).await.expect(202);
    }
}
