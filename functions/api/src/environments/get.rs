//! `GET /environments/{id}`.

use axum::extract::State;
use axum::response::Response;
use berth_app::App;
use berth_domain::EnvironmentId;
use http::StatusCode;

use super::{IdOf, NoQuery, answer};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// Get an environment.
///
/// While an operation is under way, `steps` says what each step does and `retry_after_seconds` when to get it again.
#[utoipa::path(get, path = "/environments/{id}", operation_id = "get_environment", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id.")),
    responses(
        (status = 200, description = "The environment.", body = EnvironmentView,
            headers(("Retry-After" = u64, description = "Look again after this many seconds; absent when no operation is under way."))),
    ))]
pub(crate) async fn get_environment(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    NoQuery: NoQuery,
    IdOf(id): IdOf,
) -> Result<Response, Problem> {
    let environment = app.get(&caller, &id).await?;
    Ok(answer(StatusCode::OK, EnvironmentView::from_record(&environment, &app, app.clock.now(), &base)))
}
