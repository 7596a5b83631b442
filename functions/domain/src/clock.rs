//! What time it is, and how AWS time maps to it.
//!
//! Everything that waits or stamps a moment goes through a [`Clock`], so that the embedded system can run AWS's
//! latencies many times quicker and the tests can run in virtual time. In AWS the clock is [`Clock::real`].

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use tokio::time::Instant;

/// A clock with a speed: moments are wall-clock [`Timestamp`]s, durations are AWS's (as they would be at speed 1).
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    speed: f64,
}

#[derive(Clone, Debug)]
enum Source {
    Wall,
    /// Follows tokio's clock, which tests pause and which then jumps from timer to timer.
    Tokio {
        origin: Timestamp,
        started: Instant,
    },
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

impl Clock {
    /// The wall clock at speed 1: what runs in AWS.
    #[must_use]
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// The wall clock, with AWS durations divided by `speed` (values that are not above zero count as 1).
    #[must_use]
    pub fn scaled(speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { source: Source::Wall, speed }
    }

    /// Tokio's clock, beginning now at `origin`: virtual when the runtime's time is paused.
    #[must_use]
    pub fn following_tokio(origin: Timestamp) -> Self {
        Self { source: Source::Tokio { origin, started: Instant::now() }, speed: 1.0 }
    }

    /// How many AWS seconds pass in one second of this clock.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// The present moment as records show it: to the millisecond.
    #[must_use]
    pub fn now_ms(&self) -> Timestamp {
        let now = self.now();
        now.round(Unit::Millisecond).unwrap_or(now)
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.source {
            Source::Wall => Timestamp::now(),
            Source::Tokio { origin, started } => plus(*origin, started.elapsed()),
        }
    }

    /// AWS time passed since `at`; zero when it lies ahead.
    #[must_use]
    pub fn since(&self, at: Timestamp) -> Duration {
        Duration::try_from(self.now().duration_since(at)).unwrap_or(Duration::ZERO).mul_f64(self.speed)
    }

    /// AWS time until `at`; `None` when it has come.
    #[must_use]
    pub fn left_until(&self, at: Timestamp) -> Option<Duration> {
        let left = Duration::try_from(at.duration_since(self.now())).ok().filter(|left| !left.is_zero())?;
        Some(left.mul_f64(self.speed))
    }

    /// The moment in `duration` of this clock, as records show it: to the millisecond.
    #[must_use]
    pub fn deadline(&self, duration: Duration) -> Timestamp {
        let at = plus(self.now(), duration);
        at.round(Unit::Millisecond).unwrap_or(at)
    }

    /// The moment at which `aws_time` will have passed from now.
    #[must_use]
    pub fn after(&self, aws_time: Duration) -> Timestamp {
        self.add(self.now(), aws_time)
    }

    /// The moment at which `aws_time` will have passed from `at`.
    #[must_use]
    pub fn add(&self, at: Timestamp, aws_time: Duration) -> Timestamp {
        plus(at, self.scale(aws_time))
    }

    /// How long `aws_time` takes on this clock: what a client of the embedded system has to wait.
    #[must_use]
    pub fn scale(&self, aws_time: Duration) -> Duration {
        aws_time.div_f64(self.speed)
    }

    /// How long a time limit of `aws_time` is on this clock. Work is done at this machine's speed, not at the clock's, so
    /// on a quick clock a limit never shrinks below a quarter of itself: a busy processor is no time-out.
    #[must_use]
    pub fn limit(&self, aws_time: Duration) -> Duration {
        self.scale(aws_time).max(aws_time / 4)
    }

    /// Whether a time limit of `aws_time` that began at `at` is over.
    #[must_use]
    pub fn limit_passed(&self, at: Timestamp, aws_time: Duration) -> bool {
        self.now() > plus(at, self.limit(aws_time))
    }

    /// Sleeps for a time limit of `aws_time`.
    pub async fn sleep_limit(&self, aws_time: Duration) {
        tokio::time::sleep(self.limit(aws_time)).await;
    }

    /// Sleeps for `aws_time`.
    pub async fn sleep(&self, aws_time: Duration) {
        tokio::time::sleep(self.scale(aws_time)).await;
    }

    /// Sleeps until `at`; returns at once when it has passed.
    pub async fn sleep_until(&self, at: Timestamp) {
        let left = Duration::try_from(at.duration_since(self.now())).unwrap_or(Duration::ZERO);
        tokio::time::sleep(left).await;
    }
}

/// `moment + duration`, kept within what a timestamp can hold.
fn plus(at: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|duration| at.checked_add(duration).ok()).unwrap_or(Timestamp::MAX)
}
