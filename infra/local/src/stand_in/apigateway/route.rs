//! Finds the operation of a restJson request from method and path, and gathers its input from path, query and body. The
//! operations that are not played are in `unplayed_routes`.

use bytes::Bytes;
use http::Request;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::unplayed_routes::NOT_PLAYED;

/// Method, path, operation. A part in braces is a parameter; one with `+` takes the rest of the path.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/restapis", "CreateRestApi"),
    ("GET", "/restapis", "GetRestApis"),
    ("GET", "/restapis/{restApiId}", "GetRestApi"),
    ("PATCH", "/restapis/{restApiId}", "UpdateRestApi"),
    ("DELETE", "/restapis/{restApiId}", "DeleteRestApi"),
    ("GET", "/account", "GetAccount"),
    ("GET", "/restapis/{restApiId}/resources", "GetResources"),
    ("GET", "/restapis/{restApiId}/resources/{resourceId}", "GetResource"),
    ("POST", "/restapis/{restApiId}/resources/{parentId}", "CreateResource"),
    ("DELETE", "/restapis/{restApiId}/resources/{resourceId}", "DeleteResource"),
    ("PUT", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}", "PutMethod"),
    ("GET", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}", "GetMethod"),
    ("PATCH", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}", "UpdateMethod"),
    ("DELETE", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}", "DeleteMethod"),
    ("POST", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}", "TestInvokeMethod"),
    (
        "PUT",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/responses/{statusCode}",
        "PutMethodResponse",
    ),
    (
        "GET",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/responses/{statusCode}",
        "GetMethodResponse",
    ),
    (
        "DELETE",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/responses/{statusCode}",
        "DeleteMethodResponse",
    ),
    ("PUT", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "PutIntegration"),
    ("GET", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "GetIntegration"),
    ("PATCH", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "UpdateIntegration"),
    ("DELETE", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "DeleteIntegration"),
    (
        "PUT",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        "PutIntegrationResponse",
    ),
    (
        "GET",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        "GetIntegrationResponse",
    ),
    (
        "DELETE",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        "DeleteIntegrationResponse",
    ),
    ("POST", "/restapis/{restApiId}/deployments", "CreateDeployment"),
    ("GET", "/restapis/{restApiId}/deployments", "GetDeployments"),
    ("GET", "/restapis/{restApiId}/deployments/{deploymentId}", "GetDeployment"),
    ("PATCH", "/restapis/{restApiId}/deployments/{deploymentId}", "UpdateDeployment"),
    ("DELETE", "/restapis/{restApiId}/deployments/{deploymentId}", "DeleteDeployment"),
    ("POST", "/restapis/{restApiId}/stages", "CreateStage"),
    ("GET", "/restapis/{restApiId}/stages", "GetStages"),
    ("GET", "/restapis/{restApiId}/stages/{stageName}", "GetStage"),
    ("GET", "/restapis/{restApiId}/stages/{stageName}/exports/{exportType}", "GetExport"),
    ("PATCH", "/restapis/{restApiId}/stages/{stageName}", "UpdateStage"),
    ("DELETE", "/restapis/{restApiId}/stages/{stageName}", "DeleteStage"),
    ("POST", "/vpclinks", "CreateVpcLink"),
    ("GET", "/vpclinks", "GetVpcLinks"),
    ("GET", "/vpclinks/{vpcLinkId}", "GetVpcLink"),
    ("PATCH", "/vpclinks/{vpcLinkId}", "UpdateVpcLink"),
    ("DELETE", "/vpclinks/{vpcLinkId}", "DeleteVpcLink"),
    ("PUT", "/tags/{resourceArn+}", "TagResource"),
    ("DELETE", "/tags/{resourceArn+}", "UntagResource"),
    ("GET", "/tags/{resourceArn+}", "GetTags"),
];

/// Every operation of API Gateway V2, which has its own API.
pub const V2: &str = "ApiGatewayV2";

/// The operation of a restJson request, with its input: path and query parameters and the body's members.
pub fn route(request: &Request<Bytes>) -> Option<(&'static str, Value)> {
    let path = request.uri().path();
    if path.starts_with("/v2/") {
        return Some((V2, Value::Object(Map::new())));
    }
    let imports = request.method() == http::Method::POST && parameter(request, "mode").as_deref() == Some("import");
    match path {
        "/restapis" if imports => return Some(("ImportRestApi", Value::Object(Map::new()))),
        "/apikeys" if imports => return Some(("ImportApiKeys", Value::Object(Map::new()))),
        _ => {}
    }
    let (operation, parameters) = ROUTES
        .iter()
        .chain(&NOT_PLAYED)
        .filter(|(method, _, _)| request.method() == *method)
        .find_map(|(_, pattern, operation)| Some((*operation, parameters(pattern, path)?)))?;
    let mut input = match serde_json::from_slice(request.body()) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    // The wire has two different `httpMethod`s in PutIntegration: the path's and the body's.
    if let (true, Some(method)) = (operation == "PutIntegration", input.remove("httpMethod")) {
        input.insert("integrationHttpMethod".to_owned(), method);
    }
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        match (name.as_ref(), value.parse::<u64>()) {
            ("embed" | "tagKeys", _) => {
                if let Value::Array(list) = input.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                    list.push(Value::String(value.into_owned()));
                }
            }
            ("limit", Ok(limit)) => drop(input.insert("limit".to_owned(), Value::from(limit))),
            _ => drop(input.insert(name.into_owned(), Value::String(value.into_owned()))),
        }
    }
    if operation == "GetExport" {
        // A member in a header.
        let accept = request.headers().get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
        input.insert("accepts".to_owned(), Value::from(accept.unwrap_or_default()));
    }
    input.extend(parameters);
    Some((operation, Value::Object(input)))
}

/// One parameter of the query.
fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The parameters of `path` under `pattern`, if it fits.
fn parameters(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut found = Map::new();
    let mut parts = path.trim_end_matches('/').split('/');
    for expected in pattern.split('/') {
        let part = parts.next()?;
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            None if expected == part => {}
            None => return None,
            Some(_) if part.is_empty() => return None,
            Some(name) => match name.strip_suffix('+') {
                None => drop(found.insert(name.to_owned(), Value::String(decode(part)))),
                Some(name) => {
                    let rest: Vec<&str> = std::iter::once(part).chain(parts.by_ref()).collect();
                    found.insert(name.to_owned(), Value::String(decode(&rest.join("/"))));
                }
            },
        }
    }
    parts.next().is_none().then_some(found)
}

/// Decodes percent encoding; invalid sequences stay as they are.
fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}
