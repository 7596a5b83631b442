//! `GET /findings`: what the janitor's audit found in AWS that no record explains. For operators.

use axum::Json;
use axum::extract::State;
use berth_app::App;
use berth_domain::{EnvironmentId, ResourceKind, Team};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::CallerOf;
use crate::environments::NoQuery;
use crate::problem::Problem;

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Findings {
    /// Each resource that no record explains.
    pub findings: Vec<FindingView>,
}

/// A resource with the deployment's tags that no record explains.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingView {
    /// What it is.
    pub resource: ResourceKind,
    /// Its ARN or id.
    pub id: String,
    /// The environment that its tags name.
    pub environment: EnvironmentId,
    /// The team that its tags name.
    pub team: Team,
    /// When it was first found.
    pub found_at: Timestamp,
    /// When it may be removed.
    pub remove_after: Timestamp,
    /// Why it is still there after that.
    pub why: Option<String>,
}

/// List what no record explains.
///
/// For operators. What is listed here is removed by the janitor after `remove_after`; to keep something, take its tag
/// `berth:deployment` away.
#[utoipa::path(get, path = "/findings", operation_id = "list_findings", tag = "operations",
    responses(
        (status = 200, description = "All findings.", body = Findings),
        (status = 403, description = "Operator role required."),
    ))]
pub(crate) async fn list_findings(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    NoQuery: NoQuery,
) -> Result<Json<Findings>, Problem> {
    let findings = app.findings(&caller).await?.into_iter().map(|finding| FindingView {
        resource: finding.kind,
        id: finding.id,
        environment: finding.environment,
        team: finding.team,
        found_at: finding.found_at,
        remove_after: finding.remove_after,
        why: finding.why,
    });
    Ok(Json(Findings { findings: findings.collect() }))
}
