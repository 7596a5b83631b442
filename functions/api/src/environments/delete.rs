//! `DELETE /environments/{id}`. The use case is in `functions/app/src/delete.rs`.

use axum::extract::State;
use axum::response::Response;
use berth_app::App;
use berth_domain::EnvironmentId;

use super::{IdOf, NoQuery, accepted};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// Delete an environment.
///
/// Works in every status, any number of times. Berth removes everything that the environment has in AWS; poll `links.self`
/// until `deleted`.
#[utoipa::path(delete, path = "/environments/{id}", operation_id = "delete_environment", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id.")),
    responses(
        (status = 202, description = "Recorded: the removal is under way, or everything is gone already.", body = EnvironmentView,
            headers(("Location" = String, description = "The environment's path."), ("Retry-After" = u64, description = "Look again after this many seconds; absent when everything is gone."))),
        (status = 502, description = "AWS refuses a call; `detail` says which and who can change that."),
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
