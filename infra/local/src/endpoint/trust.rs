//! Which requests the AWS port answers. It asks no signature, so a web page in this machine's browser must not reach it: neither
//! one of another origin, nor one whose host name was made to lead here (DNS rebinding), nor an environment's page.
//!
//! One exception: pages of the API's port may fetch from the issuer.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::issuer;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The names of this machine that no DNS server decides.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The ports of a running system.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The AWS endpoint's own.
    pub aws: u16,
    /// The API's; `None` where there is no API.
    pub api: Option<u16>,
}

/// `router`, for requests that no foreign page has sent.
pub fn guard(router: Router, ports: Ports) -> Router {
    router.layer(axum::middleware::from_fn_with_state(ports, check))
}

/// Whether the request names this machine, or a REST API on it, as its host.
#[must_use]
pub fn names_execute_api(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // No DNS server decides about the names below `localhost` (RFC 6761, section 6.3).
    names_loopback(headers) || host.is_some_and(|host| without_port(host).ends_with(".execute-api.localhost"))
}

/// Whether the request names this machine as its host.
#[must_use]
pub fn names_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    hosts.next().is_none() && host.is_some_and(|host| is_loopback(without_port(host)))
}

async fn check(State(ports): State<Ports>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !names_loopback(headers) || request.uri().host().is_some_and(|host| !is_loopback(host)) {
        return refuse(format!(
            "The request names another host than this machine. Send it to http://127.0.0.1:{} or http://localhost:{}.",
            ports.aws, ports.aws
        ));
    }
    let is_preflight = request.method() == Method::OPTIONS;
    let of_issuer = issuer::is_route(request.uri().path()) && (is_preflight || request.method() == Method::GET);
    match origin(headers, ports) {
        Origin::Own => next.run(request).await,
        Origin::Api(origin) if of_issuer => {
            let answer = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
            readable_by(answer, origin)
        }
        Origin::Api(_) | Origin::Foreign => refuse(
            "A web page of another origin sent this request. The AWS port serves programs of this machine; open no page to it."
                .to_owned(),
        ),
    }
}

/// Where a request comes from.
enum Origin {
    /// No page, or a page of this port.
    Own,
    /// A page of the API's port.
    Api(HeaderValue),
    /// A page of anything else.
    Foreign,
}

fn origin(headers: &HeaderMap, ports: Ports) -> Origin {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (first, second) = (origins.next(), origins.next());
    match (first, second) {
        // A browser sends no Origin with some requests, but says that another site caused them.
        (None, _) => match headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
            None | Some(b"none" | b"same-origin") => Origin::Own,
            Some(_) => Origin::Foreign,
        },
        (Some(origin), None) if is_of(origin, ports.aws) => Origin::Own,
        (Some(origin), None) if ports.api.is_some_and(|port| is_of(origin, port)) => Origin::Api(origin.clone()),
        (Some(_), _) => Origin::Foreign,
    }
}

/// Whether `origin` is a page's of this machine's `port`.
fn is_of(origin: &HeaderValue, port: u16) -> bool {
    let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
    host.is_some_and(|host| LOOPBACK.iter().any(|name| host == format!("{name}:{port}")))
}

fn is_loopback(host: &str) -> bool {
    LOOPBACK.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// `127.0.0.1:4566` without its port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

fn readable_by(mut answer: Response, origin: HeaderValue) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    answer
}

fn refuse(message: String) -> Response {
    (StatusCode::FORBIDDEN, Json(json!({"message": message}))).into_response()
}
