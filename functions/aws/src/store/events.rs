//! What happened to an environment: one item per event, written with the change that made it.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use berth_domain::environment::EventKind;
use berth_domain::{Environment, EnvironmentId, Error, Team};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, keyed, pk};
use crate::error::convert;

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the environment's history: begins at 1 and grows; there are gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// EventKind of one write; a change makes fewer than this.
const EVENTS_PER_VERSION: u64 = 100;

fn sk(id: &EnvironmentId, number: u64) -> AttributeValue {
    AttributeValue::S(format!("EVENT#{id}#{number:012}"))
}

impl Store {
    /// The writes that keep the pending events of `environment`, which is being written as its present version.
    pub(super) fn event_writes(&self, environment: &Environment) -> Result<Vec<TransactWriteItem>, Error> {
        let first = (environment.version() - 1) * EVENTS_PER_VERSION + 1;
        (first..)
            .zip(environment.pending_events())
            .map(|(number, kind)| {
                let event = Event { number, at: environment.updated_at(), kind: kind.clone() };
                let item = keyed(pk(&environment.team), sk(&environment.id, number), event)?;
                let put =
                    Put::builder().table_name(&self.table).set_item(Some(item)).build().map_err(Error::internal)?;
                Ok(TransactWriteItem::builder().put(put).build())
            })
            .collect()
    }

    /// What happened to an environment after the event `after` (0: from the beginning), at most `limit` events.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn environment_events(
        &self,
        team: &Team,
        id: &EnvironmentId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Error> {
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", pk(team))
            .expression_attribute_values(":first", sk(id, after.saturating_add(1)))
            .expression_attribute_values(":last", sk(id, 999_999_999_999))
            .consistent_read(true)
            .limit(i32::try_from(limit).map_err(Error::internal)?)
            .send()
            .await
            .map_err(|error| convert("Query", error))?;
        serde_dynamo::from_items(page.items.unwrap_or_default()).map_err(Error::internal)
    }
}
