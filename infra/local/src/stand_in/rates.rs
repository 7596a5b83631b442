//! How often an account may call: AWS's token buckets, one for an operation or for several. Each service's `rates` says
//! which bucket a call takes from.
//!
//! A bucket is the time at which it will be full again, so that refilling needs no event. It is stored: restarting the stand-in
//! does not refill it. A stage with a throttle has a separate bucket, which is not stored: a client's request must not
//! be a write to the disk. DynamoDB, Step Functions, STS and EC2 have no buckets.

use std::borrow::Cow;
use std::time::Duration;

use berth_domain::Clock;
use jiff::Timestamp;

use crate::stored::{Row, Rows, Stored, StoredRows};

/// The kind of the rows of buckets.
const BUCKET: &str = "bucket";
/// How the name of a stage's bucket begins.
const STAGE: &str = "stage ";

/// With so many buckets, the full ones are removed, because every stage adds one.
const MAX_BUCKETS: usize = 100;

/// Whether calls are limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rates {
    /// As AWS limits them.
    #[default]
    Aws,
    /// Not at all: for tests that make more calls than AWS would let them.
    Unlimited,
}

/// A token bucket.
pub struct Bucket {
    /// Operations that name the same bucket share it.
    name: Cow<'static, str>,
    /// How many calls a full bucket lets through at once.
    capacity: u32,
    /// How many tokens come back in one AWS second.
    refill: f64,
}

impl Bucket {
    /// A bucket of this name (unique among all services), its capacity, and the tokens that come back in one AWS second.
    #[must_use]
    pub const fn new(name: &'static str, capacity: u32, refill: f64) -> Self {
        Self { name: Cow::Borrowed(name), capacity, refill }
    }

    /// The bucket of one stage of a REST API.
    pub(super) fn of_stage(api: &str, stage: &str, burst: u32, requests_per_second: f64) -> Self {
        let name = Cow::Owned(format!("{STAGE}{api}/{stage}"));
        Self { name, capacity: burst, refill: requests_per_second }
    }

    /// How long, in AWS time, `tokens` take to come back.
    fn time_of(&self, tokens: u32) -> Duration {
        Duration::from_secs_f64(f64::from(tokens) / self.refill)
    }
}

/// The buckets that are not full: when each will be.
#[derive(Default)]
pub(super) struct Buckets(Stored<String, Timestamp>);

impl Buckets {
    /// Takes a token; false when there is none.
    pub(super) fn take(&mut self, bucket: &Bucket, now: Timestamp, clock: &Clock) -> bool {
        let full = self.0.get(&*bucket.name).copied().filter(|full| *full > now).unwrap_or(now);
        let missing = clock.left_until(full).unwrap_or_default();
        if missing > bucket.time_of(bucket.capacity - 1) {
            return false;
        }
        if self.0.len() >= MAX_BUCKETS {
            self.0.remove_where(|_, full| *full <= now);
        }
        self.0.insert(bucket.name.clone().into_owned(), clock.add(full, bucket.time_of(1)));
        true
    }

    /// Adds the rows of the buckets that were touched, but for stages'.
    pub(super) fn take_rows(&mut self, rows: &mut Rows) {
        let stored = |name: &String| !name.starts_with(STAGE);
        self.0.take_rows_of(BUCKET, rows, |name, full| stored(name).then(|| Row::of(BUCKET, name, full)).flatten());
    }

    /// Reads back what was stored.
    pub(super) fn read_rows(rows: &mut StoredRows) -> Result<Self, String> {
        Stored::read(BUCKET, rows).map(Self)
    }
}
