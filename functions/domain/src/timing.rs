//! When a step looks again, and when the janitor acts. How long each step takes and when it gives up is in `step`.
//!
//! A step that waits asks for the rest of its usual time, then looks often: a second of the worker is cheaper than a state
//! transition.

use std::time::Duration;

use crate::step::Step;

/// The longest single wait: a delete or a failure elsewhere is noticed within this time.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Between two looks when the expected moment has come.
const NEAR: Duration = Duration::from_secs(3);
/// Between two looks when it is long past.
const LATE: Duration = Duration::from_secs(10);

/// When to look again at `step`, `elapsed` after it began to wait.
#[must_use]
pub fn next_look(step: Step, elapsed: Duration) -> Duration {
    let usual = step.usual();
    match usual.checked_sub(elapsed) {
        Some(left) if left > NEAR => left.min(LONGEST_WAIT),
        _ if elapsed < usual * 2 + NEAR * 10 => NEAR,
        _ => LATE,
    }
}

/// How long after an operation began the janitor makes sure that its execution runs. The request that recorded the operation
/// has started it by then.
pub const CHECK_EXECUTION_AFTER: Duration = Duration::from_secs(180);

/// How long the janitor waits before it retries a removal that failed `attempts` times; `None` when only an operator can
/// help.
#[must_use]
pub fn cleanup_retry(attempts: u32) -> Option<Duration> {
    let minutes = [5, 15, 45, 135].get(usize::try_from(attempts).ok()?)?;
    Some(Duration::from_secs(minutes * 60))
}

/// For how long a resource that no record explains is only reported before it is removed.
pub const ORPHAN_GRACE: Duration = Duration::from_secs(3_600);
