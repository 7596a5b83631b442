//! What happened to an environment: one item per event, written with the change that made it.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use berth_domain::environment::{EventKind, PendingEvent};
use berth_domain::{Environment, EnvironmentId, Error, Team};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::expiry::expire_with;
use super::{Item, Store, keyed, pk};
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
    /// The subject of the caller whose request did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// EventKind of one write; a change makes fewer than this.
const EVENTS_PER_VERSION: u64 = 100;

/// No event has a higher number.
pub(super) const LAST: u64 = 999_999_999_999;

pub(super) fn sk(id: &EnvironmentId, number: u64) -> AttributeValue {
    AttributeValue::S(format!("EVENT#{id}#{number:012}"))
}

impl Store {
    /// The writes that keep the pending events of `environment`, which is being written as its present version.
    pub(super) fn event_writes(&self, environment: &Environment) -> Result<Vec<TransactWriteItem>, Error> {
        let first = (environment.version() - 1) * EVENTS_PER_VERSION + 1;
        (first..)
            .zip(environment.pending_events())
            .map(|(number, PendingEvent { kind, by })| {
                let event = Event { number, at: environment.updated_at(), kind: kind.clone(), by: by.clone() };
                let mut item = keyed(pk(&environment.team), sk(&environment.id, number), event)?;
                expire_with(&mut item, environment);
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
            .expression_attribute_values(":last", sk(id, LAST))
            .consistent_read(true)
            .limit(i32::try_from(limit).map_err(Error::internal)?)
            .send()
            .await
            .map_err(|error| convert("Query", error))?;
        page.items.unwrap_or_default().into_iter().map(event_of).collect()
    }
}

/// The event in an item. One whose kind this version does not know, because a newer one wrote it, hides no other.
fn event_of(item: Item) -> Result<Event, Error> {
    #[derive(Deserialize)]
    struct When {
        number: u64,
        at: Timestamp,
    }
    serde_dynamo::from_item(item.clone()).or_else(|error: serde_dynamo::Error| {
        tracing::error!(sk = ?item.get("sk"), cause = %error, "an event cannot be read");
        let When { number, at } = serde_dynamo::from_item(item).map_err(Error::internal)?;
        Ok(Event { number, at, kind: EventKind::Unreadable, by: None })
    })
}
