//! The janitor's view: environments of every team, by when they have to be looked after.

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::{Environment, Error};
use jiff::Timestamp;

use super::{DUE, Item, Store, WATCHED, YES, environment_of, milliseconds};
use crate::error::convert;

impl Store {
    /// The environments that have to be looked after by `at`, the most urgent first; with `Timestamp::MAX` every one
    /// that is not deleted. The index lags: what changed a moment ago may be missing or have changed again.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn environments_due(&self, at: Timestamp) -> Result<Vec<Environment>, Error> {
        let mut due = Vec::new();
        for key in self.keys_due(at).await? {
            let (Some(pk), Some(sk)) = (key.get("pk"), key.get("sk")) else { continue };
            let Some(item) = self.item(pk.clone(), sk.clone()).await? else { continue };
            match environment_of(&item) {
                Ok(environment) if environment.due_at(&self.clock).is_some_and(|due| due <= at) => {
                    due.push(environment)
                }
                Ok(_) => {}
                // One that cannot be read keeps no other from being looked after.
                Err(error) => tracing::error!(?sk, cause = error.cause(), "a record cannot be read"),
            }
        }
        Ok(due)
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
