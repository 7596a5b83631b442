//! What each function is asked, as its caller in AWS asks it, and what the answer must have.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::aws::{Aws, KEY_ID};

/// One function's question.
pub struct Asked {
    /// The function.
    pub name: &'static str,
    /// The event.
    pub event: Value,
    /// A JSON pointer into the answer, and what must be there.
    pub expected: (&'static str, Value),
    /// What it needs in its environment besides what all have.
    pub environment: Vec<(&'static str, String)>,
}

/// The questions of all bootstraps.
pub fn bootstraps(aws: &Aws) -> Result<Vec<Asked>, String> {
    Ok(vec![api(), worker(), janitor(), authorizer(aws)?])
}

/// `POST /environments`, as API Gateway hands it over.
pub fn api() -> Asked {
    let body = json!({"name": "bench", "task_definition": "hello"}).to_string();
    let event = json!({
        "resource": "/{proxy+}", "path": "/environments", "httpMethod": "POST",
        "headers": {"Content-Type": "application/json", "Host": "bench.execute-api.us-east-1.amazonaws.com"},
        "multiValueHeaders": {
            "Content-Type": ["application/json"], "Host": ["bench.execute-api.us-east-1.amazonaws.com"],
        },
        "queryStringParameters": null, "multiValueQueryStringParameters": null,
        "pathParameters": {"proxy": "environments"}, "stageVariables": null,
        "requestContext": {
            "resourceId": "abc123", "resourcePath": "/{proxy+}", "httpMethod": "POST", "path": "/v1/environments",
            "accountId": "000000000000", "protocol": "HTTP/1.1", "stage": "v1", "apiId": "bench",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "authorizer": {"principalId": "bench", "subject": "bench", "team": "bench", "role": "member"},
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "bench"},
        },
        "body": body, "isBase64Encoded": false,
    });
    Asked { name: "api", event, expected: ("/statusCode", json!(202)), environment: Vec::new() }
}

/// The first step of an operation whose record is gone: one read, and the answer to stop.
fn worker() -> Asked {
    let identity = json!({
        "team": "bench", "environment": "env_01m82v00000000000000000000",
        "operation": "op_01m82v00000000000000000000",
    });
    let event = json!({"step": "Begin", "identity": identity});
    Asked { name: "worker", event, expected: ("/errorType", json!("Fatal")), environment: Vec::new() }
}

/// A sweep that finds nothing due.
fn janitor() -> Asked {
    Asked { name: "janitor", event: json!({"task": "sweep"}), expected: ("", Value::Null), environment: Vec::new() }
}

/// A good token.
fn authorizer(aws: &Aws) -> Result<Asked, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let issuer = format!("{}/issuer", aws.url);
    let claims = json!({"iss": issuer, "aud": "berth", "sub": "bench", "exp": now + 3600, "team": "bench"});
    let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::ES256) };
    let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(&aws.key))
        .map_err(|error| format!("no token: {error}"))?;
    let event = json!({
        "type": "TOKEN", "authorizationToken": format!("Bearer {token}"),
        "methodArn": "arn:aws:execute-api:us-east-1:000000000000:bench/v1/POST/environments",
    });
    let environment = vec![("BERTH_ISSUER", issuer), ("BERTH_AUDIENCE", "berth".to_owned())];
    Ok(Asked { name: "authorizer", event, expected: ("/context/team", json!("bench")), environment })
}
