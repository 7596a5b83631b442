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

/// Which environments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// List only environments with this status; all when left out.
    status: Option<Status>,
    /// How many environments the page has at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before; left out for the first page.
    #[param(value_type = Option<EnvironmentId>)]
    cursor: Option<String>,
}

/// A page of the team's environments.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnvironmentPage {
    /// The environments, newest first.
    environments: Vec<EnvironmentView>,
    /// The `cursor` of the next page; `null` on the last one.
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
        return Err(
            Error::invalid("invalid_request", "limit", "limit is out of its bounds. Set it to 1 to 100.").into()
        );
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

/// The problem that names the wrong parameter of a query string.
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
        Error::invalid(
            "invalid_cursor",
            "cursor",
            "cursor is not one of Berth's. Send the next_cursor of an earlier page, unchanged.",
        )
    })
}
