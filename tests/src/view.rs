//! An environment as the API shows it: the members that the tests judge by. Reading one fails where a member is missing or
//! has another type, while an index into JSON (`view["urll"]`) would be `null` and pass.

use berth_domain::access::AccessKind;
use berth_domain::{ResourceKind, Status, Step};
use serde::Deserialize;
use serde_json::Value;

/// An environment. A member that may be `null` must be present too.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EnvironmentView {
    /// `env_…`.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// Where the service answers; only while it is `ready`.
    #[serde(deserialize_with = "Option::deserialize")]
    pub url: Option<String>,
    /// Who may reach it.
    pub access: AccessView,
    /// The steps of the operation under way, or of the last one.
    pub steps: Vec<StepView>,
    /// 0 to 100.
    pub progress: u64,
    /// When to look again; `None` when no operation is under way.
    #[serde(deserialize_with = "Option::deserialize")]
    pub retry_after_seconds: Option<u64>,
    /// Why provisioning failed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub failure: Option<FailureView>,
    /// What could not be removed; only while it is `cleanup_failed`.
    pub leftovers: Vec<LeftoverView>,
    /// Every resource that it has or had.
    pub resources: Vec<ResourceView>,
}

/// Who may reach an environment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AccessView {
    /// Its kind.
    pub kind: AccessKind,
    /// The ranges that are invited.
    pub cidrs: Vec<String>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StepView {
    /// Which step.
    pub name: Step,
    /// `pending`, `running`, `waiting`, `done` or `failed`.
    pub state: String,
    /// Why it waits or failed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub why: Option<String>,
    /// Its place among all that wait for a slot; `None` while it does not wait for one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub queue: Option<QueueView>,
}

/// A place in the queue of an AWS operation that the whole account shares a rate for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct QueueView {
    /// 1 is the next one.
    pub place: u64,
    /// When its slot comes.
    pub slot_at: jiff::Timestamp,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct FailureView {
    /// What failed, for programs.
    pub code: String,
    /// The step that failed.
    pub step: Step,
    /// Its cause in the table of causes, where it is known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub cause: Option<String>,
    /// What happened.
    pub message: String,
}

/// A resource that could not be removed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LeftoverView {
    /// Its kind.
    pub resource: ResourceKind,
    /// Its ARN or id, where known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub id: Option<String>,
    /// Why it is still there.
    #[serde(deserialize_with = "Option::deserialize")]
    pub why: Option<String>,
}

/// A resource that the environment has or had.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ResourceView {
    /// Its kind.
    pub resource: ResourceKind,
    /// Its ARN or id, where known.
    #[serde(deserialize_with = "Option::deserialize")]
    pub id: Option<String>,
    /// When its absence was verified; `None` while it is there.
    #[serde(deserialize_with = "Option::deserialize")]
    pub absent_at: Option<jiff::Timestamp>,
}

impl EnvironmentView {
    /// The environment that the API answered.
    ///
    /// # Panics
    /// When a member is missing or has another type.
    #[must_use]
    pub fn of(body: &Value) -> Self {
        Self::deserialize(body).unwrap_or_else(|error| panic!("{error}: {body:#}"))
    }

    /// Whether an operation is under way.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.retry_after_seconds.is_some()
    }
}
