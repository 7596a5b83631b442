//! `/environments`: one file per operation, each read from top to bottom.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod events;
pub(crate) mod extend;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod retry;

use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Response};
use berth_domain::{EnvironmentId, Error};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// The id in the path. For text that cannot be an id there is no environment: 404.
pub(crate) struct IdOf(pub(crate) EnvironmentId);

impl<S: Send + Sync> FromRequestParts<S> for IdOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        // Refused is what is not UTF-8 behind its percent signs.
        let text = text.map_or_else(|_| "with this id".to_owned(), |Path(text)| text);
        Ok(Self(text.parse().map_err(|_| Error::no_environment(&text))?))
    }
}

/// No query parameters: what is not understood must not be ignored.
pub(crate) struct NoQuery;

impl<S: Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(query) => {
                let name = query.split(['=', '&']).next().unwrap_or_default();
                let message = format!("This operation has no query parameter {name:?}. Send it without a query.");
                Err(Error::invalid("invalid_request", name, message).into())
            }
        }
    }
}

/// An environment, with `Retry-After` while it moves.
fn answer(status: StatusCode, view: EnvironmentView) -> Response {
    let retry_after = view.retry_after_seconds;
    let mut response = (status, Json(view)).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The same, accepted: with the place to look at.
fn accepted(view: EnvironmentView) -> Response {
    let location = HeaderValue::from_str(&view.links.itself);
    let mut response = answer(StatusCode::ACCEPTED, view);
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
