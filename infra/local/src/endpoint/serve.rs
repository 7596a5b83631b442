//! The endpoint over HTTP: a router for `axum::serve`, with the address of each connection.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::response::IntoResponse;
use axum::{Router, body::Body};
use http_body_util::{BodyExt, Limited};

use crate::endpoint::Endpoint;
use crate::stand_in::apigateway::SourceIp;

/// More than API Gateway's payload limit (10 MB), so that the gateway can refuse with its own error.
const LARGEST_BODY: usize = 12 * 1024 * 1024;

/// A router that hands every request to the endpoint.
pub fn router(endpoint: Endpoint) -> Router {
    Router::new().fallback(answer).with_state(endpoint)
}

async fn answer(
    State(endpoint): State<Endpoint>,
    request: http::Request<Body>,
) -> Result<http::Response<Body>, Infallible> {
    let (mut parts, body) = request.into_parts();
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        let source = SourceIp(peer.ip());
        parts.extensions.insert(source);
    }
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        let refusal = r#"{"message":"HTTP content length exceeded 10485760 bytes"}"#;
        let kind = [("x-amzn-errortype", "RequestEntityTooLargeException")];
        return Ok((http::StatusCode::PAYLOAD_TOO_LARGE, kind, refusal).into_response());
    };
    match endpoint.request(http::Request::from_parts(parts, body.to_bytes())).await {
        Ok(response) => Ok(response.map(Body::from)),
        // An HTTP server cannot withhold its reply. The closest: a gateway's time-out, and a closed connection.
        Err(_) => {
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = http::StatusCode::GATEWAY_TIMEOUT;
            response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
            Ok(response)
        }
    }
}
