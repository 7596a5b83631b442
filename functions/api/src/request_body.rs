//! The body of a request as its sender wrote it: not larger than allowed, and in no content coding. What it says is read in
//! `functions/domain/src/request`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, header};

use crate::problem::Problem;

/// The body of a request.
pub(crate) struct RequestBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RequestBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if let Some(coding) = content_coding(request.headers()) {
            return Err(Problem::unsupported_coding(&coding));
        }
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|rejection| Problem::unreadable_body(rejection.status()))
    }
}

/// The first coding in `Content-Encoding` that changes the body; `identity` does not (RFC 9110, section 8.4).
fn content_coding(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    let lines: Vec<String> = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
    let mut codings = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    codings.find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")).map(str::to_owned)
}
