//! Who calls, and how it travels from the authorizer to the handlers: as the fields of API Gateway's authorizer context.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::Team;

/// Who calls, as the rest of Berth sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The person or machine.
    pub subject: String,
    /// Whose environments it may see and change.
    pub team: Team,
    /// What it may do beyond that.
    pub role: Role,
}

/// What a caller may do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::EnumString, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Its own team's environments.
    #[default]
    Member,
    /// Runs the deployment.
    Operator,
}

impl Caller {
    /// The caller as fields of the request context. All are strings: API Gateway takes no objects and no lists there.
    #[must_use]
    pub fn context(&self) -> Map<String, Value> {
        let Self { subject, team, role } = self;
        let fields =
            [("subject", subject.clone()), ("team", team.to_string()), ("role", <&str>::from(role).to_owned())];
        fields.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }

    /// The caller whose [`Caller::context`] has these fields, looked up by name; `None` when they name no caller.
    #[must_use]
    pub fn from_context<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let role = field("role")?.parse().ok()?;
        Some(Self { subject: field("subject")?.to_owned(), team: field("team")?.parse().ok()?, role })
    }
}
