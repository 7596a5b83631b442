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
use berth_domain::{Environment, EnvironmentId, Error};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// The id in the path. Text that cannot be one is an environment that nobody has.
pub(crate) struct IdOf(pub(crate) EnvironmentId);

impl<S: Send + Sync> FromRequestParts<S> for IdOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        // Refused is what is not UTF-8 behind its percent signs.
        let text = text.map_or_else(|_| "with this id".to_owned(), |Path(text)| text);
        Ok(Self(text.parse()?))
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
                let message = format!("{name:?} is no parameter of this operation; it takes none in the query.");
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

/// The record says what is to be done, but no execution does it yet: says so, and what to do.
fn not_started(environment: &Environment, error: Error) -> Error {
    let message = format!(
        "What you asked of {} is recorded, but its workflow could not be started yet; Berth tries again every few minutes. To have it at once, send the same request again (a creation with the same Idempotency-Key).",
        environment.id
    );
    match error {
        Error::Unavailable { cause, .. } | Error::Throttled { cause, .. } => Error::unavailable(message, cause),
        Error::Refused { code, message: why } => Error::Refused { code, message: format!("{why} {message}") },
        other => other,
    }
}
