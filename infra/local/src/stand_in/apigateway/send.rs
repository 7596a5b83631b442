//! The HTTP of the data path: one HTTP/1.1 request through the load balancer to the service, and its response.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::gateway_response::GatewayResponse;
use super::headers;
use super::matching::literal;
use super::model::Integration;
use crate::stand_in::net::{Address, Net};

/// API Gateway's limit for a payload, in both directions.
pub const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// A request on its way to the service.
pub struct Outgoing {
    pub address: Address,
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The caller's `Accept`.
    pub accept: Option<HeaderValue>,
    /// How long the service may take (AWS time).
    pub timeout: Duration,
    pub clock: berth_domain::Clock,
    pub integration: Integration,
    pub binary_media_types: Vec<String>,
}

/// Sends the request and waits for the response, at most as long as the integration may take.
pub async fn send(net: &Net, outgoing: Outgoing) -> Result<Response<Bytes>, GatewayResponse> {
    let (clock, timeout) = (outgoing.clock.clone(), outgoing.timeout);
    tokio::select! {
        answer = exchange(net, outgoing) => answer,
        () = clock.sleep_limit(timeout) => Err(GatewayResponse::TIMED_OUT),
    }
}

async fn exchange(net: &Net, outgoing: Outgoing) -> Result<Response<Bytes>, GatewayResponse> {
    let Outgoing { address, method, target, mut headers, body, accept, integration, binary_media_types, .. } = outgoing;
    let passes = integration.r#type == "HTTP_PROXY" || integration.passthrough_behavior != "NEVER";
    if !passes && !body.is_empty() {
        // No template fits the body, and it may not pass: AWS answers 415, with no call to the service.
        return Err(GatewayResponse::UNSUPPORTED_MEDIA);
    }
    let body = as_text(body, &[headers.get(header::CONTENT_TYPE)], &binary_media_types);
    let stream = net.connect(&address).await.map_err(|_| GatewayResponse::NETWORK)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| GatewayResponse::NETWORK)?;
    // Dropped with this future, so that a time-out closes the connection.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    if body.is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
        // A body that is expected and empty is announced as such (docs/aws.md#headers-on-the-way).
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().map_err(|_| GatewayResponse::INTERNAL)?;
    *request.headers_mut() = headers;
    // A load balancer without a registered target closes the connection before any response, which gives 500; so does a
    // service that does the same. Once a response has begun, its end is a network error.
    let answer = sender.send_request(request).await.map_err(|_| GatewayResponse::INTERNAL)?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { GatewayResponse::INTERNAL } else { GatewayResponse::NETWORK }
    })?;
    let media = [parts.headers.get(header::CONTENT_TYPE), accept.as_ref()];
    let body = as_text(body.to_bytes(), &media, &binary_media_types);
    if integration.r#type != "HTTP_PROXY" {
        return by_integration_response(&integration, parts.status.as_str(), &parts.headers, Some(body));
    }
    let mut response = Response::new(body);
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers::to_caller(&parts.headers);
    Ok(response)
}

/// The response of a non-proxy integration: the integration response for the service's status, or the default one.
pub fn by_integration_response(
    integration: &Integration,
    status: &str,
    from_service: &HeaderMap,
    body: Option<Bytes>,
) -> Result<Response<Bytes>, GatewayResponse> {
    let responses = || integration.integration_responses.values();
    let chosen = responses()
        .find(|response| response.selection_pattern.as_deref() == Some(status))
        .or_else(|| responses().find(|response| response.selection_pattern.is_none()))
        .ok_or(GatewayResponse::INTERNAL)?;
    let template = chosen.response_templates.iter().next();
    let (media, body) = match (template, body) {
        (Some((media, text)), _) => (HeaderValue::from_str(media).ok(), Bytes::from(text.clone())),
        (None, body) => (from_service.get(header::CONTENT_TYPE).cloned(), body.unwrap_or_default()),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_bytes(chosen.status_code.as_bytes()).map_err(|_| GatewayResponse::INTERNAL)?;
    let media = media.unwrap_or(HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    for (target, source) in &chosen.response_parameters {
        let name = target.strip_prefix("method.response.header.").and_then(|name| name.parse::<HeaderName>().ok());
        let name = name.and_then(headers::set_for_caller);
        let value = match literal(source) {
            Some(text) => HeaderValue::from_str(text).ok(),
            None => {
                source.strip_prefix("integration.response.header.").and_then(|name| from_service.get(name)).cloned()
            }
        };
        if let (Some(name), Some(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// A body is treated as text, and bytes that are no text are lost, unless its type is one of the API's binary media
/// types.
fn as_text(body: Bytes, media: &[Option<&HeaderValue>], binary: &[String]) -> Bytes {
    let types = media.iter().flatten().filter_map(|value| value.to_str().ok()).map(first_type);
    if types.into_iter().any(|media| binary.iter().any(|known| known == media))
        || binary.iter().any(|known| known == "*/*")
    {
        return body;
    }
    match String::from_utf8_lossy(&body) {
        std::borrow::Cow::Borrowed(_) => body,
        std::borrow::Cow::Owned(text) => Bytes::from(text),
    }
}

fn first_type(header: &str) -> &str {
    header.split([',', ';']).next().unwrap_or(header).trim()
}
