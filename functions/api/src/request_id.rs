//! The outermost layer: every answer carries `X-Request-Id` (the client's own, if it sent a sensible one), and a problem
//! carries it in its body too. The log has the gateway's id beside it: that one is in the access log, and no client chooses it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderValue, header};
use lambda_http::request::RequestContext;
use tracing::Instrument;

use crate::problem::Problem;

const HEADER: &str = "x-request-id";

pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let gateway_id = gateway_id(&request);
    let id = client_id(&request).or_else(|| gateway_id.clone());
    let span = tracing::info_span!("request", request_id = id.as_deref(), gateway_request_id = gateway_id.as_deref(), method = %request.method(), path = request.uri().path());
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = id.clone();
        let mut written = problem.render();
        // What was added to the answer on its way out stays: the `Allow` of a 405.
        for (name, value) in response.headers() {
            if *name != header::CONTENT_LENGTH && !written.headers().contains_key(name) {
                written.headers_mut().insert(name.clone(), value.clone());
            }
        }
        response = written;
    }
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

/// The id that the client sent, if it is a sensible one.
fn client_id(request: &Request) -> Option<String> {
    let sent = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let sensible = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    sent.filter(sensible).map(str::to_owned)
}

/// The id that API Gateway gave the request.
fn gateway_id(request: &Request) -> Option<String> {
    match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
        _ => None,
    }
}
