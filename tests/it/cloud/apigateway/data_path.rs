//! From the caller through the gateway to the service and back.

use super::*;

#[tokio::test(start_paused = true)]
async fn requests_reach_the_service_through_the_link_of_a_stage_variable() {
    let world = World::new().await;
    let (api, _) = world.served().await;

    let answer = world.get(&api, "/deep/path%20x/y?a=1&b=2&a=3").await;
    assert_eq!(answer.status, 201);
    assert!(answer.body.starts_with("GET /deep/path%20x/y?a=1&b=2&a=3 HTTP/1.1"), "{}", answer.body);
    assert!(answer.body.contains(&format!("host: {}:8080", world.host)), "{}", answer.body);
    assert!(answer.body.contains("x-mine: yes") && answer.body.contains("x-forwarded-for: 127.0.0.1"));
    assert!(!answer.body.contains("te: trailers"));
    assert!(answer.headers.contains_key("x-amz-apigw-id") && answer.headers.contains_key("x-amzn-requestid"));
    assert!(!answer.headers.contains_key("x-amzn-errortype"));

    let answer = world.ask("POST", &format!("/restapis/{api}/live/_user_request_/items"), "a body").await;
    assert!(answer.body.starts_with("POST /items HTTP/1.1") && answer.body.ends_with("\n\na body"), "{}", answer.body);
    assert!(world.get(&api, "").await.body.starts_with("GET / HTTP/1.1"));

    // The same by host name, as in AWS.
    for host in ["execute-api.us-east-1.amazonaws.com", "execute-api.localhost:4566"] {
        let request = Request::get("/live/by/host").header("host", format!("{api}.{host}")).body(Vec::new().into());
        let answer = Answer::from(world.account.endpoint.request(request.unwrap()).await.unwrap());
        assert!(answer.body.starts_with("GET /by/host HTTP/1.1"), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_gateway_answers_for_a_service_that_cannot() {
    let world = World::new().await;
    let (api, link) = world.served().await;
    let path = format!("/restapis/{api}/live/_user_request_/big");
    let largest = vec![b'x'; 10 * 1024 * 1024];
    let answer = world.ask("POST", &path, largest.clone()).await;
    assert!(answer.body.ends_with("\n\n10485760"), "{}", answer.body);
    let too_large = world.ask("POST", &path, [largest, vec![b'x']].concat()).await;
    is_gateway(&too_large, (413, "RequestEntityTooLargeException", "HTTP content length exceeded 10485760 bytes"));

    let before = world.account.clock.now();
    is_gateway(&world.get(&api, "/slow").await, TIMED_OUT);
    assert_eq!(world.account.clock.since(before).as_secs(), 29);
    is_gateway(&world.get(&api, "/cut").await, NETWORK);
    is_gateway(&world.get(&api, "/close").await, INTERNAL);

    // No program listens at the port.
    world.account.cloud.net().withdraw(&(world.host.clone(), 8080));
    is_gateway(&world.get(&api, "/").await, NETWORK);

    // The link is gone.
    world.account.clients.apigateway.delete_vpc_link().vpc_link_id(link).send().await.unwrap();
    is_gateway(&world.get(&api, "/").await, INTERNAL);
}

#[tokio::test(start_paused = true)]
async fn security_groups_that_hold_for_private_link_swallow_requests_until_the_flag_is_off() {
    let mut world = World::new().await;
    let (arn, host) = load_balancer(&world.account, "guarded", &[SECURITY_GROUP]).await;
    tokio::spawn(serve(world.account.cloud.net().listen((host.clone(), 8080)).await.unwrap()));
    (world.load_balancer, world.host) = (arn.clone(), host);
    let (api, _) = world.served().await;
    is_gateway(&world.get(&api, "/").await, TIMED_OUT);
    let set = world.account.clients.elb.set_security_groups().load_balancer_arn(arn).security_groups(SECURITY_GROUP);
    set.enforce_security_group_inbound_rules_on_private_link_traffic("off".into()).send().await.unwrap();
    assert_eq!(world.get(&api, "/").await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn static_parts_go_before_variables_and_variables_before_greedy_ones() {
    let world = World::new().await;
    let link = world.link().await;
    let (api, root) = world.api().await;
    let things = world.resource(&api, &root, "things").await;
    let special = world.resource(&api, &things, "special").await;
    let one = world.resource(&api, &things, "{id}").await;
    let below = world.resource(&api, &one, "parts").await;
    let rest = world.resource(&api, &root, "{proxy+}").await;
    for (resource, path) in [(&special, "/is-special"), (&one, "/is-one"), (&below, "/is-below"), (&rest, "/is-rest")] {
        world.method(&api, resource, "ANY").await;
        world.through(&api, resource, &link, path).await;
    }
    world.deploy(&api, &link).await;
    world.pass(30).await;
    for (path, service) in [
        ("/things/special", "/is-special"),
        ("/things/7", "/is-one"),
        ("/things/7/parts", "/is-below"),
        ("/things/7/others", "/is-rest"),
        ("/things", "/is-rest"),
        ("/x/y", "/is-rest"),
    ] {
        assert!(world.get(&api, path).await.body.starts_with(&format!("GET {service} ")), "{path}");
    }
    is_gateway(&world.get(&api, "/").await, NO_METHOD);
}

#[tokio::test(start_paused = true)]
async fn a_non_proxy_integration_answers_as_its_integration_responses_say() {
    let world = World::new().await;
    let aws = &world.account.clients.apigateway;
    let link = world.link().await;
    let (api, root) = world.api().await;
    let mocked = world.resource(&api, &root, "mocked").await;
    for (resource, kind) in [(&root, "HTTP"), (&mocked, "MOCK")] {
        world.method(&api, resource, "GET").await;
        let put = aws.put_integration().rest_api_id(&api).resource_id(resource).http_method("GET").r#type(kind.into());
        let put = match kind {
            "HTTP" => put
                .integration_http_method("GET")
                .uri(format!("http://{}:8080/old", world.host))
                .connection_type("VPC_LINK".into())
                .connection_id(&link),
            _ => put.request_templates("application/json", r#"{"statusCode": 200}"#),
        };
        put.send().await.unwrap();
    }
    let respond = |resource: &str, text: Option<&str>| {
        let response = aws.put_integration_response().rest_api_id(&api).resource_id(resource).http_method("GET");
        let templates = text.map(|text| HashMap::from([("text/plain".to_owned(), text.to_owned())]));
        response.status_code("200").set_response_templates(templates)
    };
    is_refused(respond(&root, None).send().await, (404, NOT_FOUND, "Invalid Response status code specified"));
    for (resource, text) in [(&root, None), (&mocked, Some("a mock"))] {
        let declare = aws.put_method_response().rest_api_id(&api).resource_id(resource).http_method("GET");
        declare.status_code("200").send().await.unwrap();
        if resource == &mocked {
            respond(resource, text).send().await.unwrap();
        }
    }
    world.deploy(&api, &link).await;
    world.pass(30).await;
    is_gateway(&world.get(&api, "/").await, INTERNAL);
    assert_eq!(world.get(&api, "/mocked").await.body, "a mock");
    respond(&root, None).send().await.unwrap();
    world.deploy(&api, &link).await;
    world.pass(30).await;
    let answer = world.get(&api, "/?passed=no").await;
    assert_eq!(answer.status, 200, "the service's 201 becomes the default response");
    assert!(answer.body.starts_with("GET /old HTTP") && !answer.body.contains("x-mine"), "{}", answer.body);

    // The response lives in the integration, and a new PutIntegration replaces all of it.
    let kept = aws.get_integration().rest_api_id(&api).resource_id(&root).http_method("GET").send().await.unwrap();
    assert_eq!(kept.integration_responses.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn headers_of_more_than_ten_kilobytes_are_refused_by_the_gateway() {
    let world = World::new().await;
    let (api, _) = world.served().await;
    let ask = async |length: usize| {
        let request = Request::get(format!("/restapis/{api}/live/_user_request_/"));
        let request = request.header("x-long", "x".repeat(length)).body(Default::default()).unwrap();
        Answer::from(world.account.endpoint.request(request).await.unwrap())
    };
    // "including header names, values, any line terminators, and whitespaces" (docs/aws.md#the-gateways-own-answers).
    let name = "x-long: \r\n".len();
    assert_eq!(ask(10_240 - name).await.status, 201);
    let message = "HTTP header is larger than 10240 bytes.";
    is_gateway(&ask(10_241 - name).await, (431, "RequestEntityTooLargeException", message));
}
