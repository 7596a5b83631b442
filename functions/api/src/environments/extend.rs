//! `POST /environments/{id}/extend`. The use case is in `functions/app/src/extend.rs`.

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use berth_app::App;
use berth_domain::EnvironmentId;
use berth_domain::request::ExtendRequest;
use http::StatusCode;

use super::{IdOf, NoQuery, answer};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// Let an environment live longer.
///
/// It lives for `ttl` from now on, never for less than it was going to; so the call may be repeated. Only an environment with
/// a lifetime that is not going away can be extended.
#[utoipa::path(post, path = "/environments/{id}/extend", operation_id = "extend_environment", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id.")),
    request_body = ExtendRequest,
    responses(
        (status = 200, description = "The environment, with its `expires_at`.", body = EnvironmentView,
            headers(("Retry-After" = u64, description = "When to look again, in seconds; absent when nothing moves."))),
        (status = 400, description = "The request is wrong in itself.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Your team has no such environment.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is going away, or has no lifetime.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn extend_environment(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    NoQuery: NoQuery,
    IdOf(id): IdOf,
    body: Result<axum::body::Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| Problem::unreadable_body(rejection.status()))?;
    let ExtendRequest { ttl } = ExtendRequest::read(&body)?;
    let environment = app.extend(&caller, &id, ttl).await?;
    Ok(answer(StatusCode::OK, EnvironmentView::from_record(&environment, &app, app.clock.now(), &base)))
}
