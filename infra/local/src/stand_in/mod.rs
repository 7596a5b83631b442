//! The stand-in cloud: ELBv2, ECS and API Gateway with AWS's life cycles, refusals and latencies, and a data path that
//! carries real bytes (stage URL → VPC link → NLB listener → task).
//!
//! [`Cloud`] is the handle. Its state is one [`Sim`], changed only inside [`Cloud::change`], which first lets
//! everything happen that is due. What takes time is an [`Event`](sim::Event) in the schedule; what needs I/O (a listener, a
//! process, a health check) is an [`Effect`], carried out after the change and reported back through another change.
//! One folder per service: `elb`, `ecs`, `apigateway`, `logs`; what their calls share (rates, quotas, the lag of reads)
//! beside them. The HTTP door is not here; see `crate::endpoint`.

pub mod apigateway;
mod call;
pub mod dynamo;
pub mod ec2;
pub mod ecs;
pub mod elb;
pub mod logs;
pub mod net;
pub mod profile;
pub mod quotas;
pub mod rates;
mod read_lag;
pub mod refusal;
pub mod sim;
pub mod sts;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use berth_domain::Clock;
use tokio::sync::Notify;

pub use call::{call, doom};
use net::Net;
use profile::Profile;
use quotas::Quotas;
use rates::Rates;
use sim::{Effect, Sim};

/// The account that the stand-in plays.
pub const ACCOUNT: &str = "000000000000";
/// The region that the stand-in plays.
pub const REGION: &str = "us-east-1";

/// Keeps the stand-in's state somewhere; called with the state after every change, before anybody sees its result.
pub type Keep = Box<dyn Fn(&Sim) + Send + Sync>;

/// What a stand-in is made from.
pub struct Options {
    /// Its time.
    pub clock: Clock,
    /// Its latencies.
    pub profile: Profile,
    /// Draws ids and, when `profile` varies, latencies.
    pub seed: u64,
    /// Loopback TCP, or in memory for virtual time.
    pub net: Net,
    /// Whether calls are limited as AWS limits them.
    pub rates: Rates,
    /// How much the account may have.
    pub quotas: Quotas,
    /// A state kept earlier, to go on from.
    pub state: Option<Sim>,
    /// Where the state is kept.
    pub keep: Option<Keep>,
    /// What the tasks of a family run; families not named run the built-in sample server.
    pub programs: ecs::Programs,
}

/// A running stand-in; cheap to clone.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    sim: Mutex<Sim>,
    net: Net,
    wake: Arc<Notify>,
    keep: Option<Keep>,
    runner: ecs::Runner,
    listeners: elb::Listeners,
}

impl Cloud {
    /// Starts a stand-in on the current tokio runtime; what was running when `options.state` was kept is started again.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let mut sim = options.state.unwrap_or_else(|| Sim::new(options.seed));
        let clock = options.clock.clone();
        sim.resume(options.clock, options.profile, options.seed);
        (sim.rates, sim.quotas) = (options.rates, options.quotas);
        let cloud = Self(Arc::new(Inner {
            sim: Mutex::new(sim),
            net: options.net,
            wake: Arc::default(),
            keep: options.keep,
            runner: ecs::Runner::new(options.programs),
            listeners: elb::Listeners::default(),
        }));
        cloud.change(|sim| {
            ecs::resume(sim);
            elb::resume(sim);
        });
        tokio::spawn(drive(Arc::downgrade(&cloud.0), clock, Arc::clone(&cloud.0.wake)));
        cloud
    }

    /// Reads the state as it was left by the last change.
    pub fn read<R>(&self, read: impl FnOnce(&Sim) -> R) -> R {
        read(&self.0.sim.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state: first what is due happens, then `change` runs, then the state is kept, then the
    /// effects are started.
    pub fn change<R>(&self, change: impl FnOnce(&mut Sim) -> R) -> R {
        let (result, effects) = {
            let mut sim = self.0.sim.lock().unwrap_or_else(PoisonError::into_inner);
            sim.advance();
            let result = change(&mut sim);
            if let Some(keep) = &self.0.keep {
                keep(&sim);
            }
            (result, std::mem::take(&mut sim.effects))
        };
        for effect in effects {
            let cloud = self.clone();
            match effect {
                Effect::Elb(effect) => drop(tokio::spawn(async move { elb::perform(cloud, effect).await })),
                Effect::Ecs(effect) => drop(tokio::spawn(async move { ecs::perform(cloud, effect).await })),
            }
        }
        self.0.wake.notify_one();
        result
    }

    /// The network between gateway, load balancers and tasks.
    #[must_use]
    pub fn net(&self) -> &Net {
        &self.0.net
    }

    /// The load balancers' open listeners.
    #[must_use]
    pub fn listeners(&self) -> &elb::Listeners {
        &self.0.listeners
    }

    /// The task processes.
    #[must_use]
    pub fn runner(&self) -> &ecs::Runner {
        &self.0.runner
    }
}

/// Lets scheduled events happen when they are due, until the last handle is gone.
async fn drive(cloud: Weak<Inner>, clock: Clock, wake: Arc<Notify>) {
    loop {
        let next = {
            let Some(inner) = cloud.upgrade() else { return };
            let next = inner.sim.lock().unwrap_or_else(PoisonError::into_inner).next_due();
            if next.is_some_and(|moment| moment <= clock.now()) {
                Cloud(inner).change(|_| ());
                continue;
            }
            next
        };
        match next {
            Some(moment) => tokio::select! {
                () = clock.sleep_until(moment) => {}
                () = wake.notified() => {}
            },
            None => wake.notified().await,
        }
    }
}
