//! `GET /healthz`: whether this process answers. It calls no other service, so that a throttled table does not look like a dead
//! API.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::environments::NoQuery;

/// The API answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(examples("ok"))]
    status: &'static str,
    /// The version of Berth that answers.
    version: &'static str,
}

/// Whether the API answers.
#[utoipa::path(get, path = "/healthz", operation_id = "check_health", tag = "service", security(()),
    responses(
        (status = 200, description = "The API answers.", body = Health),
    ))]
pub(crate) async fn check_health(NoQuery: NoQuery) -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}
