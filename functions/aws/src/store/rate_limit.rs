//! The queues for paced operations: one item for each, one conditional update for each turn. The rule is in
//! `functions/domain/src/rate_limit.rs`.
//!
//! No update waits for another or can be lost to one: while the queue is busy its end is moved by an addition, which
//! DynamoDB applies one after the other; only the first after a pause sets it. Who dies between taking a turn and using it
//! leaves a gap of one interval, nothing else.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use berth_domain::Error;
use berth_domain::rate_limit::RateLimit;
use jiff::{SignedDuration, Timestamp};

use super::{Store, milliseconds};
use crate::error::{code, convert};

/// How often the two updates are tried in turns: each fails only if the queue ran empty or filled between them.
const ROUNDS: u32 = 8;

impl Store {
    /// Takes the next turn for `paced`: the moment from which the call may be made.
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
        Err(Error::unavailable("Too many wait for AWS at once; try again.", format!("{rate_limit}: no turn")))
    }

    /// AWS has refused a call for `paced` although its turn had come, because somebody else uses the account's rate too. Those
    /// who have a turn keep it; those who come now wait until there is something to have again. Repeating it, as a step does
    /// that goes on being throttled, moves nothing further than time does.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn bucket_exhausted(&self, rate_limit: RateLimit) -> Result<(), Error> {
        let tat = rate_limit.tat_when_exhausted(self.clock.now_ms(), self.clock.scale(rate_limit.interval()));
        self.tat_set(rate_limit, tat, tat).await.map(drop)
    }

    /// Joins a queue that is being tat until later than `now`; until when it is tat without this turn.
    async fn extend(&self, rate_limit: RateLimit, now: Timestamp, interval: Duration) -> Result<Option<Timestamp>, Error> {
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
                tat
                    .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
                    .map(Some)
                    .ok_or_else(|| Error::internal("the queue's item has no number"))
            }
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(None),
            Err(error) => Err(convert("UpdateItem", error)),
        }
    }

    /// Begins a queue that is empty; answers false when somebody else has.
    async fn start(&self, rate_limit: RateLimit, now: Timestamp, interval: Duration) -> Result<bool, Error> {
        let tat = SignedDuration::try_from(interval).ok().and_then(|interval| now.checked_add(interval).ok());
        self.tat_set(rate_limit, tat.unwrap_or(now), now).await
    }

    /// Sets until when the queue is tat, unless that is later than `unless_after`; answers whether it did.
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
    AttributeValue::S(rate_limit.name().to_owned())
}
