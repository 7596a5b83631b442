//! A running stand-in: the handle to its account, and the task that handles events when they are due.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use berth_domain::Clock;
use tokio::sync::Notify;

use super::account::{self, Account};
use super::net::Net;
use super::profile::Profile;
use super::quotas::Quotas;
use super::rates::Rates;
use super::{ecs, elb};
use crate::stored::{Keep, Rows};

/// What a stand-in needs.
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
    /// A state stored earlier, to continue.
    pub state: Option<Account>,
    /// Stores the state.
    pub keep: Option<Keep>,
    /// What the tasks of a family run; families not named run the built-in sample server.
    pub programs: ecs::Programs,
}

/// A running stand-in; cheap to clone.
#[derive(Clone)]
pub struct Cloud(Arc<Inner>);

struct Inner {
    account: Mutex<Account>,
    net: Net,
    wake: Arc<Notify>,
    keep: Option<Keep>,
    runner: ecs::Runner,
    listeners: elb::Listeners,
}

impl Cloud {
    /// Starts a stand-in on the current tokio runtime. What is running in `options.state` is started again.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let mut account = options.state.unwrap_or_else(|| Account::new(options.seed));
        let clock = options.clock.clone();
        account.engine.resume(options.clock, options.profile, options.rates, options.seed);
        account.quotas = options.quotas;
        let cloud = Self(Arc::new(Inner {
            account: Mutex::new(account),
            net: options.net,
            wake: Arc::default(),
            keep: options.keep,
            runner: ecs::Runner::new(options.programs),
            listeners: elb::Listeners::default(),
        }));
        cloud.change(Account::resume);
        tokio::spawn(drive(Arc::downgrade(&cloud.0), clock, Arc::clone(&cloud.0.wake)));
        cloud
    }

    /// Reads the state as of the last change.
    pub fn read<R>(&self, read: impl FnOnce(&Account) -> R) -> R {
        read(&self.0.account.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state: handles the events that are due, runs `change`, stores the state, and starts the effects.
    pub fn change<R>(&self, change: impl FnOnce(&mut Account) -> R) -> R {
        let (result, effects) = {
            let mut account = self.0.account.lock().unwrap_or_else(PoisonError::into_inner);
            account.advance();
            let result = change(&mut account);
            Rows::pass(self.0.keep.as_ref(), |rows| account.take_rows(rows));
            (result, account.engine.take_effects())
        };
        for effect in effects {
            tokio::spawn(account::perform(self.clone(), effect));
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

/// Handles scheduled events when they are due, until the last handle is dropped.
async fn drive(cloud: Weak<Inner>, clock: Clock, wake: Arc<Notify>) {
    loop {
        let next = {
            let Some(inner) = cloud.upgrade() else { return };
            let next = inner.account.lock().unwrap_or_else(PoisonError::into_inner).engine.next_due();
            if next.is_some_and(|due| due <= clock.now()) {
                Cloud(inner).change(|_| ());
                continue;
            }
            next
        };
        match next {
            Some(due) => tokio::select! {
                () = clock.sleep_until(due) => {}
                () = wake.notified() => {}
            },
            None => wake.notified().await,
        }
    }
}
