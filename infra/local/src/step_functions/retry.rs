//! Which error a retrier or catcher is for, and how long a retrier waits.

use std::time::Duration;

use rand::{Rng, RngExt};

use super::asl::{Jitter, Retrier};

/// An error that ends a state, a branch or an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StateError {
    /// Its name.
    pub error: String,
    /// Its cause; a time-out has none.
    pub cause: Option<String>,
}

pub(super) const TIMEOUT: &str = "States.Timeout";
pub(super) const RUNTIME: &str = "States.Runtime";
pub(super) const DATA_LIMIT: &str = "States.DataLimitExceeded";
pub(super) const QUERY: &str = "States.QueryEvaluationError";

/// Whether `ErrorEquals` matches this error. Nothing matches `States.Runtime`; no wildcard matches
/// `States.DataLimitExceeded`.
pub(super) fn means(error_equals: &[String], error: &str) -> bool {
    error != RUNTIME
        && error_equals.iter().any(|name| match name.as_str() {
            "States.ALL" => error != DATA_LIMIT,
            "States.TaskFailed" => error != DATA_LIMIT && error != TIMEOUT,
            name => name == error,
        })
}

/// How many retries each of a state's retriers has used.
pub(super) struct Attempts<'a> {
    retriers: &'a [Retrier],
    used: Vec<u32>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(retriers: &'a [Retrier]) -> Self {
        Self { retriers, used: vec![0; retriers.len()] }
    }

    /// How long to wait before the next retry; `None` when the error is not retried. The first retrier that matches the
    /// error decides, even if it has no retries left.
    pub(super) fn next(&mut self, error: &str, chance: &mut impl Rng) -> Option<Duration> {
        let (retrier, used) =
            self.retriers.iter().zip(&mut self.used).find(|(retrier, _)| means(&retrier.error_equals, error))?;
        if *used >= retrier.max_attempts {
            return None;
        }
        let growth = retrier.backoff_rate.powi(i32::try_from(*used).unwrap_or(i32::MAX));
        let longest = retrier.max_delay_seconds.map_or(f64::from(u32::MAX), f64::from);
        let interval = (f64::from(retrier.interval_seconds) * growth).min(longest);
        *used += 1;
        Some(Duration::from_secs_f64(match retrier.jitter_strategy {
            Jitter::None => interval,
            Jitter::Full => interval * chance.random::<f64>(),
        }))
    }
}
