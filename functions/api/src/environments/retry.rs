//! `POST /environments/{id}/retry`. The use case is in `functions/app/src/retry.rs`.

use axum::extract::State;
use axum::response::Response;
use berth_app::App;
use berth_domain::EnvironmentId;

use super::{IdOf, NoQuery, accepted};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// Try again.
///
/// A `failed` environment is provisioned anew, under its id and with the same pinned task definition; of a `cleanup_failed`
/// one the removal is tried again. While an operation is under way, nothing changes.
#[utoipa::path(post, path = "/environments/{id}/retry", operation_id = "retry_environment", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id.")),
    responses(
        (status = 202, description = "Recorded; the workflow is under way.", body = EnvironmentView,
            headers(("Location" = String, description = "Where to look."), ("Retry-After" = u64, description = "When to look, in seconds."))),
        (status = 400, description = "There is a query parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Your team has no such environment.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is ready or deleted: there is nothing to try again; or it was tried 20 times.", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "AWS refuses.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn retry_environment(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    NoQuery: NoQuery,
    IdOf(id): IdOf,
) -> Result<Response, Problem> {
    let environment = app.retry(&caller, &id).await?;
    Ok(accepted(EnvironmentView::from_record(&environment, &app, app.clock.now(), &base)))
}
