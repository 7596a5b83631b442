//! `GET /findings`: the resources that the janitor's audit found in AWS and that no record explains, and the records that it
//! could not read. For operators.

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
    /// Each environment whose record the last audit could not read, except deleted ones. Berth leaves its resources alone.
    pub unreadable: Vec<UnreadableRecordView>,
}

/// An environment whose record this version of Berth cannot read: usually a newer version wrote it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = UnreadableRecord)]
pub struct UnreadableRecordView {
    /// The environment's id.
    pub environment: EnvironmentId,
    /// The environment's name; `null` when the item in the table does not have it either.
    pub name: Option<String>,
    /// The team that owns it.
    pub team: Team,
    /// When an audit first could not read it. The log of that time says why.
    pub found_at: Timestamp,
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

/// List the resources in AWS that no record explains, and the records that cannot be read.
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
    let (findings, unreadable) = app.findings(&caller).await?;
    let findings = findings.into_iter().map(|finding| FindingView {
        resource: finding.kind,
        id: finding.id,
        environment: finding.environment,
        team: finding.team,
        found_at: finding.found_at,
        remove_after: finding.remove_after,
        why: finding.why,
    });
    let unreadable = unreadable.into_iter().map(|record| UnreadableRecordView {
        environment: record.environment,
        name: record.name,
        team: record.team,
        found_at: record.found_at,
    });
    Ok(Json(Findings { findings: findings.collect(), unreadable: unreadable.collect() }))
}
