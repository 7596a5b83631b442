//! Rate limits: AWS allows some operations only at a rate that the whole account shares. A call of such an operation reserves
//! the next free slot, in order of arrival, and waits for it.
//!
//! The rule is GCRA: one number for each operation, its *theoretical arrival time* (tat), says from when on its bucket is full
//! again. The table holds it (`functions/aws/src/store/rate_limit.rs`), and one conditional update moves it.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// An AWS operation whose rate the account shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::EnumString, strum::IntoStaticStr)]
pub enum RateLimit {
    /// ELBv2: 10 at once, then 0.2 per second (docs/aws.md#rates).
    CreateLoadBalancer,
    /// API Gateway: 1 per 3 s (docs/aws.md#rates).
    CreateRestApi,
    /// API Gateway: 1 per 5 s (docs/aws.md#rates).
    CreateDeployment,
    /// API Gateway: 1 per 30 s (docs/aws.md#rates).
    DeleteRestApi,
}

/// How much slower than AWS allows the slots follow each other. Calls come later or earlier than their slot by what a call
/// takes; without a margin the bucket would be found empty by a few milliseconds again and again.
const MARGIN: f64 = 1.05;

impl RateLimit {
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

    /// The slot of a call that arrives at `now` and finds the theoretical arrival time `tat`, with `interval` between two
    /// slots (on the clock that runs).
    #[must_use]
    pub fn slot(self, tat: Timestamp, now: Timestamp, interval: Duration) -> Timestamp {
        let ahead = interval * self.burst().saturating_sub(1);
        let earliest =
            SignedDuration::try_from(ahead).ok().and_then(|ahead| tat.checked_sub(ahead).ok()).unwrap_or(now);
        earliest.max(now)
    }

    /// The theoretical arrival time when AWS allowed no call at `now`: its bucket is empty, and the next caller waits for one
    /// interval.
    #[must_use]
    pub fn tat_when_exhausted(self, now: Timestamp, interval: Duration) -> Timestamp {
        SignedDuration::try_from(interval * self.burst())
            .ok()
            .and_then(|used| now.checked_add(used).ok())
            .unwrap_or(now)
    }

    /// The place in the queue of a call whose slot is `left` away, in AWS time: 1 is the next one.
    #[must_use]
    pub fn place(self, left: Duration) -> u64 {
        (left.as_secs_f64() / self.interval().as_secs_f64()).ceil().max(1.0) as u64
    }

    /// The AWS operation's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, which AWS allows the whole account once per {} s", self.as_str(), self.allowed().as_secs())
    }
}
