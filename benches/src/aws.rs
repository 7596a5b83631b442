//! The AWS endpoint that the functions call: it always says yes, at once. What is measured is the functions, not this.
//!
//! Also the issuer, for the authorizer.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::tls::Tls;

/// The endpoint.
pub struct Aws {
    /// `https://127.0.0.1:PORT`
    pub url: String,
    /// Signs tokens of the issuer at `{url}/issuer`.
    pub key: Vec<u8>,
}

/// The issuer's key id.
pub const KEY_ID: &str = "bench";

/// Serves the endpoint until the process ends.
pub async fn serve(tls: &Tls) -> Result<Aws, String> {
    let text = |error: &dyn std::fmt::Display| format!("the AWS endpoint: {error}");
    let tcp = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| text(&error))?;
    let url = format!("https://{}", tcp.local_addr().map_err(|error| text(&error))?);
    let (key, keys) = key_pair().map_err(|error| text(&error))?;
    let issuer = format!("{url}/issuer");
    let discovery = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")}).to_string();
    let router = Router::new()
        .route("/", post(answer))
        .route("/issuer/.well-known/openid-configuration", get(document).with_state(discovery))
        .route("/issuer/keys", get(document).with_state(keys.to_string()));
    let listener = tls.listener(tcp);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Aws { url, key })
}

/// A private key as PKCS#8, and the JWKS with its public half.
fn key_pair() -> Result<(Vec<u8>, Value), String> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ALGORITHM, EcdsaKeyPair, KeyPair};

    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ALGORITHM, &random).map_err(|error| error.to_string())?;
    let pair = EcdsaKeyPair::from_pkcs8(&ALGORITHM, pkcs8.as_ref(), &random).map_err(|error| error.to_string())?;
    // An uncompressed point: 4, then x and y of 32 bytes each.
    let point = pair.public_key().as_ref();
    let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default());
    let keys = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID,
        "x": coordinate(1..33), "y": coordinate(33..65),
    }]});
    Ok((pkcs8.as_ref().to_vec(), keys))
}

async fn document(State(text): State<String>) -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "application/json")], text)
}

/// What a call comes to when nothing is in the way: no item is there, every write is accepted.
async fn answer(headers: HeaderMap) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let reply = match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "TransactWriteItems" => json!({}),
        "Query" => json!({"Items": [], "Count": 0, "ScannedCount": 0}),
        "StartExecution" => json!({
            "executionArn": "arn:aws:states:us-east-1:000000000000:execution:berth:op_bench", "startDate": 1_763_769_600,
        }),
        "DescribeTaskDefinition" => json!({"taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/hello:1",
            "family": "hello", "revision": 1, "status": "ACTIVE", "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"], "compatibilities": ["FARGATE"],
            "containerDefinitions": [{"name": "web", "image": "hello", "portMappings": [{"containerPort": 8000}]}],
        }}),
        _ => {
            let body = json!({"__type": "UnknownOperationException", "message": target});
            return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string());
        }
    };
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], reply.to_string())
}
