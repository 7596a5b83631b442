//! `POST /environments/{id}/extend`. The use case is in `functions/app/src/extend.rs`.

use axum::extract::State;
use axum::response::Response;
use berth_app::App;
use berth_domain::EnvironmentId;
use berth_domain::request::ExtendRequest;
use http::StatusCode;

use super::{IdOf, NoQuery, answer};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;
use crate::request_body::RequestBody;

/// Extend an environment's lifetime.
///
/// The environment lives for `ttl` from now on, never for less than before, so the call can be repeated. An environment
/// without a lifetime, or one that is being deleted, cannot be extended.
#[utoipa::path(post, path = "/environments/{id}/extend", operation_id = "extend_environment", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id.")),
    request_body = ExtendRequest,
    responses(
        (status = 200, description = "The environment, with its `expires_at`.", body = EnvironmentView,
            headers(("Retry-After" = u64, description = "Look again after this many seconds; absent when no operation is under way."))),
        (status = 400, description = "The body is not JSON or breaks a rule; `errors` lists each bad place."),
        (status = 409, description = "The environment is being deleted, or has no lifetime."),
    ))]
pub(crate) async fn extend_environment(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    NoQuery: NoQuery,
    IdOf(id): IdOf,
    RequestBody(body): RequestBody,
) -> Result<Response, Problem> {
    let ExtendRequest { ttl } = ExtendRequest::read(&body)?;
    let environment = app.extend(&caller, &id, ttl).await?;
    Ok(answer(StatusCode::OK, EnvironmentView::from_record(&environment, &app, app.clock.now(), &base)))
}
