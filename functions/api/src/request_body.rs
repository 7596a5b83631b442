//! The body of a request, not larger than allowed. What it says is read in `functions/domain/src/request`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};

use crate::problem::Problem;

/// The body of a request.
pub(crate) struct RequestBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RequestBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|rejection| Problem::unreadable_body(rejection.status()))
    }
}
