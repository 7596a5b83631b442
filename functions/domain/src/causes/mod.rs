//! Known causes why provisioning fails, and how one is recognised in AWS's words. The one table of them, with what to do
//! and who can do it, is `table`; `docs/failures.md` says the same to readers, and a contract test compares the two.
//!
//! What is not in the table is shown raw: message and evidence stay as they were seen. How evidence is gathered is in
//! `functions/worker/src/evidence.rs`.

mod table;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::environment::{Evidence, Failure};
use crate::evidence::LOG;
use crate::ids::EnvironmentId;
use crate::listening::{Listening, listening};
use crate::step::Step;

pub use table::CAUSES;

/// Who can mend a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Whoever asked for the environment: it is in the task definition, the program or the request.
    Caller,
    /// Whoever runs Berth and its AWS account: permissions, quotas, networks.
    #[default]
    Operator,
    /// AWS: it usually passes, so try again.
    Aws,
}

impl Who {
    /// The word that stands in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Operator => "operator",
            Self::Aws => "aws",
        }
    }
}

/// A known cause.
pub struct Cause {
    /// A stable word for programs.
    pub word: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do next; `{id}` stands for the environment's id.
    pub what_to_do: &'static str,
    /// Who can do it.
    pub who: Who,
    shows: fn(&Seen) -> bool,
}

/// What to do about a cause that is not in the table.
const UNKNOWN: &str = "Berth does not know this cause; `message` and `evidence` are AWS's own words. Try again with `POST /environments/{id}/retry`; if it fails again, give the operators the id {id}.";

/// The first cause of the table that shows in a failure of `step`.
#[must_use]
pub fn diagnose(step: Step, code: &str, message: &str, evidence: &[Evidence]) -> Option<&'static Cause> {
    let seen = Seen { step, code, message, evidence };
    CAUSES.iter().find(|cause| (cause.shows)(&seen))
}

impl Failure {
    /// Why provisioning of environment `id` failed at `step`, with its cause as far as it is known.
    #[must_use]
    pub fn diagnosed(id: &EnvironmentId, step: Step, code: String, message: String, evidence: Vec<Evidence>) -> Self {
        let cause = diagnose(step, &code, &message, &evidence);
        let what_to_do = cause.map_or(UNKNOWN, |cause| cause.what_to_do).replace("{id}", &id.to_string());
        let who = cause.map_or(Who::Operator, |cause| cause.who);
        Self { code, step, message, evidence, cause: cause.map(|cause| cause.word.to_owned()), what_to_do, who }
    }
}

/// A failure to be recognised.
struct Seen<'a> {
    step: Step,
    code: &'a str,
    message: &'a str,
    evidence: &'a [Evidence],
}

impl Seen<'_> {
    /// What was read at `source`.
    fn at<'b>(&'b self, source: &'b str) -> impl Iterator<Item = &'b str> {
        self.evidence.iter().filter(move |entry| entry.source == source && entry.is_read()).map(|entry| &*entry.detail)
    }

    /// Whether one of `texts` was read at `source`.
    fn says(&self, source: &str, texts: &[&str]) -> bool {
        self.at(source).any(|detail| has_one(detail, texts))
    }

    /// Whether ECS says one of `texts` of the service or its stopped tasks. A proof that fails while all tasks run is not
    /// for a task that stopped before.
    fn tasks(&self, texts: &[&str]) -> bool {
        let all_run = self.step == Step::EnsureReachable && self.says("service", &["all tasks are running"]);
        !all_run && (self.says("stopped_task", texts) || self.says("service_event", texts))
    }

    /// Whether the message, which carries AWS's refusal or what was waited for, has one of `texts`.
    fn told(&self, texts: &[&str]) -> bool {
        has_one(self.message, texts)
    }

    /// Whether the load balancer's health checks of the tasks fail.
    fn is_unhealthy(&self) -> bool {
        self.says("target_health", &["Target.FailedHealthChecks", "Target.ResponseCodeMismatch", "Target.Timeout"])
            || self.tasks(&["failed ELB health checks", "is unhealthy in (target-group"])
    }

    /// Where the programs say that they listen.
    fn listens(&self) -> impl Iterator<Item = Listening> {
        self.at(LOG).filter_map(listening)
    }

    /// Whether the load balancer expects the service on `port`: `target_health` begins with `address:port: `.
    fn expects(&self, port: u16) -> bool {
        self.at("target_health").any(|detail| {
            let target = detail.split(": ").next().unwrap_or_default();
            target.rsplit(':').next() == Some(&*port.to_string())
        })
    }
}

fn has_one(text: &str, texts: &[&str]) -> bool {
    texts.iter().any(|part| text.contains(part))
}
