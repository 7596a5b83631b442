//! What the demo reads of the API's answers: only what it shows. `berth_api::representation` has all of it.

use berth_domain::Status;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// An environment.
#[derive(Deserialize)]
pub(super) struct Environment {
    pub id: String,
    pub status: Status,
    pub url: Option<String>,
    pub steps: Vec<Step>,
    pub progress: u8,
    pub retry_after_seconds: Option<u64>,
    pub failure: Option<Failure>,
    pub leftovers: Vec<Leftover>,
    pub next_attempt_at: Option<Timestamp>,
    pub resources: Vec<Resource>,
    pub updated_at: Timestamp,
}

/// A step of its operation.
#[derive(Deserialize)]
pub(super) struct Step {
    pub name: String,
    pub state: String,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub usual_seconds: u64,
}

/// Why its provisioning failed.
#[derive(Deserialize)]
pub(super) struct Failure {
    pub step: String,
    pub message: String,
    pub what_to_do: String,
    pub who: String,
    pub evidence: Vec<Evidence>,
}

/// What was seen of the failure.
#[derive(Deserialize)]
pub(super) struct Evidence {
    pub source: String,
    pub detail: String,
}

/// What could not be removed.
#[derive(Deserialize)]
pub(super) struct Leftover {
    pub resource: String,
    pub id: Option<String>,
    pub why: Option<String>,
}

/// A line of its receipt.
#[derive(Deserialize)]
pub(super) struct Resource {
    pub resource: String,
    pub absent_at: Option<Timestamp>,
}

/// An error of the API.
#[derive(Deserialize)]
pub(super) struct Problem {
    pub code: String,
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<Field>,
    pub request_id: Option<String>,
}

/// A bad place in a request.
#[derive(Deserialize)]
pub(super) struct Field {
    pub pointer: String,
    pub detail: String,
}

/// What the sample service says of the request that reached it.
#[derive(Deserialize)]
pub(super) struct Greeting {
    pub message: String,
    pub method: String,
    pub path: String,
}

/// `body` as JSON.
///
/// # Errors
/// One line that says what is not as the API's document has it.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the answer is not what Berth's API answers: {error}"))
}
