//! Finds the operation of a restJson request from method and path, and gathers its input from path, query and body.

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value};

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
    ("PUT", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "PutIntegration"),
    ("GET", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "GetIntegration"),
    ("PATCH", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "UpdateIntegration"),
    ("DELETE", "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration", "DeleteIntegration"),
    (
        "PUT",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        "PutIntegrationResponse",
    ),
    ("POST", "/restapis/{restApiId}/deployments", "CreateDeployment"),
    ("GET", "/restapis/{restApiId}/deployments", "GetDeployments"),
    ("GET", "/restapis/{restApiId}/deployments/{deploymentId}", "GetDeployment"),
    ("DELETE", "/restapis/{restApiId}/deployments/{deploymentId}", "DeleteDeployment"),
    ("POST", "/restapis/{restApiId}/stages", "CreateStage"),
    ("GET", "/restapis/{restApiId}/stages", "GetStages"),
    ("GET", "/restapis/{restApiId}/stages/{stageName}", "GetStage"),
    ("PATCH", "/restapis/{restApiId}/stages/{stageName}", "UpdateStage"),
    ("DELETE", "/restapis/{restApiId}/stages/{stageName}", "DeleteStage"),
    (
        "DELETE",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        "DeleteIntegrationResponse",
    ),
    (
        "DELETE",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/responses/{statusCode}",
        "DeleteMethodResponse",
    ),
    ("GET", "/restapis/{restApiId}/stages/{stageName}/exports/{exportType}", "GetExport"),
    (
        "GET",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/integration/responses/{statusCode}",
        "GetIntegrationResponse",
    ),
    (
        "GET",
        "/restapis/{restApiId}/resources/{resourceId}/methods/{httpMethod}/responses/{statusCode}",
        "GetMethodResponse",
    ),
    ("PATCH", "/restapis/{restApiId}/deployments/{deploymentId}", "UpdateDeployment"),
    ("POST", "/vpclinks", "CreateVpcLink"),
    ("GET", "/vpclinks", "GetVpcLinks"),
    ("GET", "/vpclinks/{vpcLinkId}", "GetVpcLink"),
    ("PATCH", "/vpclinks/{vpcLinkId}", "UpdateVpcLink"),
    ("DELETE", "/vpclinks/{vpcLinkId}", "DeleteVpcLink"),
    ("PUT", "/tags/{resourceArn+}", "TagResource"),
    ("DELETE", "/tags/{resourceArn+}", "UntagResource"),
    ("GET", "/tags/{resourceArn+}", "GetTags"),
];

/// The other operations of API Gateway, in the same form. None is played; `mod` says so.
const NOT_PLAYED: &[(&str, &str, &str)] = &[
    ("POST", "/apikeys", "CreateApiKey"),
    ("POST", "/restapis/{id}/authorizers", "CreateAuthorizer"),
    ("POST", "/domainnames/{id}/basepathmappings", "CreateBasePathMapping"),
    ("POST", "/restapis/{id}/documentation/parts", "CreateDocumentationPart"),
    ("POST", "/restapis/{id}/documentation/versions", "CreateDocumentationVersion"),
    ("POST", "/domainnames", "CreateDomainName"),
    ("POST", "/domainnameaccessassociations", "CreateDomainNameAccessAssociation"),
    ("POST", "/restapis/{id}/models", "CreateModel"),
    ("POST", "/restapis/{id}/requestvalidators", "CreateRequestValidator"),
    ("POST", "/usageplans", "CreateUsagePlan"),
    ("POST", "/usageplans/{id}/keys", "CreateUsagePlanKey"),
    ("DELETE", "/apikeys/{id}", "DeleteApiKey"),
    ("DELETE", "/restapis/{id}/authorizers/{id}", "DeleteAuthorizer"),
    ("DELETE", "/domainnames/{id}/basepathmappings/{id}", "DeleteBasePathMapping"),
    ("DELETE", "/clientcertificates/{id}", "DeleteClientCertificate"),
    ("DELETE", "/restapis/{id}/documentation/parts/{id}", "DeleteDocumentationPart"),
    ("DELETE", "/restapis/{id}/documentation/versions/{id}", "DeleteDocumentationVersion"),
    ("DELETE", "/domainnames/{id}", "DeleteDomainName"),
    ("DELETE", "/domainnameaccessassociations/{id}", "DeleteDomainNameAccessAssociation"),
    ("DELETE", "/restapis/{id}/gatewayresponses/{id}", "DeleteGatewayResponse"),
    ("DELETE", "/restapis/{id}/models/{id}", "DeleteModel"),
    ("DELETE", "/restapis/{id}/requestvalidators/{id}", "DeleteRequestValidator"),
    ("DELETE", "/usageplans/{id}", "DeleteUsagePlan"),
    ("DELETE", "/usageplans/{id}/keys/{id}", "DeleteUsagePlanKey"),
    ("DELETE", "/restapis/{id}/stages/{id}/cache/authorizers", "FlushStageAuthorizersCache"),
    ("DELETE", "/restapis/{id}/stages/{id}/cache/data", "FlushStageCache"),
    ("POST", "/clientcertificates", "GenerateClientCertificate"),
    ("GET", "/apikeys/{id}", "GetApiKey"),
    ("GET", "/apikeys", "GetApiKeys"),
    ("GET", "/restapis/{id}/authorizers/{id}", "GetAuthorizer"),
    ("GET", "/restapis/{id}/authorizers", "GetAuthorizers"),
    ("GET", "/domainnames/{id}/basepathmappings/{id}", "GetBasePathMapping"),
    ("GET", "/domainnames/{id}/basepathmappings", "GetBasePathMappings"),
    ("GET", "/clientcertificates/{id}", "GetClientCertificate"),
    ("GET", "/clientcertificates", "GetClientCertificates"),
    ("GET", "/restapis/{id}/documentation/parts/{id}", "GetDocumentationPart"),
    ("GET", "/restapis/{id}/documentation/parts", "GetDocumentationParts"),
    ("GET", "/restapis/{id}/documentation/versions/{id}", "GetDocumentationVersion"),
    ("GET", "/restapis/{id}/documentation/versions", "GetDocumentationVersions"),
    ("GET", "/domainnames/{id}", "GetDomainName"),
    ("GET", "/domainnameaccessassociations", "GetDomainNameAccessAssociations"),
    ("GET", "/domainnames", "GetDomainNames"),
    ("GET", "/restapis/{id}/gatewayresponses/{id}", "GetGatewayResponse"),
    ("GET", "/restapis/{id}/gatewayresponses", "GetGatewayResponses"),
    ("GET", "/restapis/{id}/models/{id}", "GetModel"),
    ("GET", "/restapis/{id}/models/{id}/default_template", "GetModelTemplate"),
    ("GET", "/restapis/{id}/models", "GetModels"),
    ("GET", "/restapis/{id}/requestvalidators/{id}", "GetRequestValidator"),
    ("GET", "/restapis/{id}/requestvalidators", "GetRequestValidators"),
    ("GET", "/restapis/{id}/stages/{id}/sdks/{id}", "GetSdk"),
    ("GET", "/sdktypes/{id}", "GetSdkType"),
    ("GET", "/sdktypes", "GetSdkTypes"),
    ("GET", "/usageplans/{id}/usage", "GetUsage"),
    ("GET", "/usageplans/{id}", "GetUsagePlan"),
    ("GET", "/usageplans/{id}/keys/{id}", "GetUsagePlanKey"),
    ("GET", "/usageplans/{id}/keys", "GetUsagePlanKeys"),
    ("GET", "/usageplans", "GetUsagePlans"),
    ("PUT", "/restapis/{id}/documentation/parts", "ImportDocumentationParts"),
    ("PUT", "/restapis/{id}/gatewayresponses/{id}", "PutGatewayResponse"),
    ("PUT", "/restapis/{id}", "PutRestApi"),
    ("POST", "/rejectdomainnameaccessassociations", "RejectDomainNameAccessAssociation"),
    ("POST", "/restapis/{id}/authorizers/{id}", "TestInvokeAuthorizer"),
    ("PATCH", "/account", "UpdateAccount"),
    ("PATCH", "/apikeys/{id}", "UpdateApiKey"),
    ("PATCH", "/restapis/{id}/authorizers/{id}", "UpdateAuthorizer"),
    ("PATCH", "/domainnames/{id}/basepathmappings/{id}", "UpdateBasePathMapping"),
    ("PATCH", "/clientcertificates/{id}", "UpdateClientCertificate"),
    ("PATCH", "/restapis/{id}/documentation/parts/{id}", "UpdateDocumentationPart"),
    ("PATCH", "/restapis/{id}/documentation/versions/{id}", "UpdateDocumentationVersion"),
    ("PATCH", "/domainnames/{id}", "UpdateDomainName"),
    ("PATCH", "/restapis/{id}/gatewayresponses/{id}", "UpdateGatewayResponse"),
    ("PATCH", "/restapis/{id}/resources/{id}/methods/{id}/integration/responses/{id}", "UpdateIntegrationResponse"),
    ("PATCH", "/restapis/{id}/resources/{id}/methods/{id}/responses/{id}", "UpdateMethodResponse"),
    ("PATCH", "/restapis/{id}/models/{id}", "UpdateModel"),
    ("PATCH", "/restapis/{id}/requestvalidators/{id}", "UpdateRequestValidator"),
    ("PATCH", "/restapis/{id}/resources/{id}", "UpdateResource"),
    ("PATCH", "/usageplans/{id}/keys/{id}/usage", "UpdateUsage"),
    ("PATCH", "/usageplans/{id}", "UpdateUsagePlan"),
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
        .chain(NOT_PLAYED)
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
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}
