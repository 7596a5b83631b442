//! `DELETE /environments/{id}`. The use case is in `functions/app/src/delete.rs`.

use axum::extract::State;
use axum::response::Response;
use berth_app::App;
use berth_domain::EnvironmentId;

use super::{IdOf, NoQuery, accepted};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// Take an environment away.
///
/// In any status, any number of times. Everything it has in AWS is removed; poll `links.self` until `deleted`.
#[utoipa::path(delete, path = "/environments/{id}", operation_id = "delete_environment", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id.")),
    responses(
        (status = 202, description = "Recorded; the workflow is under way, or everything is gone already.", body = EnvironmentView,
            headers(("Location" = String, description = "Where to look."), ("Retry-After" = u64, description = "When to look, in seconds; absent when everything is gone."))),
        (status = 400, description = "There is a query parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Your team has no such environment.", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "AWS refuses.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_environment(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    NoQuery: NoQuery,
    IdOf(id): IdOf,
) -> Result<Response, Problem> {
    let environment = app.delete(&caller, &id).await?;
    Ok(accepted(EnvironmentView::from_record(&environment, &app, app.clock.now(), &base)))
}
