//! Pacing: AWS allows some operations only at a rate that the whole account shares. Whoever wants to call one takes the
//! next free moment, in order of arrival, and waits for it.
//!
//! The rule is GCRA: one number for each operation, its *theoretical arrival time*, says when the queue will have been
//! served; it is kept in the table (`functions/aws/src/store/rate_limit.rs`), where one conditional update moves it.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::step::Step;

/// An operation whose rate the account shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateLimit {
    /// ELBv2: 10 at once, then 0.2 per second (docs/aws.md#rates).
    CreateLoadBalancer,
    /// API Gateway: 1 per 3 s (docs/aws.md#rates).
    CreateRestApi,
    /// API Gateway: 1 per 5 s.
    CreateDeployment,
    /// API Gateway: 1 per 30 s.
    DeleteRestApi,
}

/// How much slower than AWS allows the queue is served. Calls come later or earlier than their moment by what a call takes;
/// without a margin the bucket would be found empty by a few milliseconds again and again.
const MARGIN: f64 = 1.05;

impl RateLimit {
    /// The operation that `step` has to wait its turn for.
    #[must_use]
    pub fn of(step: Step) -> Option<Self> {
        match step {
            Step::EnsureLoadBalancer => Some(Self::CreateLoadBalancer),
            Step::EnsureRestApi => Some(Self::CreateRestApi),
            Step::EnsureDeployment => Some(Self::CreateDeployment),
            Step::UndoRestApi => Some(Self::DeleteRestApi),
            _ => None,
        }
    }

    /// Between two calls, in AWS time.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.allowed().mul_f64(MARGIN)
    }

    /// How long AWS takes to allow one more call.
    fn allowed(self) -> Duration {
        Duration::from_secs(match self {
            Self::CreateLoadBalancer | Self::CreateDeployment => 5,
            Self::CreateRestApi => 3,
            Self::DeleteRestApi => 30,
        })
    }

    /// How many calls may come at once after a pause. Of ELBv2's 10 two are left to others.
    #[must_use]
    pub fn burst(self) -> u32 {
        match self {
            Self::CreateLoadBalancer => 8,
            Self::CreateRestApi | Self::CreateDeployment | Self::DeleteRestApi => 1,
        }
    }

    /// The moment of a call that arrives at `now`, finds the queue served until `tat` and is served every `interval` (of
    /// the clock that runs).
    #[must_use]
    pub fn slot(self, tat: Timestamp, now: Timestamp, interval: Duration) -> Timestamp {
        let ahead = interval * self.burst().saturating_sub(1);
        let earliest =
            SignedDuration::try_from(ahead).ok().and_then(|ahead| tat.checked_sub(ahead).ok()).unwrap_or(now);
        earliest.max(now)
    }

    /// Until when the queue is served at least, if AWS allowed no call at `now`: its bucket is empty, and whoever comes next
    /// waits for one interval.
    #[must_use]
    pub fn tat_when_exhausted(self, now: Timestamp, interval: Duration) -> Timestamp {
        SignedDuration::try_from(interval * self.burst())
            .ok()
            .and_then(|used| now.checked_add(used).ok())
            .unwrap_or(now)
    }

    /// The place in the queue of a call whose moment is `left` away, in AWS time: 1 is the next one.
    #[must_use]
    pub fn place(self, left: Duration) -> u64 {
        (left.as_secs_f64() / self.interval().as_secs_f64()).ceil().max(1.0) as u64
    }

    /// The AWS operation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateLoadBalancer => "CreateLoadBalancer",
            Self::CreateRestApi => "CreateRestApi",
            Self::CreateDeployment => "CreateDeployment",
            Self::DeleteRestApi => "DeleteRestApi",
        }
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, which AWS allows the whole account once per {} s", self.name(), self.allowed().as_secs())
    }
}
