//! How long steps usually take in AWS, when to look again, and when to give up.
//!
//! The figures are those of docs/aws.md#durations. A step that waits asks for the
//! rest of its usual time, then looks often: a second of the worker is cheaper than a state transition.

use std::time::Duration;

use crate::step::Step;

/// The longest single wait: a delete or a failure elsewhere is noticed within this time.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Between two looks when the expected moment has come.
const NEAR: Duration = Duration::from_secs(3);
/// Between two looks when it is long past.
const LATE: Duration = Duration::from_secs(10);

/// How long `step` usually takes, in AWS time; zero for those that take one call.
#[must_use]
pub fn duration(step: Step) -> Duration {
    let seconds = match step {
        Step::EnsureLoadBalancerActive => 155,
        Step::EnsureService => 40,
        Step::EnsureTargetHealth => 100,
        Step::EnsureVpcLink => 240,
        Step::EnsureReachable => 3,
        Step::UndoVpcLink => 90,
        Step::UndoService => 45,
        Step::UndoLoadBalancer => 45,
        Step::Begin
        | Step::EnsureTargetGroup
        | Step::EnsureLoadBalancer
        | Step::EnsureListener
        | Step::EnsureRestApi
        | Step::EnsureDeployment
        | Step::MarkReady
        | Step::RecordFailure
        | Step::BeginRemoval
        | Step::UndoRestApi
        | Step::UndoListener
        | Step::UndoTargetGroup
        | Step::MarkGone => 0,
    };
    Duration::from_secs(seconds)
}

/// After how long `step` gives up, in AWS time.
#[must_use]
pub fn limit(step: Step) -> Duration {
    let seconds = match step {
        Step::EnsureLoadBalancerActive => 900,
        Step::EnsureService | Step::EnsureTargetHealth => 1_200,
        Step::EnsureVpcLink | Step::UndoVpcLink => 1_500,
        Step::UndoService | Step::UndoLoadBalancer => 1_200,
        Step::UndoRestApi => 1_800,
        Step::EnsureReachable
        | Step::Begin
        | Step::EnsureTargetGroup
        | Step::EnsureLoadBalancer
        | Step::EnsureListener
        | Step::EnsureRestApi
        | Step::EnsureDeployment
        | Step::MarkReady
        | Step::RecordFailure
        | Step::BeginRemoval
        | Step::UndoListener
        | Step::UndoTargetGroup
        | Step::MarkGone => 300,
    };
    Duration::from_secs(seconds)
}

/// When to look again at `step`, `elapsed` after it began to wait.
#[must_use]
pub fn next_look(step: Step, elapsed: Duration) -> Duration {
    let usual = duration(step);
    match usual.checked_sub(elapsed) {
        Some(left) if left > NEAR => left.min(LONGEST_WAIT),
        _ if elapsed < usual * 2 + NEAR * 10 => NEAR,
        _ => LATE,
    }
}

/// How long after an operation began the janitor makes sure that its execution runs: long enough for whoever recorded it
/// to have started it.
pub const CHECKED_AFTER: Duration = Duration::from_secs(180);

/// How long the janitor waits before it takes away again what could not be removed, having tried `attempts` times; `None`
/// when it has tried often enough and somebody has to look.
#[must_use]
pub fn cleanup_again(attempts: u32) -> Option<Duration> {
    let minutes = [5, 15, 45, 135].get(usize::try_from(attempts).ok()?)?;
    Some(Duration::from_secs(minutes * 60))
}

/// For how long a resource that no record explains is only reported before it is removed.
pub const ORPHAN_GRACE: Duration = Duration::from_secs(3_600);
