//! `GET /environments`: the team's, newest first, page by page.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use berth_app::App;
use berth_domain::{EnvironmentId, Error, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those with this status.
    status: Option<Status>,
    /// How many at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// Where the last page ended: its `next_cursor`.
    #[param(value_type = Option<EnvironmentId>)]
    cursor: Option<String>,
}

/// Some of the team's environments.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnvironmentPage {
    /// The environments, newest first.
    environments: Vec<EnvironmentView>,
    /// Where the next page begins; `null` on the last one.
    next_cursor: Option<EnvironmentId>,
}

/// List your team's environments, newest first.
#[utoipa::path(get, path = "/environments", operation_id = "list_environments", tag = "environments",
    params(ListQuery),
    responses(
        (status = 200, description = "One page; `next_cursor` leads to the next.", body = EnvironmentPage),
        (status = 400, description = "A query parameter is unknown or out of its bounds."),
    ))]
pub(crate) async fn list_environments(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<EnvironmentPage>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = query.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(Error::invalid("invalid_request", "limit", "limit must be 1 to 100.").into());
    }
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let page = app.list(&caller, query.status, after.as_ref(), limit).await?;
    let now = app.clock.now();
    Ok(Json(EnvironmentPage {
        environments: page
            .environments
            .iter()
            .map(|environment| EnvironmentView::from_record(environment, &app, now, &base))
            .collect(),
        next_cursor: page.next,
    }))
}

/// What is wrong with a query string.
pub(super) fn wrong_query(rejection: &QueryRejection) -> Problem {
    type Placed = serde_path_to_error::Error<serde::de::value::Error>;
    let placed = std::iter::successors(Some(rejection as &dyn std::error::Error), |error| error.source())
        .find_map(|error| error.downcast_ref::<Placed>());
    let name: String = placed.iter().flat_map(|error| error.path().iter()).map(ToString::to_string).collect();
    let message = match placed {
        Some(error) if name.is_empty() => error.inner().to_string(),
        Some(error) => format!("{name}: {}", error.inner()),
        None => rejection.body_text(),
    };
    Error::invalid("invalid_request", name, format!("{message}.")).into()
}

fn read_cursor(cursor: &str) -> Result<EnvironmentId, Error> {
    cursor.parse().map_err(|_| {
        Error::invalid("invalid_cursor", "cursor", "cursor must be the next_cursor of an earlier page, unchanged.")
    })
}
