//! `GET /environments`: the team's, newest first, page by page.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use berth_app::App;
use berth_aws::store::Record;
use berth_domain::{EnvironmentId, Error, Status};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::EnvironmentView;

/// How many bytes the environments of a page have at most. Lambda's answer has at most 6 MB (docs/aws.md#quotas), and our body
/// stands in it as a JSON string, which takes up to two bytes for one.
const LARGEST_PAGE: usize = 2_900_000;

/// Which environments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// List only environments with this status; all when left out.
    status: Option<Status>,
    /// How many environments the page has at most, 1 to 100. A page of very large ones has fewer, and leads on.
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
    /// Environments of this page that the version of Berth that answers cannot read. They count for `limit`.
    unreadable: Vec<UnreadableView>,
    /// The `cursor` of the next page; `null` on the last one.
    next_cursor: Option<EnvironmentId>,
}

/// An environment whose record this version of Berth cannot read: usually a newer version wrote it. Its resources are left
/// alone, and every request for it is answered with 500 `record_unreadable` until an operator has deployed a version that can
/// read it.
#[derive(Serialize, ToSchema)]
#[schema(as = UnreadableEnvironment)]
pub(crate) struct UnreadableView {
    /// The environment's id.
    id: EnvironmentId,
    /// The environment's name; `null` when the item in the table does not have it either.
    name: Option<String>,
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
    let (mut environments, mut unreadable) = (Vec::new(), Vec::new());
    let (mut size, mut last) = (0, None);
    for record in page.records {
        let id = record.id().clone();
        match record {
            Record::Readable(environment) => {
                let view = EnvironmentView::from_record(&environment, &app, now, &base);
                size += serde_json::to_vec(&view).map_err(Error::internal)?.len();
                // A page has one environment at least, else no cursor would lead on.
                if size > LARGEST_PAGE && last.is_some() {
                    return Ok(Json(EnvironmentPage { environments, unreadable, next_cursor: last }));
                }
                environments.push(view);
            }
            Record::Unreadable(record) => unreadable.push(UnreadableView { id: record.id, name: record.name }),
        }
        last = Some(id);
    }
    Ok(Json(EnvironmentPage { environments, unreadable, next_cursor: page.next }))
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
