//! How a known cause is recognised in AWS's words. `table` lists the causes, with what to do and who can do it;
//! `docs/failures.md` says the same to readers, and a contract test compares the two.
//!
//! A cause that is not in the table is shown raw: message and evidence stay as they were seen.

use super::log_hints::{Listening, listening};
use super::{Evidence, Observation, Source, Who};
use crate::step::Step;

pub use super::table::CAUSES;

/// A known cause.
pub struct Cause {
    /// Its name: a stable word for programs.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do next. `{id}` stands for the environment's id, `{retry}` for how to retry it.
    pub what_to_do: &'static str,
    /// Who can do it.
    pub who: Who,
    pub(super) shows: fn(&Seen) -> bool,
}

/// The first cause of the table that shows in a failure of `step`.
#[must_use]
pub fn diagnose(step: Step, code: &str, message: &str, evidence: &[Evidence]) -> Option<&'static Cause> {
    let seen = Seen { step, code, message, evidence };
    CAUSES.iter().find(|cause| (cause.shows)(&seen))
}

/// A failure to be recognised.
pub(super) struct Seen<'a> {
    pub(super) step: Step,
    pub(super) code: &'a str,
    message: &'a str,
    evidence: &'a [Evidence],
}

impl Seen<'_> {
    /// What was read at `source`.
    pub(super) fn at(&self, source: Source) -> impl Iterator<Item = &str> {
        let is_read = |entry: &&Evidence| entry.observation != Some(Observation::Unread);
        self.evidence.iter().filter(is_read).filter(move |entry| entry.source == source).map(|entry| &*entry.detail)
    }

    /// Whether Berth concluded `observation` from anything that it saw.
    pub(super) fn observed(&self, observation: Observation) -> bool {
        self.evidence.iter().any(|entry| entry.observation == Some(observation))
    }

    /// Whether one of `texts` was read at `source`.
    pub(super) fn says(&self, source: Source, texts: &[&str]) -> bool {
        self.at(source).any(|detail| has_one(detail, texts))
    }

    /// Whether ECS says one of `texts` of the service or its stopped tasks. A task that stopped earlier does not explain a
    /// proof that fails while all tasks run.
    pub(super) fn tasks_say(&self, texts: &[&str]) -> bool {
        let all_run = self.step == Step::EnsureReachable && self.observed(Observation::AllTasksRunning);
        !all_run && (self.says(Source::StoppedTask, texts) || self.says(Source::ServiceEvent, texts))
    }

    /// Whether the message, which carries AWS's refusal or what was waited for, has one of `texts`.
    pub(super) fn message_mentions(&self, texts: &[&str]) -> bool {
        has_one(self.message, texts)
    }

    /// Whether the load balancer's health checks of the tasks fail.
    pub(super) fn is_unhealthy(&self) -> bool {
        self.says(Source::TargetHealth, &["Target.FailedHealthChecks", "Target.ResponseCodeMismatch", "Target.Timeout"])
            || self.tasks_say(&["failed ELB health checks", "is unhealthy in (target-group"])
    }

    /// Where the programs say that they listen.
    pub(super) fn listens(&self) -> impl Iterator<Item = Listening> {
        self.at(Source::Log).filter_map(listening)
    }

    /// Whether the load balancer expects the service on `port`: `target_health` entries begin with `address:port: `.
    pub(super) fn expects(&self, port: u16) -> bool {
        self.at(Source::TargetHealth).any(|detail| {
            let target = detail.split(": ").next().unwrap_or_default();
            target.rsplit(':').next() == Some(&*port.to_string())
        })
    }
}

pub(super) fn has_one(text: &str, texts: &[&str]) -> bool {
    texts.iter().any(|part| text.contains(part))
}
