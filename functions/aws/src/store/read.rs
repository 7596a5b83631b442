//! The reads that the other modules share. Only `unexpired_item` leaves out what has expired, as every read for a request must.
//! The janitor has to see it, because the events of an environment do not expire before the janitor has dated them.

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use berth_domain::Error;

use super::change::ATTEMPTS;
use super::expiry::is_expired;
use super::{Item, Store};
use crate::error::convert;

/// How many items one call reads (docs/aws.md#dynamodb).
const KEYS_AT_ONCE: usize = 100;

impl Store {
    /// The item with this key, expired or not.
    pub(super) async fn item(&self, pk: AttributeValue, sk: AttributeValue) -> Result<Option<Item>, Error> {
        let get = self.client.get_item().table_name(&self.table).key("pk", pk).key("sk", sk).consistent_read(true);
        let reply = get.send().await.map_err(|error| convert("GetItem", error))?;
        Ok(reply.item)
    }

    /// The item with this key, unless it has expired.
    pub(super) async fn unexpired_item(&self, pk: AttributeValue, sk: AttributeValue) -> Result<Option<Item>, Error> {
        Ok(self.item(pk, sk).await?.filter(|item| !is_expired(item, self.clock.now())))
    }

    /// Every item of a partition that belongs to no team.
    pub(super) async fn partition(&self, pk: AttributeValue) -> Result<Vec<Item>, Error> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", pk)
            .consistent_read(true);
        let items: Result<Vec<_>, _> = query.into_paginator().items().send().collect().await;
        items.map_err(|error| convert("Query", error))
    }

    /// The items of these keys, in no order; those that are gone are left out.
    pub(super) async fn items(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        let key = |key: Item| key.into_iter().filter(|(name, _)| name == "pk" || name == "sk").collect::<Item>();
        let mut left: Vec<Item> = keys.into_iter().map(key).collect();
        let mut attempt = 0;
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(KEYS_AT_ONCE));
            let wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let wanted = wanted.map_err(Error::internal)?;
            let reply = self.client.batch_get_item().request_items(&self.table, wanted).send().await;
            let reply = reply.map_err(|error| convert("BatchGetItem", error))?;
            items.extend(reply.responses.unwrap_or_default().into_values().flatten());
            // DynamoDB leaves out what does not fit into 16 MB, and what it throttles.
            let unprocessed = reply.unprocessed_keys.unwrap_or_default().into_values();
            left = unprocessed.flat_map(|keys| keys.keys).collect();
            if !left.is_empty() {
                self.back_off(attempt).await;
                attempt += 1;
            }
            if attempt > ATTEMPTS {
                return Err(Error::unavailable(
                    "The list could not be read now. Try again.",
                    "BatchGetItem: keys left over",
                ));
            }
            left.extend(rest);
        }
        Ok(items)
    }
}
