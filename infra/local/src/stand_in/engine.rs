//! The machinery of a simulated account: clock, schedule of events, random numbers, I/O to be started, reads that lag,
//! and rate buckets. It knows no service; `account` gives events their meaning.
//!
//! Everything in it is deterministic for a seed: maps are ordered, ids and latencies come from one generator.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use berth_domain::Clock;
use jiff::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::profile::{Latency, Profile};
use super::rates::{Bucket, Buckets, Rates};
use super::read_lag::Unseen;
use crate::stored::{Row, Rows, Stored, StoredRows};

/// The kind of the rows of scheduled events.
const EVENT: &str = "event";

/// The machinery of an account whose events are `Event`s and whose I/O is asked for by `Effect`s.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", default)]
pub struct Engine<Event, Effect> {
    /// How often the account has been started.
    starts: u64,
    #[serde(skip)]
    buckets: Buckets,
    /// Not stored: at each start, reads see everything.
    #[serde(skip)]
    pub(super) unseen: Unseen,
    /// Not stored: seeded at each start.
    #[serde(skip, default = "unseeded")]
    rng: ChaCha8Rng,
    #[serde(skip)]
    schedule: Stored<Due, Event>,
    /// The number of the next event.
    #[serde(skip)]
    next: u64,
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

/// When an event is due; events of one moment come in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Timestamp,
    number: u64,
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.number)
    }
}

impl FromStr for Due {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, number) = text.split_once(' ').ok_or(())?;
        Ok(Self { at: at.parse().map_err(drop)?, number: number.parse().map_err(drop)? })
    }
}

fn unseeded() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

impl<Event, Effect> Default for Engine<Event, Effect> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<Event, Effect> Engine<Event, Effect> {
    /// Nothing is scheduled; real time and the profile's medians until `resume`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            starts: 0,
            buckets: Buckets::default(),
            unseen: Unseen::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            schedule: Stored::default(),
            next: 0,
            clock: Clock::real(),
            profile: Profile::medians(),
            rates: Rates::default(),
            effects: Vec::new(),
            due: None,
        }
    }

    /// Continues with this clock, profile and rates, and with random numbers from `seed`. Each start has a separate stream, so
    /// that the same seed does not give the same ids a second time.
    pub(super) fn resume(&mut self, clock: Clock, profile: Profile, rates: Rates, seed: u64) {
        self.starts += 1;
        self.rng = ChaCha8Rng::seed_from_u64(seed);
        self.rng.set_stream(self.starts);
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
        let at = self.clock.add(self.now(), aws_time);
        self.schedule.insert(Due { at, number: self.next }, event);
        self.next += 1;
    }

    /// When the next event is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.schedule.keys().next().map(|due| due.at)
    }

    /// Takes the next event that is due at `now` from the schedule, and sets [`Engine::now`] to its due time; without one,
    /// back to the present.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Event> {
        self.due = None;
        let due = self.schedule.keys().next().filter(|due| due.at <= now)?.clone();
        self.due = Some(due.at);
        self.schedule.remove(&due)
    }

    /// Adds the rows of the events that were scheduled or handled, as far as they are `stored`.
    pub(super) fn take_rows(&mut self, rows: &mut Rows, stored: impl Fn(&Event) -> bool)
    where
        Event: Serialize,
    {
        self.schedule
            .take_rows_of(EVENT, rows, |due, event| stored(event).then(|| Row::of(EVENT, due, event)).flatten());
        self.buckets.take_rows(rows);
    }

    /// Reads back what was stored.
    pub(super) fn read_rows(&mut self, rows: &mut StoredRows) -> Result<(), String>
    where
        Event: serde::de::DeserializeOwned,
    {
        self.schedule = Stored::read(EVENT, rows)?;
        self.buckets = Buckets::read_rows(rows)?;
        self.next = self.schedule.keys().map(|due| due.number + 1).max().unwrap_or_default();
        Ok(())
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
