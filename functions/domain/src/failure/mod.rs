//! Why provisioning failed, and what to do about it. `evidence` holds what was seen, `causes` recognises the known causes
//! (`table` lists them), `log_hints` reads where a program says that it listens.
//!
//! How evidence is collected is in `functions/worker/src/evidence.rs`.

pub mod causes;
pub mod evidence;
pub mod log_hints;
mod table;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use evidence::{Evidence, Observation, Source};

use crate::ids::EnvironmentId;
use crate::masking::masked;
use crate::step::Step;

/// Why provisioning failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// A stable word for programs.
    pub code: String,
    /// The step that failed.
    pub step: Step,
    /// What happened, in AWS's words where AWS said it.
    pub message: String,
    /// What was seen before anything was undone.
    pub evidence: Vec<Evidence>,
    /// The cause, where it is known: a stable word of the table in `docs/failures.md`.
    pub cause: Option<String>,
    /// What to do next.
    pub what_to_do: String,
    /// Who can do it.
    pub who: Who,
}

/// Who can fix a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Who {
    /// The team that asked for the environment: it is in the task definition, the program or the request.
    Caller,
    /// The people who run Berth and its AWS account: it is in permissions, quotas or networks.
    Operator,
    /// AWS: it usually passes, so try again.
    Aws,
}

/// What to do about a cause that is not in the table.
const UNKNOWN: &str = "Berth does not know this cause. `message` and `evidence` are AWS's own words: read them, then {retry}. If it fails again, give the operators the id {id}.";
/// What `{retry}` stands for in an advice.
pub const RETRY: &str = "retry it (`POST /environments/{id}/retry`)";
/// What it stands for after the last attempt.
const LAST_ATTEMPT: &str = "delete this environment and create a new one";

impl Failure {
    /// Why provisioning of environment `id` failed at `step`, with its cause as far as it is known.
    #[must_use]
    pub fn diagnosed(id: &EnvironmentId, step: Step, code: String, message: String, evidence: Vec<Evidence>) -> Self {
        let message = masked(&message);
        let cause = causes::diagnose(step, &code, &message, &evidence);
        let mut failure = Self {
            code,
            step,
            message,
            evidence,
            cause: cause.map(|cause| cause.name.to_owned()),
            what_to_do: String::new(),
            who: cause.map_or(Who::Operator, |cause| cause.who),
        };
        failure.what_to_do = failure.advice(RETRY, id);
        failure
    }

    /// Changes the advice: no retry is left after the last of `attempts`.
    pub fn advise_without_retry(&mut self, id: &EnvironmentId, attempts: u32) {
        self.what_to_do =
            format!("All {attempts} attempts of this environment are used. {}", self.advice(LAST_ATTEMPT, id));
    }

    fn advice(&self, retry: &str, id: &EnvironmentId) -> String {
        let cause = causes::CAUSES.iter().find(|cause| Some(cause.name) == self.cause.as_deref());
        let advice = cause.map_or(UNKNOWN, |cause| cause.what_to_do);
        advice.replace("{retry}", retry).replace("{id}", &id.to_string())
    }
}
