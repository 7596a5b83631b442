//! Which container and port of a task definition a request may name, and which are chosen for it.

use super::*;

/// Registers `family` with these containers and their ports: a negative one is UDP's.
async fn register(world: &World, family: &str, fargate: bool, containers: &[(&str, &[i32])]) {
    let containers = containers.iter().map(|(name, ports)| {
        let mapping = |port: &i32| {
            let protocol = if *port < 0 { TransportProtocol::Udp } else { TransportProtocol::Tcp };
            PortMapping::builder().container_port(port.abs()).protocol(protocol).build()
        };
        let ports = ports.iter().map(mapping).collect();
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
    world.faults().record();

    for (members, code, pointer, told) in [
        (json!({"task_definition": "nowhere"}), "task_definition_not_found", "/task_definition", "nowhere"),
        (json!({"task_definition": "hello:7"}), "task_definition_not_found", "/task_definition", "hello:7"),
        (json!({"task_definition": "a/b/c:d:e"}), "task_definition_not_found", "/task_definition", "a/b/c:d:e"),
        (json!({"task_definition": "retired:1"}), "task_definition_inactive", "/task_definition", "retired:1"),
        (json!({"task_definition": "retired"}), "task_definition_not_found", "/task_definition", "retired"),
        (json!({"task_definition": "on-ec2"}), "task_definition_not_fargate", "/task_definition", "awsvpc"),
        (json!({"container": {"name": "db"}}), "container_not_found", "/container/name", "web"),
        (json!({"container": {"port": 8001}}), "port_not_found", "/container/port", "web:8000"),
        (json!({"task_definition": "two"}), "container_ambiguous", "/container/name", "web:80, admin:81"),
        (json!({"task_definition": "ports"}), "port_ambiguous", "/container/port", "web:80, web:443"),
        (json!({"task_definition": "mute"}), "port_not_found", "/container/port", "no TCP port"),
        (
            json!({"task_definition": "sidecar", "container": {"name": "agent"}}),
            "port_not_found",
            "/container/port",
            "any port of container \"agent\"",
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
async fn only_tcp_ports_can_be_chosen_and_a_port_names_its_container() {
    // A listener is TCP, and under awsvpc a port is mapped once in a task (docs/aws.md#task-definitions).
    let world = World::new().await;
    register(&world, "traced", true, &[("app", &[3000]), ("xray-daemon", &[-2000])]).await;
    register(&world, "metrics", true, &[("agent", &[-8125, 8126])]).await;
    register(&world, "proxied", true, &[("app", &[8080]), ("nginx", &[443])]).await;
    register(&world, "udp", true, &[("dns", &[-53])]).await;
    register(&world, "both", true, &[("dns", &[-53, 53]), ("app", &[8080])]).await;
    for (number, (family, asked, container)) in [
        ("traced", json!({}), json!({"name": "app", "port": 3000})),
        ("metrics", json!({"name": "agent"}), json!({"name": "agent", "port": 8126})),
        ("proxied", json!({"port": 443}), json!({"name": "nginx", "port": 443})),
        ("proxied", json!({"name": "app"}), json!({"name": "app", "port": 8080})),
        ("both", json!({"port": 53}), json!({"name": "dns", "port": 53})),
        ("both", json!({"name": "dns"}), json!({"name": "dns", "port": 53})),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"name": format!("fits-{number}"), "task_definition": family, "container": asked});
        let reply = post(&world, "demo", &body).await.expect(202);
        assert_eq!(reply.body["container"], container, "{family} {asked}");
    }
    for (family, asked, code, pointer) in [
        ("udp", json!({}), "port_not_found", "/container/port"),
        ("udp", json!({"name": "dns"}), "port_not_found", "/container/port"),
        ("udp", json!({"name": "dns", "port": 53}), "port_not_found", "/container/port"),
        ("traced", json!({"name": "xray-daemon"}), "port_not_found", "/container/port"),
        ("traced", json!({"port": 2000}), "port_not_found", "/container/port"),
        ("metrics", json!({"port": 8125}), "port_not_found", "/container/port"),
        ("proxied", json!({"name": "app", "port": 443}), "port_not_found", "/container/port"),
        ("proxied", json!({}), "container_ambiguous", "/container/name"),
    ] {
        let body = json!({"name": "misfit", "task_definition": family, "container": asked});
        let reply = post(&world, "demo", &body).await.problem(422, code);
        assert_eq!(reply.pointers(), [pointer], "{family} {asked}: {}", reply.text);
    }
}
