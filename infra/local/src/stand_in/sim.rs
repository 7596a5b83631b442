//! The whole state of the stand-in, its schedule, its ids and its chance.
//!
//! Everything in it is deterministic for a seed: maps are ordered, ids and latencies come from one generator.

use std::collections::BTreeMap;
use std::time::Duration;

use berth_domain::Clock;
use jiff::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::profile::{Latency, Profile};
use super::quotas::Quotas;
use super::rates::{Buckets, Rates};
use super::read_lag::Unseen;
use super::{ACCOUNT, REGION, apigateway, ecs, elb};

/// Something that happens at a moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// In ELBv2.
    Elb(elb::Event),
    /// In ECS.
    Ecs(ecs::Event),
    /// In API Gateway.
    ApiGateway(apigateway::Event),
}

/// Something that needs I/O, started after the change that asked for it.
#[derive(Clone, Debug)]
pub enum Effect {
    /// For ELBv2: listeners and health checks.
    Elb(elb::Effect),
    /// For ECS: task processes.
    Ecs(ecs::Effect),
}

/// The state of the stand-in.
#[derive(Serialize, Deserialize)]
pub struct Sim {
    /// Load balancers, target groups, listeners.
    pub elb: elb::Elb,
    /// Clusters, task definitions, services, tasks.
    pub ecs: ecs::Ecs,
    /// REST APIs and VPC links.
    pub apigateway: apigateway::ApiGateway,
    #[serde(default)]
    pub(super) buckets: Buckets,
    #[serde(default)]
    pub(super) unseen: Unseen,
    rng: ChaCha8Rng,
    /// By moment, then in the order they were scheduled.
    schedule: BTreeMap<Timestamp, Vec<Event>>,
    /// The stand-in's time (not kept: given anew at each start).
    #[serde(skip)]
    pub clock: Clock,
    /// The stand-in's latencies (not kept: given anew at each start).
    #[serde(skip)]
    pub profile: Profile,
    /// Whether calls are limited (not kept: given anew at each start).
    #[serde(skip)]
    pub rates: Rates,
    /// How much the account may have (not kept: given anew at each start).
    #[serde(skip)]
    pub quotas: Quotas,
    #[serde(skip)]
    pub(super) effects: Vec<Effect>,
    #[serde(skip)]
    moment: Option<Timestamp>,
}

impl Sim {
    /// An account with nothing in it but what AWS and the project bring along: the default cluster, family `hello`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            elb: elb::Elb::default(),
            ecs: ecs::Ecs::default(),
            apigateway: apigateway::ApiGateway::default(),
            buckets: Buckets::default(),
            unseen: Unseen::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            schedule: BTreeMap::new(),
            clock: Clock::real(),
            profile: Profile::medians(),
            rates: Rates::default(),
            quotas: Quotas::default(),
            effects: Vec::new(),
            moment: None,
        }
    }

    /// Goes on with this clock and profile, and with chance from `seed`. What chance there was before is mixed in: the
    /// same seed must not give ids away a second time.
    pub(super) fn resume(&mut self, clock: Clock, profile: Profile, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(self.rng.next_u64()));
        self.clock = clock;
        self.profile = profile;
    }

    /// The present moment; while an event happens, the moment at which it was due.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.moment.unwrap_or_else(|| self.clock.now())
    }

    /// Schedules `event` for when `aws_time` will have passed.
    pub fn after(&mut self, aws_time: Duration, event: Event) {
        let due = self.clock.add(self.now(), aws_time);
        self.schedule.entry(due).or_default().push(event);
    }

    /// Asks for I/O once this change is kept.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// A latency from the profile: the median, or a draw.
    pub fn take(&mut self, latency: Latency) -> Duration {
        self.profile.take(latency, &mut self.rng)
    }

    /// Chance, from the seed.
    pub fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    /// `length` hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        self.letters(length, b"0123456789abcdef")
    }

    /// `length` lower-case letters and digits, beginning with a letter, as API Gateway's ids.
    pub fn id(&mut self, length: usize) -> String {
        let mut id = self.letters(1, b"abcdefghijklmnopqrstuvwxyz");
        id.push_str(&self.letters(length.saturating_sub(1), b"abcdefghijklmnopqrstuvwxyz0123456789"));
        id
    }

    fn letters(&mut self, length: usize, alphabet: &[u8]) -> String {
        (0..length).map(|_| char::from(alphabet[(self.rng.next_u32() as usize) % alphabet.len()])).collect()
    }

    /// `arn:aws:{service}:{region}:{account}:{resource}`.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
    }

    /// When the next event is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.schedule.keys().next().copied()
    }

    /// Lets every event happen that is due, each at its own moment.
    pub(super) fn advance(&mut self) {
        let now = self.clock.now();
        while let Some(entry) = self.schedule.first_entry().filter(|entry| *entry.key() <= now) {
            let (due, events) = entry.remove_entry();
            self.moment = Some(due);
            for event in events {
                match event {
                    Event::Elb(event) => elb::happen(self, event),
                    Event::Ecs(event) => ecs::happen(self, event),
                    Event::ApiGateway(event) => apigateway::happen(self, event),
                }
            }
        }
        self.moment = None;
    }
}
