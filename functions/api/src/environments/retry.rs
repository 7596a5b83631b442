//! `POST /environments/{id}/retry`. The use case is in `functions/app/src/retry.rs`.

use axum::extract::State;
use axum::response::Response;
use berth_app::App;
use berth_domain::EnvironmentId;

use super::{IdOf, NoQuery, accepted};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// Retry a failed operation.
///
/// Berth provisions a `failed` environment again, with the same id and pinned task definition, and retries the removal of a
/// `cleanup_failed` one. While an operation is under way, nothing changes.
#[utoipa::path(post, path = "/environments/{id}/retry", operation_id = "retry_environment", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id.")),
    responses(
        (status = 202, description = "Recorded: the workflow is under way.", body = EnvironmentView,
            headers(("Location" = String, description = "The environment's path."), ("Retry-After" = u64, description = "Look again after this many seconds."))),
        (status = 409, description = "The environment is ready or deleted, so there is nothing to retry; or all 20 attempts are used."),
        (status = 502, description = "AWS refuses a call; `detail` says which and who can change that."),
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
