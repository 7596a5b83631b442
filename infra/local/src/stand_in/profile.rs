//! How long things take in AWS: medians and tails from one file, `latency.json`.

use std::time::Duration;

use rand::{Rng, RngExt};
use serde::Deserialize;

/// What takes time. The names are the keys of `latency.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Any control-plane call.
    Call,
    /// A load balancer from `provisioning` to `active`.
    LoadBalancerActive,
    /// How long a load balancer refuses deletion after its VPC link is gone.
    LoadBalancerReleased,
    /// A VPC link from `PENDING` to `AVAILABLE`.
    VpcLinkAvailable,
    /// A VPC link from `DELETING` to 404.
    VpcLinkGone,
    /// A task from its creation to `RUNNING`.
    TaskRunning,
    /// A task from `SIGTERM` to `STOPPED` when its process obeys.
    TaskStopped,
    /// A target's registration, before its first health check.
    TargetRegistered,
    /// A new or re-pointed stage until it answers.
    StageLive,
    /// A new resource until reads see it; only where the profile lags.
    Visible,
}

/// Median and tail (99th percentile), in AWS seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Spread(f64, f64);

#[derive(Clone, Debug, Deserialize)]
struct Table {
    call: Spread,
    load_balancer_active: Spread,
    load_balancer_released: Spread,
    vpc_link_available: Spread,
    vpc_link_gone: Spread,
    task_running: Spread,
    task_stopped: Spread,
    target_registered: Spread,
    stage_live: Spread,
    visible: Spread,
}

/// A latency profile: each latency is its median, or drawn with the profile's median and tail.
#[derive(Clone, Debug)]
pub struct Profile {
    table: Table,
    varies: bool,
    lags: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self::medians()
    }
}

impl Profile {
    /// Every latency is its median, and reads see writes at once.
    #[must_use]
    pub fn medians() -> Self {
        Self { table: table(), varies: false, lags: false }
    }

    /// Latencies are drawn: log-normal through the median and the tail. Reads lag behind writes.
    #[must_use]
    pub fn varying() -> Self {
        Self { table: table(), varies: true, lags: true }
    }

    /// The same profile, with or without reads that lag behind writes.
    #[must_use]
    pub fn with_lag(self, lags: bool) -> Self {
        Self { lags, ..self }
    }

    /// The same profile, with reads that see new resources only `after` this time.
    #[must_use]
    pub fn seen_after(self, after: Duration) -> Self {
        let visible = Spread(after.as_secs_f64(), after.as_secs_f64());
        Self { table: Table { visible, ..self.table }, lags: true, ..self }
    }

    /// Whether reads lag behind writes.
    #[must_use]
    pub fn lags(&self) -> bool {
        self.lags
    }

    /// The latency's median.
    #[must_use]
    pub fn median(&self, latency: Latency) -> Duration {
        Duration::from_secs_f64(self.spread(latency).0)
    }

    /// The latency's median, or a draw.
    pub fn take(&self, latency: Latency, rng: &mut impl Rng) -> Duration {
        let Spread(median, tail) = self.spread(latency);
        if !self.varies {
            return Duration::from_secs_f64(median);
        }
        // Box–Muller; 2.326 is the normal distribution's 99th percentile. Draws are limited to twice the tail.
        let (a, b): (f64, f64) = (rng.random(), rng.random());
        let normal = (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        let drawn = median * (normal * (tail / median).ln() / 2.326).exp();
        Duration::from_secs_f64(drawn.clamp(median / 4.0, tail * 2.0))
    }

    fn spread(&self, latency: Latency) -> Spread {
        match latency {
            Latency::Call => self.table.call,
            Latency::LoadBalancerActive => self.table.load_balancer_active,
            Latency::LoadBalancerReleased => self.table.load_balancer_released,
            Latency::VpcLinkAvailable => self.table.vpc_link_available,
            Latency::VpcLinkGone => self.table.vpc_link_gone,
            Latency::TaskRunning => self.table.task_running,
            Latency::TaskStopped => self.table.task_stopped,
            Latency::TargetRegistered => self.table.target_registered,
            Latency::StageLive => self.table.stage_live,
            Latency::Visible => self.table.visible,
        }
    }
}

#[expect(clippy::expect_used, reason = "the file is part of the binary; a test reads it")]
fn table() -> Table {
    serde_json::from_str(include_str!("latency.json")).expect("latency.json is a latency table")
}
