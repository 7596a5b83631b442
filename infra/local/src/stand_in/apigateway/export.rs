//! GetExport: a stage's deployment as an OpenAPI 3.0 or Swagger 2.0 document in JSON, in the form of AWS's exports
//! (docs/aws.md#deployments-and-stages). The reply is the document; its two headers are not played.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::model::{Deployment, Integration, Method, RestApi, Stage};
use super::stages::no_stage;
use super::wire::{api, bad, not_found, not_played, omit, read};
use crate::stand_in::account::Account;
use crate::stand_in::identity::REGION;
use crate::stand_in::refusal::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    rest_api_id: String,
    stage_name: String,
    export_type: String,
    /// `integrations`, `apigateway`, `authorizers` or `postman`.
    extensions: Option<String>,
    accepts: String,
}

/// The two kinds of document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    OpenApi,
    Swagger,
}

pub fn get(account: &Account, input: &Value) -> Result<(u16, Value), Refusal> {
    let input: Input = read(input)?;
    let api = api(account, &input.rest_api_id)?;
    let stage = api.stages.get(&input.stage_name).ok_or_else(no_stage)?;
    let kind = match input.export_type.as_str() {
        "oas30" => Kind::OpenApi,
        "swagger" => Kind::Swagger,
        other => return Err(bad(format!("No API exporter for type '{other}'"))),
    };
    if input.accepts.contains("yaml") {
        return Err(not_played("exports in YAML: ask for application/json"));
    }
    let integrations = match input.extensions.as_deref() {
        None | Some("" | "authorizers") => false,
        Some("integrations" | "apigateway") => true,
        Some(other) => return Err(not_played(format_args!("exports with the extensions {other}"))),
    };
    let deployment = api.deployments.get(&stage.deployment);
    let deployment = deployment.ok_or_else(|| not_found("Invalid Deployment identifier specified"))?;
    Ok((200, document(api, stage, deployment, kind, integrations)))
}

fn document(api: &RestApi, stage: &Stage, deployment: &Deployment, kind: Kind, integrations: bool) -> Value {
    let with_methods = deployment.resources.values().filter(|resource| !resource.methods.is_empty());
    let paths: Map<String, Value> = with_methods
        .map(|resource| {
            let methods = resource.methods.values().map(|method| (name(method), operation(method, kind, integrations)));
            (resource.path.clone(), Value::Object(methods.collect()))
        })
        .collect();
    let version = api.version.clone().unwrap_or_else(|| api.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let info = omit(json!({"title": api.name, "description": api.description, "version": version}));
    let host = format!("{}.execute-api.{REGION}.amazonaws.com", api.id);
    let security = security_schemes(deployment);
    match kind {
        Kind::OpenApi => json!({
            "openapi": "3.0.1",
            "info": info,
            "servers": [{
                "url": format!("https://{host}/{{basePath}}"),
                "variables": {"basePath": {"default": stage.name}},
            }],
            "paths": paths,
            "components": omit(json!({"securitySchemes": security})),
        }),
        Kind::Swagger => omit(json!({
            "swagger": "2.0",
            "info": info,
            "host": host,
            "basePath": format!("/{}", stage.name),
            "schemes": ["https"],
            "paths": paths,
            "securityDefinitions": security,
        })),
    }
}

fn name(method: &Method) -> String {
    match method.http_method.as_str() {
        "ANY" => "x-amazon-apigateway-any-method".to_owned(),
        method => method.to_lowercase(),
    }
}

/// The schemes that the deployment's methods use, if they use any.
fn security_schemes(deployment: &Deployment) -> Option<Value> {
    let methods = || deployment.resources.values().flat_map(|resource| resource.methods.values());
    let mut schemes = Map::new();
    if methods().any(|method| method.authorization_type == "AWS_IAM") {
        let scheme = json!({
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
        });
        schemes.insert("sigv4".to_owned(), scheme);
    }
    if methods().any(|method| method.api_key_required) {
        schemes.insert("api_key".to_owned(), json!({"type": "apiKey", "name": "x-api-key", "in": "header"}));
    }
    (!schemes.is_empty()).then_some(Value::Object(schemes))
}

fn operation(method: &Method, kind: Kind, integrations: bool) -> Value {
    let parameters: Vec<Value> = method
        .request_parameters
        .iter()
        .filter_map(|(parameter, required)| {
            let (place, name) = parameter.strip_prefix("method.request.")?.split_once('.')?;
            let place = if place == "querystring" { "query" } else { place };
            Some(described_parameter(name, place, *required, kind))
        })
        .collect();
    let responses: Map<String, Value> = method
        .method_responses
        .values()
        .map(|response| {
            let headers = response.response_parameters.keys();
            let headers = headers.filter_map(|name| name.strip_prefix("method.response.header."));
            let headers: Map<String, Value> = headers.map(|name| (name.to_owned(), string(kind))).collect();
            let described = omit(json!({
                "description": format!("{} response", response.status_code),
                "headers": (!headers.is_empty()).then_some(headers),
                "content": (kind == Kind::OpenApi).then(|| json!({})),
            }));
            (response.status_code.clone(), described)
        })
        .collect();
    let mut security = Vec::new();
    if method.authorization_type == "AWS_IAM" {
        security.push(json!({"sigv4": []}));
    }
    if method.api_key_required {
        security.push(json!({"api_key": []}));
    }
    let integration = method.method_integration.as_ref().filter(|_| integrations).map(described_integration);
    omit(json!({
        "operationId": method.operation_name,
        "parameters": (!parameters.is_empty()).then_some(parameters),
        "responses": responses,
        "security": (!security.is_empty()).then_some(security),
        "x-amazon-apigateway-integration": integration,
    }))
}

fn described_parameter(name: &str, place: &str, required: bool, kind: Kind) -> Value {
    let mut parameter = json!({"name": name, "in": place});
    let members = [
        // OpenAPI 3.0 is shown without what is its default.
        ("required", (required || kind == Kind::Swagger).then_some(json!(required))),
        ("schema", (kind == Kind::OpenApi).then(|| json!({"type": "string"}))),
        ("type", (kind == Kind::Swagger).then(|| json!("string"))),
    ];
    for (member, value) in members {
        if let Some(value) = value {
            parameter[member] = value;
        }
    }
    parameter
}

/// A header of a response.
fn string(kind: Kind) -> Value {
    match kind {
        Kind::OpenApi => json!({"schema": {"type": "string"}}),
        Kind::Swagger => json!({"type": "string"}),
    }
}

fn described_integration(integration: &Integration) -> Value {
    let responses: Map<String, Value> = integration
        .integration_responses
        .values()
        .map(|response| {
            let pattern = response.selection_pattern.clone().unwrap_or_else(|| "default".to_owned());
            let described = omit(json!({
                "statusCode": response.status_code,
                "responseParameters":
                    (!response.response_parameters.is_empty()).then_some(&response.response_parameters),
                "responseTemplates":
                    (!response.response_templates.is_empty()).then_some(&response.response_templates),
            }));
            (pattern, described)
        })
        .collect();
    omit(json!({
        "type": integration.r#type.to_lowercase(),
        "httpMethod": integration.http_method,
        "uri": integration.uri,
        "connectionType": integration.uses_link().then_some("VPC_LINK"),
        "connectionId": integration.connection_id,
        "credentials": integration.credentials,
        "responses": (!responses.is_empty()).then_some(responses),
        "requestParameters":
            (!integration.request_parameters.is_empty()).then_some(&integration.request_parameters),
        "requestTemplates": (!integration.request_templates.is_empty()).then_some(&integration.request_templates),
        "passthroughBehavior": integration.passthrough_behavior.to_lowercase(),
        "timeoutInMillis": (integration.timeout_in_millis != 29_000).then_some(integration.timeout_in_millis),
        "contentHandling": integration.content_handling,
    }))
}
