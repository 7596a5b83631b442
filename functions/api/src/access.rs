//! What a caller sees of an environment's access: who may reach the URL, in words, and a command that requests it.

use berth_domain::access::{Access, AccessKind, Cidr};
use serde::Serialize;
use utoipa::ToSchema;

/// Who may reach an environment's URL, and how to request it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EnvironmentAccess)]
pub struct AccessView {
    /// The kind of access.
    pub kind: AccessKind,
    /// The ranges whose addresses may send requests; empty unless `kind` is `cidrs`.
    pub cidrs: Vec<Cidr>,
    /// Who may reach the URL, for people.
    pub who: &'static str,
    /// A shell command that requests the URL; `null` as long as `url` is.
    pub example: Option<String>,
}

impl AccessView {
    /// What a caller sees of `access` to `url`, whose REST API is in `region`.
    pub(crate) fn of(access: &Access, url: Option<&str>, region: &str) -> Self {
        Self {
            kind: access.kind(),
            cidrs: access.cidrs().to_vec(),
            who: match access {
                Access::Iam => {
                    "Principals of the AWS account whose policies permit `execute-api:Invoke` on this REST API. Requests carry a SigV4 signature."
                }
                Access::Cidrs { .. } => "Clients whose public address is in one of `cidrs`.",
                Access::Open => "Every client on the internet that knows the URL.",
            },
            example: url.map(|url| example(access, url, region)),
        }
    }
}

/// Without a session token there must be no such header: curl 7.88 signs an empty one and does not send it.
fn example(access: &Access, url: &str, region: &str) -> String {
    match access {
        Access::Iam => format!(
            "curl --aws-sigv4 aws:amz:{region}:execute-api --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" \
             ${{AWS_SESSION_TOKEN:+-H \"x-amz-security-token: $AWS_SESSION_TOKEN\"}} '{url}/'"
        ),
        Access::Cidrs { .. } | Access::Open => format!("curl '{url}/'"),
    }
}
