//! What is kept of what was seen of a failure: short lines, and little enough of them in all for the record (a DynamoDB
//! item has at most 400 KB, docs/aws.md#dynamodb). Where evidence comes from is in `functions/worker/src/evidence.rs`; what
//! follows from it, in `causes`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::masking::{masked, masked_lines};

/// The most that one entry holds, in bytes.
const ENTRY: usize = 600;
/// The most that one line of a program's log holds, in bytes.
const LOG_LINE: usize = 300;
/// The most that all entries of one failure hold, in bytes.
const ALL: usize = 16_000;

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// Where it was seen.
    pub source: Source,
    /// In AWS's words; in the program's own where the source is `log`.
    pub detail: String,
    /// What Berth concluded from it, where it concluded something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
}

/// Where evidence was seen.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Source {
    /// The ECS service.
    Service,
    /// A task of it that stopped.
    StoppedTask,
    /// An event that ECS reports of it.
    ServiceEvent,
    /// The load balancer's health check of one target.
    TargetHealth,
    /// A line that a container wrote.
    Log,
    /// The load balancer.
    LoadBalancer,
    /// The VPC link.
    VpcLink,
    /// The answer to the proving request.
    Gateway,
    /// The collection of evidence itself.
    Evidence,
}

/// What Berth concluded from what it saw: a stable word for programs, so that no decision depends on a message's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// The source could not be read; `detail` says why.
    Unread,
    /// As many tasks of the service run as should.
    AllTasksRunning,
    /// The service itself answered the proving request with 500 or above.
    ServiceError,
    /// API Gateway does not serve the stage yet.
    StageNotServed,
    /// API Gateway refused Berth's own proving request.
    ProofRefused,
    /// API Gateway answered, because it could not reach the service.
    ServiceUnreachable,
    /// The proving request got no answer at all.
    NoAnswer,
}

impl Evidence {
    /// `detail` as it was seen at `source`, without its secrets, cut to what is kept.
    #[must_use]
    pub fn new(source: Source, detail: impl Into<String>) -> Self {
        Self { source, detail: cut(masked(&detail.into()), ENTRY), observation: None }
    }

    /// The same, with what Berth concluded from it.
    #[must_use]
    pub fn observed(self, observation: Option<Observation>) -> Self {
        Self { observation, ..self }
    }

    /// Lines that `container` wrote one after the other, without their secrets.
    pub fn log_lines(container: &str, lines: &[String]) -> impl Iterator<Item = Self> {
        let detail = move |line| cut(format!("container {container}: {line}"), LOG_LINE);
        let evidence = move |line| Self { source: Source::Log, detail: detail(line), observation: None };
        masked_lines(lines).into_iter().map(evidence)
    }

    /// What stands at `source` could not be read.
    #[must_use]
    pub fn unread(source: Source, why: &str) -> Self {
        Self::new(source, format!("could not be read: {why}")).observed(Some(Observation::Unread))
    }

    fn size(&self) -> usize {
        <&str>::from(self.source).len() + self.detail.len()
    }
}

/// `evidence`, cut to what a record may hold: the oldest lines of logs go first, then the entries at the end. The last entry
/// says how many were left out.
#[must_use]
pub fn bounded(mut evidence: Vec<Evidence>) -> Vec<Evidence> {
    let mut size: usize = evidence.iter().map(Evidence::size).sum();
    let mut left_out = 0;
    while size > ALL && !evidence.is_empty() {
        let oldest = evidence.iter().position(|entry| entry.source == Source::Log).unwrap_or(evidence.len() - 1);
        size -= evidence.remove(oldest).size();
        left_out += 1;
    }
    if left_out > 0 {
        evidence.push(Evidence::new(Source::Evidence, format!("{left_out} more entries were seen than are kept")));
    }
    evidence
}

/// At most `limit` bytes of `text`, cut between two characters.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit.saturating_sub('…'.len_utf8())));
        text.push('…');
    }
    text
}
