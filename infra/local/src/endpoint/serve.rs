//! The endpoint over HTTP: one router for the AWS API and one for the environments, which has the address of each connection.
//! They are two listeners, so that no page of an environment has the origin of the AWS API.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::trust;
use crate::endpoint::Endpoint;
use crate::stand_in::apigateway::{self, SourceIp};

/// More than API Gateway's payload limit (10 MB), so that the gateway can refuse with its own error.
const LARGEST_BODY: usize = 12 * 1024 * 1024;

/// The AWS API.
pub fn aws_api(endpoint: Endpoint) -> Router {
    Router::new().fallback(answer_call).with_state(endpoint)
}

/// The stages of the REST APIs, which AWS serves on `execute-api`.
pub fn execute_api(endpoint: Endpoint) -> Router {
    Router::new().fallback(answer_client).with_state(endpoint)
}

async fn answer_call(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match received(body).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    match endpoint.call(http::Request::from_parts(parts, body)).await {
        Ok(response) => response.map(Body::from),
        // An HTTP server cannot withhold its reply. The closest: a gateway's time-out, and a closed connection.
        Err(_) => closing(StatusCode::GATEWAY_TIMEOUT),
    }
}

async fn answer_client(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() {
        let source = SourceIp(peer.ip());
        parts.extensions.insert(source);
    }
    // As on AWS, a host that is no API of the account's has no stages.
    let ours = trust::names_execute_api(&parts.headers);
    let body = match received(body).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let request = http::Request::from_parts(parts, body);
    let answer = if ours { endpoint.invoke(request).await } else { None };
    answer.unwrap_or_else(apigateway::forbidden).map(Body::from)
}

/// The whole body, or the answer to one that is too large or does not arrive.
async fn received(body: Body) -> Result<Bytes, Response> {
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let refusal = r#"{"message":"HTTP content length exceeded 10485760 bytes"}"#;
            let kind = [("x-amzn-errortype", "RequestEntityTooLargeException")];
            Err((StatusCode::PAYLOAD_TOO_LARGE, kind, refusal).into_response())
        }
        Err(_) => Err(closing(StatusCode::REQUEST_TIMEOUT)),
    }
}

fn closing(status: StatusCode) -> Response {
    (status, [(header::CONNECTION, "close")]).into_response()
}
