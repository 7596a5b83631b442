//! Slots for the AWS operations whose rate the account shares: one item for each, one conditional update for each slot. The
//! rule is in `functions/domain/src/rate_limit.rs`.
//!
//! No update waits for another or is lost to one. While the bucket is not full, an addition moves its theoretical arrival time
//! (tat), and DynamoDB applies additions one after the other; only the first call after a pause sets it. A caller that dies
//! between reserving a slot and using it leaves a gap of one interval, nothing else.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use berth_domain::Error;
use berth_domain::rate_limit::RateLimit;
use jiff::{SignedDuration, Timestamp};

use super::{Item, Store, milliseconds};
use crate::error::{code, convert};

/// How often the two updates are tried alternately: each fails only if the bucket filled or emptied between them.
const ROUNDS: u32 = 8;

impl Store {
    /// Reserves the next slot for `rate_limit`: the time from which the call may be made.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn slot_reserve(&self, rate_limit: RateLimit) -> Result<Timestamp, Error> {
        let interval = self.clock.scale(rate_limit.interval());
        for attempt in 0..ROUNDS {
            let now = self.clock.now_ms();
            if let Some(tat) = self.extend(rate_limit, now, interval).await? {
                return Ok(rate_limit.slot(tat, now, interval));
            }
            if self.start(rate_limit, now, interval).await? {
                return Ok(now);
            }
            self.back_off(attempt).await;
        }
        Err(Error::unavailable(
            "Too many requests reserve a slot at once. Try again.",
            format!("{rate_limit}: no slot"),
        ))
    }

    /// Records that AWS refused a call in its slot: another client uses the account's rate as well. Reserved slots stay; no new
    /// slot is handed out until the bucket has refilled. Recording it again, as a step does that goes on being throttled, moves
    /// the tat no further than time does.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn bucket_exhausted(&self, rate_limit: RateLimit) -> Result<(), Error> {
        let tat = rate_limit.tat_when_exhausted(self.clock.now_ms(), self.clock.scale(rate_limit.interval()));
        self.tat_set(rate_limit, tat, tat).await.map(drop)
    }

    /// How long a caller that arrived now would wait for a slot, in AWS time: the longest of all rate limits.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn longest_queue(&self) -> Result<Duration, Error> {
        let items = self.partition(pk()).await?;
        let now = self.clock.now_ms();
        let wait = |item: Item| {
            let rate_limit: RateLimit = item.get("sk")?.as_s().ok()?.parse().ok()?;
            let tat = Timestamp::from_millisecond(item.get("tat")?.as_n().ok()?.parse().ok()?).ok()?;
            let slot = rate_limit.slot(tat, now, self.clock.scale(rate_limit.interval()));
            Some(Duration::try_from(slot.duration_since(now)).unwrap_or_default().mul_f64(self.clock.speed()))
        };
        Ok(items.into_iter().filter_map(wait).max().unwrap_or_default())
    }

    /// Moves a tat that is later than `now` by one interval; answers what it was before, `None` when it is not later.
    async fn extend(
        &self,
        rate_limit: RateLimit,
        now: Timestamp,
        interval: Duration,
    ) -> Result<Option<Timestamp>, Error> {
        let joined = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", pk())
            .key("sk", sk(rate_limit))
            .update_expression("SET tat = tat + :interval")
            .condition_expression("tat > :now")
            .expression_attribute_values(":interval", AttributeValue::N(interval.as_millis().max(1).to_string()))
            .expression_attribute_values(":now", milliseconds(now))
            .return_values(ReturnValue::UpdatedOld)
            .send()
            .await;
        match joined {
            Ok(reply) => {
                let tat = reply.attributes().and_then(|item| item.get("tat"));
                let tat = tat.and_then(|value| value.as_n().ok()).and_then(|text| text.parse::<i64>().ok());
                tat.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
                    .map(Some)
                    .ok_or_else(|| Error::internal("the rate limit's item has no number"))
            }
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(None),
            Err(error) => Err(convert("UpdateItem", error)),
        }
    }

    /// Sets the tat of a full bucket; answers false when another call came first.
    async fn start(&self, rate_limit: RateLimit, now: Timestamp, interval: Duration) -> Result<bool, Error> {
        let tat = SignedDuration::try_from(interval).ok().and_then(|interval| now.checked_add(interval).ok());
        self.tat_set(rate_limit, tat.unwrap_or(now), now).await
    }

    /// Sets the tat, unless it is later than `unless_after`; answers whether it did.
    async fn tat_set(&self, rate_limit: RateLimit, tat: Timestamp, unless_after: Timestamp) -> Result<bool, Error> {
        let set = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", pk())
            .key("sk", sk(rate_limit))
            .update_expression("SET tat = :tat")
            .condition_expression("attribute_not_exists(tat) OR tat <= :until")
            .expression_attribute_values(":tat", milliseconds(tat))
            .expression_attribute_values(":until", milliseconds(unless_after))
            .send()
            .await;
        match set {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(convert("UpdateItem", error)),
        }
    }
}

fn pk() -> AttributeValue {
    AttributeValue::S("RATE".to_owned())
}

fn sk(rate_limit: RateLimit) -> AttributeValue {
    AttributeValue::S(rate_limit.as_str().to_owned())
}
