//! APIs, resources, methods, integrations, deployments and stages.

use super::*;

#[tokio::test(start_paused = true)]
async fn edits_are_invisible_until_they_are_deployed_and_a_stage_takes_a_while() {
    let world = World::new().await;
    let aws = &world.account.clients.apigateway;
    let link = world.link().await;
    let (api, root) = world.api().await;
    world.method(&api, &root, "ANY").await;
    world.through(&api, &root, &link, "/first").await;
    let first = world.deploy(&api, &link).await;
    is_gateway(&world.get(&api, "/").await, FORBIDDEN);
    world.pass(30).await;
    assert!(world.get(&api, "/").await.body.starts_with("GET /first "));
    is_gateway(&world.get(&api, "/items").await, NO_METHOD);

    world.through(&api, &root, &link, "/second").await;
    let items = world.resource(&api, &root, "items").await;
    world.method(&api, &items, "ANY").await;
    world.through(&api, &items, &link, "/items").await;
    world.pass(30).await;
    assert!(world.get(&api, "/").await.body.starts_with("GET /first "));

    let second = world.deploy(&api, &link).await;
    assert!(world.get(&api, "/").await.body.starts_with("GET /first "), "the former deployment answers for a while");
    // It goes on to, even when it is deleted meanwhile.
    aws.delete_deployment().rest_api_id(&api).deployment_id(&first).send().await.unwrap();
    let gone = aws.get_deployment().rest_api_id(&api).deployment_id(&first).send().await;
    is_refused(gone, (404, NOT_FOUND, "Invalid Deployment identifier specified"));
    assert!(world.get(&api, "/").await.body.starts_with("GET /first "));
    world.pass(30).await;
    assert!(world.get(&api, "/").await.body.starts_with("GET /second "));
    assert!(world.get(&api, "/items/").await.body.starts_with("GET /items "));

    let in_use = aws.delete_deployment().rest_api_id(&api).deployment_id(&second).send().await;
    is_refused(in_use, (400, BAD, "Active stages pointing to this deployment must be moved or deleted"));
    aws.delete_stage().rest_api_id(&api).stage_name("live").send().await.unwrap();
    is_gateway(&world.get(&api, "/").await, FORBIDDEN);
    aws.delete_deployment().rest_api_id(&api).deployment_id(&second).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stage_is_rolled_back_and_its_link_switched_without_a_new_deployment() {
    let world = World::new().await;
    let aws = &world.account.clients.apigateway;
    let link = world.link().await;
    let (api, root, _) = world.proxy_api("${stageVariables.link}").await;
    let first = world.deploy(&api, "nothing").await;
    world.pass(30).await;
    is_gateway(&world.get(&api, "/").await, INTERNAL);

    let patch = |op: &str, path: &str, value: &str| patch(op, path, Some(value));
    let update = aws.update_stage().rest_api_id(&api).stage_name("live");
    update.patch_operations(patch("replace", "/variables/link", &link)).send().await.unwrap();
    world.pass(30).await;
    assert_eq!(world.get(&api, "/").await.status, 201);

    world.through(&api, &root, "${stageVariables.link}", "/new").await;
    world.deploy(&api, &link).await;
    world.pass(30).await;
    assert!(world.get(&api, "/").await.body.starts_with("GET /new "));
    let back = aws.update_stage().rest_api_id(&api).stage_name("live");
    let back = back.patch_operations(patch("replace", "/deploymentId", &first));
    let stage = back.patch_operations(patch("replace", "/description", "as before")).send().await.unwrap();
    assert_eq!((stage.deployment_id.as_deref(), stage.description.as_deref()), (Some(&*first), Some("as before")));
    world.pass(30).await;
    assert!(world.get(&api, "/").await.body.starts_with("GET / "));

    let wrong = aws.update_stage().rest_api_id(&api).stage_name("live");
    let wrong = wrong.patch_operations(patch("replace", "/*/*/logging/loglevel", "INFO")).send().await;
    is_refused(wrong, (400, BAD, "CloudWatch Logs role ARN must be set in account settings to enable logging"));
    let wrong = aws.update_stage().rest_api_id(&api).stage_name("live");
    let wrong = wrong.patch_operations(patch("replace", "/stageName", "x")).send().await;
    assert!(refused(wrong).2.starts_with("Invalid method setting path: /stageName. Must be one of: [/deploymentId, "));
}

#[tokio::test(start_paused = true)]
async fn resources_and_methods_refuse_what_aws_refuses() {
    let world = World::new().await;
    let aws = &world.account.clients.apigateway;
    let unknown = aws.get_rest_api().rest_api_id("nonexisting").send().await;
    is_refused(unknown, (404, NOT_FOUND, "Invalid API identifier specified 000000000000:nonexisting"));
    let (api, root) = world.api().await;
    let create =
        |parent: &str, part: &str| aws.create_resource().rest_api_id(&api).parent_id(parent).path_part(part).send();
    is_refused(create("none", "x").await, (404, NOT_FOUND, "Invalid Resource identifier specified"));
    let proxy = world.resource(&api, &root, "{proxy+}").await;
    let duplicate = "Another resource with the same parent already has this name: {proxy+}";
    is_refused(create(&root, "{proxy+}").await, (409, CONFLICT, duplicate));
    let sibling = "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed";
    is_refused(create(&root, "{id}").await, (400, BAD, sibling));
    let greedy = "Cannot create a child of a resource with a greedy path variable: {proxy+}";
    is_refused(create(&proxy, "x").await, (400, BAD, greedy));
    assert_eq!(refused(create(&root, "a/b").await).0, 400);

    world.method(&api, &proxy, "ANY").await;
    let put = |resource: &str| {
        aws.put_method().rest_api_id(&api).resource_id(resource).http_method("ANY").authorization_type("NONE").send()
    };
    is_refused(put(&proxy).await, (409, CONFLICT, "Method already exists for this resource"));
    is_refused(put("none").await, (404, NOT_FOUND, "Invalid Resource identifier specified"));
    let method = aws.get_method().rest_api_id(&api).resource_id(&root).http_method("ANY").send().await;
    is_refused(method, (404, NOT_FOUND, "Invalid Method identifier specified"));

    let update = aws.update_method().rest_api_id(&api).resource_id(&proxy).http_method("ANY");
    let method = update.patch_operations(patch("replace", "/apiKeyRequired", Some("true"))).send().await.unwrap();
    assert_eq!(method.api_key_required, Some(true));

    // `/` and `/{proxy+}` make 2.
    for number in 2..300 {
        create(&root, &format!("r{number}")).await.unwrap();
    }
    let message = "Maximum number of Resources for this API has been reached. Please contact AWS if you need additional Resources.";
    is_refused(create(&root, "one-more").await, (429, LIMIT, message));
    let page = aws.get_resources().rest_api_id(&api).limit(500).embed("methods").send().await.unwrap();
    assert_eq!((page.items().len(), page.position()), (300, None));
    let found = page.items().iter().find(|resource| resource.id() == Some(&proxy)).unwrap();
    assert_eq!(
        (found.path(), found.path_part(), found.parent_id()),
        (Some("/{proxy+}"), Some("{proxy+}"), Some(&*root))
    );
    assert_eq!(found.resource_methods().unwrap()["ANY"].authorization_type(), Some("NONE"));
    let page = aws.get_resources().rest_api_id(&api).send().await.unwrap();
    assert_eq!((page.items().len(), page.position().is_some()), (25, true));
}

#[tokio::test(start_paused = true)]
async fn integrations_are_checked_patched_and_kept_as_they_were() {
    let world = World::new().await;
    let aws = &world.account.clients.apigateway;
    let link = world.link().await;
    let (api, root) = world.api().await;
    let put = |uri: &str, method: Option<&str>| {
        let put =
            aws.put_integration().rest_api_id(&api).resource_id(&root).http_method("GET").r#type("HTTP_PROXY".into());
        put.uri(uri).set_integration_http_method(method.map(str::to_owned))
    };
    let no_method = put("http://a/", Some("GET")).send().await;
    is_refused(no_method, (404, NOT_FOUND, "Invalid Method identifier specified"));
    let empty = aws.create_deployment().rest_api_id(&api).stage_name("live").send().await;
    is_refused(empty, (400, BAD, "The REST API doesn't contain any methods"));
    let declare = aws.put_method().rest_api_id(&api).resource_id(&root).http_method("GET").authorization_type("NONE");
    declare.request_parameters("method.request.querystring.q", false).send().await.unwrap();
    let get = || aws.get_integration().rest_api_id(&api).resource_id(&root).http_method("GET").send();
    is_refused(get().await, (404, NOT_FOUND, "Invalid Integration identifier specified"));
    world.pass(5).await;
    let none = aws.create_deployment().rest_api_id(&api).send().await;
    is_refused(none, (400, BAD, "No integration defined for method"));
    is_refused(put("http://a/", None).send().await, (400, BAD, "Enumeration value for HttpMethod must be non-empty"));
    is_refused(put("a/b", Some("GET")).send().await, (400, BAD, "Invalid HTTP endpoint specified for URI"));
    let undeclared = put("http://a/{x}", Some("GET"));
    let undeclared = undeclared.request_parameters("integration.request.path.x", "method.request.path.x").send().await;
    assert!(refused(undeclared).2.starts_with("Invalid mapping expression specified"));
    let nowhere = put("http://a/", Some("GET")).connection_type("VPC_LINK".into()).connection_id("nolink");
    is_refused(nowhere.send().await, (404, NOT_FOUND, "Invalid Vpc Link identifier specified"));

    let made = put("http://a/", Some("GET")).send().await.unwrap();
    assert_eq!(made.connection_type.unwrap().as_str(), "INTERNET");
    assert_eq!(made.passthrough_behavior.as_deref(), Some("WHEN_NO_MATCH"));
    assert_eq!((made.timeout_in_millis, made.cache_namespace), (29_000, Some(root.clone())));
    put("http://a/", Some("GET")).send().await.expect("PutIntegration overwrites");

    let update = || aws.update_integration().rest_api_id(&api).resource_id(&root).http_method("GET");
    let kind = update().patch_operations(patch("replace", "/type", Some("HTTP"))).send().await;
    assert!(refused(kind).2.starts_with("Invalid patch path  '/type' specified for op 'replace'. Must be one of: ["));
    let added = update().patch_operations(patch("add", "/uri", Some("http://b/"))).send().await;
    assert_eq!(refused(added).0, 400);
    let header = "/requestParameters/integration.request.header.x-q";
    let changed = update()
        .patch_operations(patch("replace", "/connectionType", Some("VPC_LINK")))
        .patch_operations(patch("replace", "/connectionId", Some(&link)))
        .patch_operations(patch("replace", "/uri", Some(&format!("http://{}:8080/patched", world.host))))
        .patch_operations(patch("replace", "/httpMethod", Some("POST")))
        .patch_operations(patch("replace", "/timeoutInMillis", Some("5000")))
        .patch_operations(patch("add", header, Some("method.request.querystring.q")));
    changed.send().await.unwrap();
    let kept = get().await.unwrap();
    assert_eq!((kept.connection_id.as_deref(), kept.timeout_in_millis), (Some(&*link), 5000));
    assert_eq!((kept.http_method.as_deref(), kept.request_parameters.unwrap().len()), (Some("POST"), 1));
    world.deploy(&api, &link).await;
    world.pass(30).await;
    let answer = world.get(&api, "/?q=asked").await;
    assert!(answer.body.starts_with("POST /patched?q=asked ") && answer.body.contains("x-q: asked"), "{}", answer.body);
    let removed = update().patch_operations(patch("remove", header, None)).send().await.unwrap();
    assert_eq!(removed.request_parameters.unwrap_or_default().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_api_has_ten_stages_and_the_account_six_hundred_apis() {
    let world = World::new().await;
    let aws = &world.account.clients.apigateway;
    let link = world.link().await;
    let (api, _, _) = world.proxy_api(&link).await;
    let deployment = world.deploy(&api, &link).await;
    let stage = |name: &str| aws.create_stage().rest_api_id(&api).stage_name(name).deployment_id(&deployment).send();
    is_refused(stage("live").await, (409, CONFLICT, "Stage already exists"));
    let unknown = aws.get_stage().rest_api_id(&api).stage_name("none").send().await;
    is_refused(unknown, (404, NOT_FOUND, "Invalid stage identifier specified"));
    for number in 1..10 {
        stage(&format!("s{number}")).await.unwrap();
    }
    assert_eq!(refused(stage("s10").await).1, LIMIT);
    world.pass(5).await;
    let eleventh = aws.create_deployment().rest_api_id(&api).stage_name("s10").send().await;
    assert_eq!(refused(eleventh).1, LIMIT);
    assert_eq!(aws.get_stages().rest_api_id(&api).send().await.unwrap().item().len(), 10);
    assert_eq!(aws.get_deployments().rest_api_id(&api).send().await.unwrap().items().len(), 1);

    for _ in 1..600 {
        world.api().await;
    }
    let message = "Maximum number of REST APIs for this account has been reached. Please contact AWS if you need additional REST APIs.";
    world.pass(3).await;
    let refusal = aws.create_rest_api().name("one more").send().await;
    assert!(!format!("{refusal:?}").to_lowercase().contains("retry-after"));
    is_refused(refusal, (429, LIMIT, message));
    assert_eq!(aws.get_rest_apis().limit(500).send().await.unwrap().items().len(), 500);
}

#[tokio::test(start_paused = true)]
async fn apis_links_and_stages_carry_tags() {
    let world = World::new().await;
    let aws = &world.account.clients.apigateway;
    let (api, link) = world.served().await;
    for path in [format!("restapis/{api}"), format!("vpclinks/{link}"), format!("restapis/{api}/stages/live")] {
        let arn = format!("arn:aws:apigateway:us-east-1::/{path}");
        aws.tag_resource().resource_arn(&arn).tags("a/b", "1").tags("c", "2").send().await.unwrap();
        aws.untag_resource().resource_arn(&arn).tag_keys("c").tag_keys("x").send().await.unwrap();
        let tags = aws.get_tags().resource_arn(&arn).send().await.unwrap().tags.unwrap();
        assert_eq!((tags.get("a/b").map(String::as_str), tags.get("c")), (Some("1"), None), "{path}");
    }
    let api = aws.get_rest_api().rest_api_id(&api).send().await.unwrap();
    let tags = api.tags.unwrap();
    assert_eq!((tags["berth:env"].as_str(), tags["a/b"].as_str()), ("e1", "1"));
    let update = aws.update_rest_api().rest_api_id(api.id.unwrap());
    let update = update.patch_operations(patch("replace", "/name", Some("renamed"))).send().await.unwrap();
    assert_eq!(update.name.as_deref(), Some("renamed"));
}
