//! The janitor's view: environments of every team, by when they have to be looked after.

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::{Environment, Error};
use jiff::Timestamp;

use super::record::{Record, Unreadable};
use super::{DUE, Item, Store, WATCHED, YES, milliseconds};
use crate::error::convert;

/// What the janitor has to look after.
#[derive(Debug, Default)]
pub struct Watched {
    /// The environments, the most urgent first.
    pub environments: Vec<Environment>,
    /// Those whose records cannot be read. They keep no other from being looked after.
    pub unreadable: Vec<Unreadable>,
}

impl Store {
    /// What has to be looked after by `at`; with `Timestamp::MAX` every environment that is not deleted, and those deleted last. The
    /// index lags: what changed a moment ago may be missing or have changed again.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn environments_due(&self, at: Timestamp) -> Result<Watched, Error> {
        let mut watched = Watched::default();
        for key in self.keys_due(at).await? {
            let (Some(pk), Some(sk)) = (key.get("pk"), key.get("sk")) else { continue };
            let Some(item) = self.item(pk.clone(), sk.clone()).await? else { continue };
            match Record::of(&item) {
                Some(Record::Readable(environment)) if environment.due_at(&self.clock) <= at => {
                    watched.environments.push(*environment);
                }
                Some(Record::Unreadable(unreadable)) => watched.unreadable.push(unreadable),
                Some(Record::Readable(_)) | None => {}
            }
        }
        Ok(watched)
    }

    async fn keys_due(&self, at: Timestamp) -> Result<Vec<Item>, Error> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(DUE)
            .key_condition_expression("#watched = :yes AND #due <= :at")
            .expression_attribute_names("#watched", WATCHED)
            .expression_attribute_names("#due", DUE)
            .expression_attribute_values(":yes", AttributeValue::S(YES.to_owned()))
            .expression_attribute_values(":at", milliseconds(at));
        let keys: Result<Vec<_>, _> = query.into_paginator().items().send().collect().await;
        keys.map_err(|error| convert("Query", error))
    }
}
