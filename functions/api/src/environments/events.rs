//! `GET /environments/{id}/events`: what happened, oldest first, with a cursor that a poller keeps.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use berth_app::App;
use berth_domain::environment::EventKind;
use berth_domain::{EnvironmentId, Error};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::IdOf;
use super::list::wrong_query;
use crate::caller::CallerOf;
use crate::problem::Problem;

/// Which page of the events to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// How many events the page has at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before; left out for the first page.
    #[param(pattern = "^[0-9]{1,11}$")]
    cursor: Option<String>,
}

/// A page of an environment's events.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventPage {
    /// The events, oldest first.
    events: Vec<EventView>,
    /// The `cursor` of the next page. It is never `null`: keep it and ask again later for newer events.
    next_cursor: String,
    /// Whether the next page already has events.
    more: bool,
}

/// An event of an environment.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView {
    /// When Berth recorded the event.
    at: Timestamp,
    /// The subject (`sub`) of the token of the caller whose request did it; left out when Berth did it without a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The kind of event, in `type`, with its fields.
    #[serde(flatten)]
    kind: EventKind,
}

/// List what happened to an environment, oldest first.
///
/// `next_cursor` is always there: keep it and ask again for newer events.
#[utoipa::path(get, path = "/environments/{id}/events", operation_id = "list_environment_events", tag = "environments",
    params(("id" = EnvironmentId, Path, description = "The environment's id."), EventsQuery),
    responses(
        (status = 200, description = "One page of events.", body = EventPage),
        (status = 400, description = "A query parameter is unknown or out of its bounds."),
    ))]
pub(crate) async fn list_environment_events(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    IdOf(id): IdOf,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<EventPage>, Problem> {
    let Query(query) = query.map_err(|rejection| wrong_query(&rejection))?;
    let limit = query.limit.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(
            Error::invalid("invalid_request", "limit", "limit is out of its bounds. Set it to 1 to 100.").into()
        );
    }
    let after = match &query.cursor {
        None => 0,
        Some(cursor) => read_cursor(cursor).ok_or_else(|| {
            Error::invalid(
                "invalid_cursor",
                "cursor",
                "cursor is not one of Berth's. Send the next_cursor of an earlier page, unchanged.",
            )
        })?,
    };
    let page = app.events(&caller, &id, after, limit).await?;
    let last = page.events.last().map_or(after, |event| event.number);
    Ok(Json(EventPage {
        events: page
            .events
            .into_iter()
            .map(|event| EventView { at: event.at, by: event.by, kind: event.kind })
            .collect(),
        next_cursor: last.to_string(),
        more: page.more,
    }))
}

/// The number in a cursor: fewer digits than the store gives an event, so that one can be added.
fn read_cursor(cursor: &str) -> Option<u64> {
    let digits = (1..=11).contains(&cursor.len()) && cursor.bytes().all(|byte| byte.is_ascii_digit());
    if digits { cursor.parse().ok() } else { None }
}
