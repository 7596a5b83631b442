//! The end of what is kept: items with `expires_at` in the past. DynamoDB removes them, sometimes days later
//! (docs/aws.md#dynamodb), so every read for a request leaves them out itself.
//!
//! A deleted environment's record gets the moment when it is written as deleted. Its earlier events get the same moment from the
//! janitor soon after, because they are more than one transaction takes. Nothing of any other environment has such a moment.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use berth_domain::{Environment, Error};
use jiff::Timestamp;

use super::events;
use super::{DUE, Item, Store, WATCHED, environment_sk, pk};
use crate::error::{code, convert};

/// The attribute by which DynamoDB removes items, in seconds since the epoch.
pub(super) const EXPIRES: &str = "expires_at";

/// How many events one transaction changes: DynamoDB takes 100 (docs/aws.md#dynamodb).
const EVENTS_AT_ONCE: usize = 100;

/// When `item` expires, if it does.
fn expires_at(item: &Item) -> Option<i64> {
    item.get(EXPIRES)?.as_n().ok()?.parse().ok()
}

/// Whether `item` has expired at `now`.
pub(super) fn is_expired(item: &Item, now: Timestamp) -> bool {
    expires_at(item).is_some_and(|at| at <= now.as_second())
}

/// Lets `item` expire with its environment, if that does.
pub(super) fn expire_with(item: &mut Item, environment: &Environment) {
    if let Some(until) = environment.kept_until() {
        item.insert(EXPIRES.to_owned(), seconds(until));
    }
}

fn seconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_second().to_string())
}

impl Store {
    /// Lets every event of a deleted environment expire with its record, and ends the janitor's looking after it. May be repeated.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached, or the record has changed meanwhile: the next sweep does it.
    pub async fn history_expire(&self, environment: &Environment) -> Result<(), Error> {
        let Some(until) = environment.kept_until() else { return Ok(()) };
        let lasting = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .filter_expression("attribute_not_exists(#expires)")
            .projection_expression("pk, sk")
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":pk", pk(&environment.team))
            .expression_attribute_values(":first", events::sk(&environment.id, 0))
            .expression_attribute_values(":last", events::sk(&environment.id, events::LAST))
            .consistent_read(true);
        let keys: Result<Vec<Item>, _> = lasting.into_paginator().items().send().collect().await;
        let keys = keys.map_err(|error| convert("Query", error))?;
        for keys in keys.chunks(EVENTS_AT_ONCE) {
            let expire = |key: &Item| {
                let update = Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.clone()))
                    .update_expression("SET #expires = :at")
                    .condition_expression("attribute_exists(pk)")
                    .expression_attribute_names("#expires", EXPIRES)
                    .expression_attribute_values(":at", seconds(until))
                    .build()
                    .map_err(Error::internal)?;
                Ok(TransactWriteItem::builder().update(update).build())
            };
            let updates = keys.iter().map(expire).collect::<Result<Vec<_>, Error>>()?;
            let write = self.client.transact_write_items().set_transact_items(Some(updates));
            write.send().await.map_err(|error| convert("TransactWriteItems", error))?;
        }
        self.unwatch(environment).await
    }

    /// Takes a deleted environment out of the index `due`, unless its record has changed.
    async fn unwatch(&self, environment: &Environment) -> Result<(), Error> {
        let unwatched = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", pk(&environment.team))
            .key("sk", environment_sk(&environment.id))
            .update_expression("REMOVE #watched, #due")
            .condition_expression("version = :seen")
            .expression_attribute_names("#watched", WATCHED)
            .expression_attribute_names("#due", DUE)
            .expression_attribute_values(":seen", AttributeValue::N(environment.version().to_string()))
            .send()
            .await;
        match unwatched {
            Ok(_) => Ok(()),
            // What was written meanwhile is due again.
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(convert("UpdateItem", error)),
        }
    }
}
