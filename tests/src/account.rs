//! An AWS account in memory, without Berth.

use berth_aws::Clients;
use berth_domain::Clock;
use berth_local::endpoint::Endpoint;
use berth_local::endpoint::sdk;
use berth_local::faults::{Fault, Faults};
use berth_local::stand_in::dynamo::Dynamo;
use berth_local::stand_in::net::Net;
use berth_local::stand_in::profile::Profile;
use berth_local::stand_in::quotas::Quotas;
use berth_local::stand_in::rates::Rates;
use berth_local::stand_in::{Cloud, Options, REGION};
use berth_local::step_functions::{self, StateMachine, States};
use jiff::Timestamp;

use crate::Stash;

/// An AWS account in memory.
pub struct Account {
    /// Its time.
    pub clock: Clock,
    /// The stand-in itself.
    pub cloud: Cloud,
    /// The endpoint, with its faults.
    pub endpoint: Endpoint,
    /// Its state machines and executions.
    pub states: States,
    /// Real SDK clients that reach the endpoint in process.
    pub clients: Clients,
    /// What it has stored.
    pub stash: Stash,
}

/// How an account differs from the usual one.
#[derive(Default)]
pub struct AccountOptions {
    /// Its latencies: the medians.
    pub profile: Profile,
    /// Whether calls are limited: as AWS does.
    pub rates: Rates,
    /// How much it may have.
    pub quotas: Quotas,
    /// Its state machines; give them functions by `states.serve`.
    pub machines: Vec<StateMachine>,
}

impl Account {
    /// An empty account whose latencies are the profile's medians.
    #[must_use]
    pub fn new() -> Self {
        Self::with(AccountOptions::default())
    }

    /// An empty account without rates.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::with(AccountOptions { rates: Rates::Unlimited, ..AccountOptions::default() })
    }

    /// An empty account.
    #[must_use]
    pub fn with(options: AccountOptions) -> Self {
        let AccountOptions { profile, rates, quotas, machines } = options;
        let clock = Clock::following_tokio(Timestamp::UNIX_EPOCH);
        let stash = Stash::default();
        let cloud = Cloud::start(Options {
            clock: clock.clone(),
            profile,
            seed: 1,
            net: Net::memory(),
            rates,
            quotas,
            state: None,
            keep: Some(stash.keep()),
            programs: Default::default(),
        });
        let states = States::new(step_functions::Options { machines, ..step_functions::Options::new(clock.clone()) });
        let endpoint =
            Endpoint::new(cloud.clone(), Dynamo::memory(clock.clone()).expect("SQLite in memory"), states.clone());
        let config = berth_aws::config::through(
            sdk::connector(&endpoint),
            sdk::credentials(&cloud.read(|account| account.keys.worker.clone())),
            REGION,
        );
        Self { clock, cloud, endpoint, states, clients: Clients::trying_once(&config), stash }
    }

    /// The faults at its endpoint.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.endpoint.faults()
    }

    /// On the `nth` call of `operation` from now on (1 is the next), `fault` comes. See [`Faults::script`].
    pub fn fault(&self, operation: &str, nth: u64, fault: Fault) {
        self.faults().script(operation, nth, fault);
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::new()
    }
}
