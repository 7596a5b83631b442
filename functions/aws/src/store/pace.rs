//! The queues for paced operations: one item for each, one conditional update for each turn. The rule is in
//! `functions/domain/src/pace.rs`.
//!
//! No update waits for another or can be lost to one: while the queue is busy its end is moved by an addition, which
//! DynamoDB applies one after the other; only the first after a pause sets it. Who dies between taking a turn and using it
//! leaves a gap of one interval, nothing else.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use berth_domain::Error;
use berth_domain::pace::Paced;
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
    pub async fn turn_take(&self, paced: Paced) -> Result<Timestamp, Error> {
        let interval = self.clock.scale(paced.interval());
        for attempt in 0..ROUNDS {
            let now = self.clock.now_ms();
            if let Some(served) = self.join(paced, now, interval).await? {
                return Ok(paced.at(served, now, interval));
            }
            if self.begin(paced, now, interval).await? {
                return Ok(now);
            }
            self.back_off(attempt).await;
        }
        Err(Error::unavailable("Too many wait for AWS at once; try again.", format!("{paced}: no turn")))
    }

    /// AWS has refused a call for `paced` although its turn had come, because somebody else uses the account's rate too. Those
    /// who have a turn keep it; those who come now wait until there is something to have again. Repeating it, as a step does
    /// that goes on being throttled, moves nothing further than time does.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn turns_used_up(&self, paced: Paced) -> Result<(), Error> {
        let served = paced.served_when_used_up(self.clock.now_ms(), self.clock.scale(paced.interval()));
        self.serve_until(paced, served, served).await.map(drop)
    }

    /// Joins a queue that is being served until later than `now`; until when it is served without this turn.
    async fn join(&self, paced: Paced, now: Timestamp, interval: Duration) -> Result<Option<Timestamp>, Error> {
        let joined = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", pk())
            .key("sk", sk(paced))
            .update_expression("SET served = served + :interval")
            .condition_expression("served > :now")
            .expression_attribute_values(":interval", AttributeValue::N(interval.as_millis().max(1).to_string()))
            .expression_attribute_values(":now", milliseconds(now))
            .return_values(ReturnValue::UpdatedOld)
            .send()
            .await;
        match joined {
            Ok(reply) => {
                let served = reply.attributes().and_then(|item| item.get("served"));
                let served = served.and_then(|value| value.as_n().ok()).and_then(|text| text.parse::<i64>().ok());
                served
                    .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
                    .map(Some)
                    .ok_or_else(|| Error::internal("the queue's item has no number"))
            }
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(None),
            Err(error) => Err(convert("UpdateItem", error)),
        }
    }

    /// Begins a queue that is empty; answers false when somebody else has.
    async fn begin(&self, paced: Paced, now: Timestamp, interval: Duration) -> Result<bool, Error> {
        let served = SignedDuration::try_from(interval).ok().and_then(|interval| now.checked_add(interval).ok());
        self.serve_until(paced, served.unwrap_or(now), now).await
    }

    /// Sets until when the queue is served, unless that is later than `unless_after`; answers whether it did.
    async fn serve_until(&self, paced: Paced, served: Timestamp, unless_after: Timestamp) -> Result<bool, Error> {
        let set = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", pk())
            .key("sk", sk(paced))
            .update_expression("SET served = :served")
            .condition_expression("attribute_not_exists(served) OR served <= :until")
            .expression_attribute_values(":served", milliseconds(served))
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
    AttributeValue::S("PACE".to_owned())
}

fn sk(paced: Paced) -> AttributeValue {
    AttributeValue::S(paced.name().to_owned())
}
