//! The machinery of a simulated account: clock, schedule of events, random numbers, I/O to be started, reads that lag,
//! and rate buckets. It knows no service; `account` gives events their meaning.
//!
//! Everything in it is deterministic for a seed: maps are ordered, ids and latencies come from one generator.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use berth_domain::Clock;
use jiff::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::profile::{Latency, Profile};
use super::rates::{Bucket, Buckets, Rates};
use super::read_lag::Unseen;

/// The machinery of an account whose events are `Event`s and whose I/O is asked for by `Effect`s.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "Event: Serialize", deserialize = "Event: Deserialize<'de>"))]
pub struct Engine<Event, Effect> {
    buckets: Buckets,
    pub(super) unseen: Unseen,
    rng: ChaCha8Rng,
    /// By due time, then in the order in which they were scheduled.
    schedule: BTreeMap<Timestamp, VecDeque<Event>>,
    /// The account's time. Not stored: set at each start.
    #[serde(skip)]
    pub clock: Clock,
    /// The account's latencies. Not stored: set at each start.
    #[serde(skip)]
    pub profile: Profile,
    /// Whether calls are limited. Not stored: set at each start.
    #[serde(skip)]
    pub rates: Rates,
    #[serde(skip)]
    effects: Vec<Effect>,
    /// When the event that is being handled was due.
    #[serde(skip)]
    due: Option<Timestamp>,
}

impl<Event, Effect> Engine<Event, Effect> {
    /// Nothing is scheduled; real time and the profile's medians until `resume`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            buckets: Buckets::default(),
            unseen: Unseen::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            schedule: BTreeMap::new(),
            clock: Clock::real(),
            profile: Profile::medians(),
            rates: Rates::default(),
            effects: Vec::new(),
            due: None,
        }
    }

    /// Continues with this clock, profile and rates, and with random numbers from `seed`. The state of the former
    /// generator is mixed in, so that the same seed does not give the same ids a second time.
    pub(super) fn resume(&mut self, clock: Clock, profile: Profile, rates: Rates, seed: u64) {
        self.rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(self.rng.next_u64()));
        self.clock = clock;
        self.profile = profile;
        self.rates = rates;
    }

    /// The present time; while an event is handled, the time at which it was due.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.due.unwrap_or_else(|| self.clock.now())
    }

    /// Schedules `event` for when `aws_time` will have passed.
    pub fn after(&mut self, aws_time: Duration, event: Event) {
        let due = self.clock.add(self.now(), aws_time);
        self.schedule.entry(due).or_default().push_back(event);
    }

    /// When the next event is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.schedule.keys().next().copied()
    }

    /// Takes the next event that is due at `now` from the schedule, and sets [`Engine::now`] to its due time; without one,
    /// back to the present.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Event> {
        self.due = None;
        let mut entry = self.schedule.first_entry().filter(|entry| *entry.key() <= now)?;
        self.due = Some(*entry.key());
        let event = entry.get_mut().pop_front();
        if entry.get().is_empty() {
            entry.remove();
        }
        event
    }

    /// Asks for I/O, which starts after this change is stored.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Takes the I/O that was asked for.
    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Takes a token for one call. False when the bucket has none.
    pub(super) fn admits(&mut self, bucket: &Bucket) -> bool {
        self.rates == Rates::Unlimited || self.buckets.take(bucket, self.now(), &self.clock)
    }

    /// Notes that the resource with this key (ARN, `cluster/name` or id) was created. If the profile lags, reads do not
    /// see it for a while.
    pub fn created(&mut self, key: &str) {
        if self.profile.lags() {
            let latency = self.take(Latency::Visible);
            let from = self.clock.add(self.now(), latency);
            self.unseen.insert(key, from);
        }
    }

    /// A latency from the profile: the median, or a draw.
    pub fn take(&mut self, latency: Latency) -> Duration {
        self.profile.take(latency, &mut self.rng)
    }

    /// The random numbers, from the seed.
    pub fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    /// `length` hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        self.letters(length, b"0123456789abcdef")
    }

    /// `length` lower-case letters and digits, a letter first, like API Gateway's ids.
    pub fn id(&mut self, length: usize) -> String {
        let mut id = self.letters(1, b"abcdefghijklmnopqrstuvwxyz");
        id.push_str(&self.letters(length.saturating_sub(1), b"abcdefghijklmnopqrstuvwxyz0123456789"));
        id
    }

    fn letters(&mut self, length: usize, alphabet: &[u8]) -> String {
        (0..length).map(|_| char::from(alphabet[(self.rng.next_u32() as usize) % alphabet.len()])).collect()
    }
}
