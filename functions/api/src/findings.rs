//! `GET /findings`: the resources that the janitor's audit found in AWS and that no record explains. For operators.

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

/// All findings of the janitor's audits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Findings {
    /// Each resource that no record explains.
    pub findings: Vec<FindingView>,
}

/// A resource with the deployment's tags that no record explains.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingView {
    /// The kind of AWS resource.
    pub resource: ResourceKind,
    /// Its ARN, or its id where AWS gives no ARN.
    pub id: String,
    /// The environment that its tags name.
    pub environment: EnvironmentId,
    /// The team that its tags name.
    pub team: Team,
    /// When an audit first found it.
    pub found_at: Timestamp,
    /// When the janitor may remove it.
    pub remove_after: Timestamp,
    /// Why the janitor could not remove it after that; `null` before, or when nothing went wrong.
    pub why: Option<String>,
}

/// List the resources in AWS that no record explains.
///
/// For operators. The janitor removes each one after `remove_after`. To keep a resource, remove its tag `berth:deployment`.
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
