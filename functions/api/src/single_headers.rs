//! Headers that have one value (RFC 9110, section 5.3): a request that has such a header twice says two things, and different
//! programs on its way would believe different ones.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use berth_domain::Error;
use http::{HeaderName, header};

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

/// Refuses a request that has one of them twice.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let twice = |name: &&HeaderName| request.headers().get_all(*name).iter().nth(1).is_some();
    match SINGLE.iter().find(twice) {
        None => next.run(request).await,
        Some(name) => {
            let message = format!("The header {name} is there more than once. Send it once.");
            Problem::from(Error::invalid("repeated_header", name.as_str(), message)).into_response()
        }
    }
}
