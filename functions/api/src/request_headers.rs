//! What a request is refused for by its headers alone, on every route:
//!
//! - A header that has one value is there twice (RFC 9110, section 5.3): the request says two things, and different programs on
//!   its way would believe different ones.
//! - The body is in a content coding (RFC 9110, section 15.5.16): Berth decodes none.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use berth_domain::Error;
use http::{HeaderMap, HeaderName, header};

use crate::problem::Problem;

/// The headers with one value that Berth, or a program in front of it, reads.
const SINGLE: [HeaderName; 8] = [
    header::ACCESS_CONTROL_REQUEST_METHOD,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::ORIGIN,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-request-id"),
];

/// Refuses such a request.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    match problem(request.headers()) {
        None => next.run(request).await,
        Some(problem) => problem.into_response(),
    }
}

/// What is wrong with these headers.
fn problem(headers: &HeaderMap) -> Option<Problem> {
    let twice = |name: &&HeaderName| headers.get_all(*name).iter().nth(1).is_some();
    if let Some(name) = SINGLE.iter().find(twice) {
        let message = format!("The header {name} is there more than once. Send it once.");
        return Some(Error::invalid("repeated_header", name.as_str(), message).into());
    }
    content_coding(headers).map(|coding| Problem::unsupported_coding(&coding))
}

/// The first coding in `Content-Encoding` that changes the body; `identity` does not (RFC 9110, section 8.4).
fn content_coding(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    let lines: Vec<String> = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
    let mut codings = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    codings.find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")).map(str::to_owned)
}
