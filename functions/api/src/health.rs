//! `GET /healthz`: whether the API answers. On AWS, API Gateway gives this answer itself (`HealthzGet` in
//! `infra/template.yaml`), so that strangers cannot use up the function; embedded, it is given here. It calls no other
//! service, and like API Gateway it does not look at the query.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

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
pub(crate) async fn check_health() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}
