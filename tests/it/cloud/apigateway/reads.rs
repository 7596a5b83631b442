//! What Terraform's provider and the AWS CLI send and read of APIs, methods and integrations. Where a row names no other source,
//! it is LocalStack's recording of AWS (`tests/aws/services/apigateway/*.snapshot.json`).

use serde_json::{Value, json};

use super::*;

impl World {
    /// A call as it is on the wire: status, error code and body.
    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, String, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.ask(method, path, body).await;
        let code = answer.headers.get("x-amzn-errortype").cloned().unwrap_or_default();
        (answer.status, code, serde_json::from_str(&answer.body).unwrap_or_default())
    }

    #[track_caller]
    fn says((status, code, body): &(u16, String, Value), expected: (u16, &str, &str)) {
        assert_eq!((*status, code.as_str(), body["message"].as_str().unwrap_or_default()), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rest_api_takes_the_optional_arguments_of_terraform_and_describes_them() {
    let world = World::new().await;
    let create = json!({
        "name": "all", "description": "d", "version": "v1", "binaryMediaTypes": ["image/png"], "apiKeySource": "AUTHORIZER",
        "minimumCompressionSize": 10, "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "dualstack"},
        "disableExecuteApiEndpoint": true,
    });
    let (status, _, made) = world.call("POST", "/restapis", create.clone()).await;
    assert_eq!(status, 201, "{made}");
    for (member, value) in create.as_object().unwrap() {
        assert_eq!(&made[member], value, "{member}");
    }
    // Tags that are not there: absent from a creation and a list, empty in the API itself.
    assert!(made.get("tags").is_none(), "{made}");
    let path = format!("/restapis/{}", made["id"].as_str().unwrap());
    let (_, _, kept) = world.call("GET", &path, Value::Null).await;
    assert_eq!((&kept["tags"], &kept["apiKeySource"]), (&json!({}), &json!("AUTHORIZER")));

    let update = async |op: &str, path_of: &str, value: Value| {
        let operation = json!({"op": op, "path": path_of, "value": value});
        world.call("PATCH", &path, json!({"patchOperations": [operation]})).await
    };
    for (op, patch, value, member, expected) in [
        ("replace", "/apiKeySource", json!("HEADER"), "apiKeySource", json!("HEADER")),
        ("replace", "/minimumCompressionSize", json!("0"), "minimumCompressionSize", json!(0)),
        ("replace", "/minimumCompressionSize", Value::Null, "minimumCompressionSize", Value::Null),
        ("add", "/binaryMediaTypes/image~1jpeg", Value::Null, "binaryMediaTypes", json!(["image/png", "image/jpeg"])),
        (
            "replace",
            "/binaryMediaTypes/image~1png",
            json!("image/gif"),
            "binaryMediaTypes",
            json!(["image/jpeg", "image/gif"]),
        ),
        ("remove", "/binaryMediaTypes/image~1gif", Value::Null, "binaryMediaTypes", json!(["image/jpeg"])),
        ("remove", "/description", Value::Null, "description", Value::Null),
        (
            "replace",
            "/endpointConfiguration/types/REGIONAL",
            json!("EDGE"),
            "endpointConfiguration",
            json!({"types": ["EDGE"], "ipAddressType": "dualstack"}),
        ),
        (
            "replace",
            "/endpointConfiguration/ipAddressType",
            json!("ipv4"),
            "endpointConfiguration",
            json!({"types": ["EDGE"], "ipAddressType": "ipv4"}),
        ),
    ] {
        let (status, _, changed) = update(op, patch, value).await;
        assert_eq!((status, &changed[member]), (200, &expected), "{op} {patch}: {changed}");
    }
    for (op, patch, value, message) in [
        ("add", "/minimumCompressionSize", json!("10"), "Invalid patch operation specified. Must be one of: [replace]"),
        (
            "replace",
            "/minimumCompressionSize",
            json!("-1"),
            "Invalid minimum compression size, must be between 0 and 10485760",
        ),
        (
            "replace",
            "/minimumCompressionSize",
            json!("test"),
            "Invalid minimum compression size, must be between 0 and 10485760",
        ),
        ("add", "/binaryMediaTypes", json!("image/gif"), "Invalid patch path /binaryMediaTypes"),
        ("remove", "/binaryMediaTypes", Value::Null, "Invalid patch path /binaryMediaTypes"),
    ] {
        World::says(&update(op, patch, value).await, (400, BAD, message));
    }
    for (create, message) in [
        (json!({"name": "x", "description": ""}), "Description cannot be an empty string"),
        (
            json!({"name": "x", "minimumCompressionSize": -1}),
            "Invalid minimum compression size, must be between 0 and 10485760",
        ),
        (
            json!({"name": "x", "endpointConfiguration": {"types": ["PRIVATE"]}}),
            "berth-local does not play the endpoint type PRIVATE: use REGIONAL or EDGE",
        ),
        (json!({"name": "x", "cloneFrom": "y"}), "berth-local does not play the member `cloneFrom` of this call"),
    ] {
        world.pass(3).await;
        World::says(&world.call("POST", "/restapis", create).await, (400, BAD, message));
    }
}

#[tokio::test(start_paused = true)]
async fn an_integration_takes_the_optional_arguments_of_terraform_and_describes_them() {
    let world = World::new().await;
    let (api, root) = world.api().await;
    let link = world.link().await;
    world.method(&api, &root, "ANY").await;
    let path = format!("/restapis/{api}/resources/{root}/methods/ANY/integration");
    let put = json!({
        "type": "HTTP_PROXY", "httpMethod": "ANY", "uri": format!("http://{}:8080/", world.host), "connectionType": "VPC_LINK",
        "connectionId": link, "cacheNamespace": "ns", "cacheKeyParameters": ["method.request.path.proxy"],
        "credentials": "arn:aws:iam::000000000000:role/r", "passthroughBehavior": "WHEN_NO_TEMPLATES", "timeoutInMillis": 50,
        "tlsConfig": {"insecureSkipVerification": true}, "responseTransferMode": "BUFFERED",
        "requestTemplates": {"application/json": "#set($x = 1)"},
    });
    let (status, _, made) = world.call("PUT", &path, put.clone()).await;
    assert_eq!((status, &made), (201, &put));
    // A proxy integration ignores its templates (REC, "full-integration").
    world.deploy(&api, &link).await;
    world.pass(30).await;
    assert_eq!(world.get(&api, "/").await.status, 201);

    let update = async |patches: Value| world.call("PATCH", &path, json!({"patchOperations": patches})).await;
    let (status, _, changed) = update(json!([
        {"op": "remove", "path": "/requestTemplates/application~1json"},
        {"op": "add", "path": "/requestTemplates/text~1plain", "value": "t"},
        {"op": "remove", "path": "/cacheKeyParameters/method.request.path.proxy", "value": ""},
        {"op": "replace", "path": "/cacheNamespace", "value": "other"},
        {"op": "replace", "path": "/tlsConfig/insecureSkipVerification", "value": "false"},
        {"op": "replace", "path": "/contentHandling", "value": "CONVERT_TO_TEXT"},
    ]))
    .await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["requestTemplates"], json!({"text/plain": "t"}));
    assert_eq!((&changed["cacheKeyParameters"], &changed["cacheNamespace"]), (&json!([]), &json!("other")));
    assert_eq!(changed["tlsConfig"], json!({"insecureSkipVerification": false}));
    // It is described, but what it does to a body is not played.
    world.deploy(&api, &link).await;
    world.pass(30).await;
    assert_eq!(world.get(&api, "/").await.gateway().0, 501);
    let (_, _, reset) = update(json!([{"op": "replace", "path": "/contentHandling", "value": ""}])).await;
    assert!(reset.get("contentHandling").is_none(), "{reset}");

    for (changes, message) in [
        (json!({"integrationTarget": "arn"}), "berth-local does not play the member `integrationTarget` of this call"),
        (json!({"type": "AWS_PROXY"}), "berth-local does not play integrations with AWS services"),
        (json!({"type": "HTTP"}), "berth-local does not play mapping templates for HTTP integrations"),
        (
            json!({"responseTransferMode": "STREAM"}),
            "berth-local does not play a response transfer mode other than BUFFERED",
        ),
        (json!({"uri": "https://a/"}), "berth-local does not play TLS to integrations: use an http:// URI"),
    ] {
        let mut wrong = put.clone();
        wrong.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        World::says(&world.call("PUT", &path, wrong).await, (400, BAD, message));
    }
    // A mock has neither address nor connection (test_put_integration_validation).
    let mock = json!({"type": "MOCK", "uri": "http://example.com"});
    let (status, _, made) = world.call("PUT", &path, mock).await;
    let expected = json!({"cacheKeyParameters": [], "cacheNamespace": root, "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000, "type": "MOCK"});
    assert_eq!((status, made), (201, expected));
}

#[tokio::test(start_paused = true)]
async fn methods_and_responses_answer_as_aws_recorded_them() {
    let world = World::new().await;
    let (api, root) = world.api().await;
    let path = format!("/restapis/{api}/resources/{root}/methods/GET");
    let authorizer = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.";
    let twice = json!({"method.request.header.x": true, "method.request.querystring.x": true});
    for (put, message) in [
        (json!({"authorizationType": "CUSTOM"}), authorizer),
        (
            json!({"authorizationType": "NONE", "requestValidatorId": "v"}),
            "Invalid Request Validator identifier specified",
        ),
        (
            json!({"authorizationType": "NONE", "requestModels": {"application/json": "petModel"}}),
            "Invalid model identifier specified: petModel",
        ),
        (
            json!({"authorizationType": "NONE", "requestParameters": twice}),
            "Parameter names must be unique across querystring, header and path",
        ),
    ] {
        World::says(&world.call("PUT", &path, put).await, (400, BAD, message));
    }
    let nowhere = world.call("PUT", &path.replace(&api, "fake-api"), json!({"authorizationType": "NONE"})).await;
    World::says(&nowhere, (404, NOT_FOUND, "Invalid Resource identifier specified"));
    let (status, _, made) = world.call("PUT", &path, json!({"authorizationType": "none"})).await;
    let expected = json!({"apiKeyRequired": false, "authorizationType": "NONE", "httpMethod": "GET"});
    assert_eq!((status, made), (201, expected));
    let update = async |op: &str, patch: &str, value: &str| {
        let operation = json!({"op": op, "path": patch, "value": value});
        world.call("PATCH", &path, json!({"patchOperations": [operation]})).await
    };
    for (op, patch, value, message) in [
        ("add", "/authorizationType", "NONE", "Invalid patch operation specified. Must be one of: [replace]"),
        ("remove", "/apiKeyRequired", "", "Invalid patch operation specified. Must be one of: [replace]"),
        ("replace", "/httpMethod", "PUT", "Invalid patch path /httpMethod"),
        ("replace", "/requestParameters", "true", "Invalid patch path /requestParameters"),
        ("add", "/requestModels/application/json", "Empty", "Invalid patch path /requestModels/application/json"),
        ("replace", "/authorizationType", "CUSTOM", authorizer),
    ] {
        World::says(&update(op, patch, value).await, (400, BAD, message));
    }
    let (_, _, changed) = update("add", "/requestModels/application~1json", "Empty").await;
    assert_eq!(changed["requestModels"], json!({"application/json": "Empty"}));
    assert_eq!(update("replace", "/apiKeyRequired", "whatever").await.2["apiKeyRequired"], false);

    // The reads of aws_api_gateway_method_response and aws_api_gateway_integration_response.
    let (_, _, response) = world.call("PUT", &format!("{path}/responses/200"), json!({})).await;
    assert_eq!(response, json!({"statusCode": "200"}));
    world.call("PUT", &format!("{path}/integration"), json!({"type": "MOCK"})).await;
    let put = json!({"responseTemplates": {"text/plain": "t"}});
    assert_eq!(world.call("PUT", &format!("{path}/integration/responses/200"), put).await.0, 201);
    for response in [format!("{path}/responses/200"), format!("{path}/integration/responses/200")] {
        assert_eq!(world.call("GET", &response, Value::Null).await.2["statusCode"], "200");
        assert_eq!(world.call("DELETE", &response, Value::Null).await.0, 204);
        let gone = world.call("GET", &response, Value::Null).await;
        World::says(&gone, (404, NOT_FOUND, "Invalid Response status code specified"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_of_a_stage_is_its_deployment_in_openapi() {
    // The form of test_export_oas30_openapi and test_export_swagger_openapi.
    let world = World::new().await;
    let (api, _) = world.served().await;
    let aws = &world.account.clients.apigateway;
    let export = async |kind: &str, extensions: Option<&str>| -> Value {
        let get = aws.get_export().rest_api_id(&api).stage_name("live").export_type(kind);
        let get = get.set_parameters(extensions.map(|name| [("extensions".to_owned(), name.to_owned())].into()));
        let reply = get.send().await.unwrap();
        serde_json::from_slice(reply.body().unwrap().as_ref()).unwrap()
    };
    let document = export("oas30", Some("integrations")).await;
    assert_eq!((&document["openapi"], &document["info"]["title"]), (&json!("3.0.1"), &json!("berth")));
    let server = json!({"url": format!("https://{api}.execute-api.us-east-1.amazonaws.com/{{basePath}}"),
        "variables": {"basePath": {"default": "live"}}});
    assert_eq!(document["servers"], json!([server]));
    let any = &document["paths"]["/{proxy+}"]["x-amazon-apigateway-any-method"];
    let proxy = json!({"name": "proxy", "in": "path", "required": true, "schema": {"type": "string"}});
    assert_eq!(any["parameters"], json!([proxy]));
    let integration = &any["x-amazon-apigateway-integration"];
    assert_eq!((&integration["type"], &integration["connectionType"]), (&json!("http_proxy"), &json!("VPC_LINK")));
    assert_eq!(integration["passthroughBehavior"], "when_no_match");
    let document = export("swagger", None).await;
    assert_eq!((&document["swagger"], &document["basePath"]), (&json!("2.0"), &json!("/live")));
    let any = &document["paths"]["/"]["x-amazon-apigateway-any-method"];
    assert!(any["parameters"][0]["type"] == "string" && any.get("x-amazon-apigateway-integration").is_none(), "{any}");

    let path = format!("/restapis/{api}/stages/live/exports");
    assert_eq!(world.call("GET", &format!("{path}/raml"), Value::Null).await.0, 400);
    let none = world.call("GET", &format!("/restapis/{api}/stages/none/exports/oas30"), Value::Null).await;
    World::says(&none, (404, NOT_FOUND, "Invalid stage identifier specified"));
    // The SDK for Rust asks for JSON whatever a caller says.
    let yaml = Request::get(format!("{path}/oas30")).header("accept", "application/yaml").body(Vec::new().into());
    let yaml = Answer::from(world.account.endpoint.request(yaml.unwrap()).await.unwrap());
    assert!(yaml.gateway().2.starts_with("berth-local does not play exports in YAML"), "{yaml:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_not_played_says_so_in_the_service_s_own_form() {
    let world = World::new().await;
    let (api, root) = world.api().await;
    for (method, path, operation) in [
        ("GET", "/apikeys".to_owned(), "GetApiKeys"),
        ("POST", "/apikeys?mode=import".to_owned(), "ImportApiKeys"),
        ("POST", "/restapis?mode=import&failonwarnings=true".to_owned(), "ImportRestApi"),
        ("PUT", format!("/restapis/{api}"), "PutRestApi"),
        ("GET", format!("/restapis/{api}/authorizers"), "GetAuthorizers"),
        ("GET", format!("/restapis/{api}/gatewayresponses/DEFAULT_4XX"), "GetGatewayResponse"),
        ("PATCH", format!("/restapis/{api}/resources/{root}"), "UpdateResource"),
        ("DELETE", format!("/restapis/{api}/stages/live/cache/data"), "FlushStageCache"),
        ("GET", "/domainnames/example.com/basepathmappings".to_owned(), "GetBasePathMappings"),
        ("POST", "/usageplans".to_owned(), "CreateUsagePlan"),
        ("GET", "/v2/apis".to_owned(), "API Gateway V2: HTTP APIs, WebSocket APIs and VPC links V2"),
        ("POST", "/v2/vpclinks".to_owned(), "API Gateway V2: HTTP APIs, WebSocket APIs and VPC links V2"),
    ] {
        world.pass(3).await;
        let answer = world.call(method, &path, json!({})).await;
        World::says(&answer, (400, BAD, &format!("berth-local does not play {operation}")));
    }
}
