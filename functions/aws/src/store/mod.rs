//! The one DynamoDB table. Every item of a team stands in its partition, so no query can see another team's:
//!
//! | pk          | sk                    | what                                                    |
//! |-------------|-----------------------|---------------------------------------------------------|
//! | `TEAM#team` | `ENV#id`              | an environment                                          |
//! | `TEAM#team` | `NAME#name`           | which environment has the name                          |
//! | `TEAM#team` | `KEY#hash`            | an `Idempotency-Key` and the answer it got; expires     |
//! | `TEAM#team` | `EVENT#id#number`     | something that happened to an environment               |
//! | `RATE`      | operation             | the theoretical arrival time of a rate limit            |
//! | `FINDING`   | kind and id           | a resource in AWS that no record explains               |
//! | `UNREADABLE`| id                    | an environment whose record the last audit could not read |
//!
//! An environment's record is one attribute, `record`, as JSON: it is read and written as a whole, and a tree of a hundred
//! attributes would cost more than everything else in a call. Beside it stands what conditions and filters ask for, and what
//! is shown of an environment whose record this version cannot read.
//!
//! An environment also carries `listed`, the key of the index `status` in its team's partition; and, while the janitor has to look
//! after it, `watched` and `due`, the key of the index `due`, which has the most urgent first. So neither a list by status nor
//! the janitor reads what ever was.
//!
//! `expires_at` is the attribute by which DynamoDB removes items, days late sometimes, so what has expired is no longer answered.
//! Idempotency keys have it, and deleted environments with their events.
//!
//! `record` is an environment as an item; `environments` creates and lists, `change` reads and changes, `watch` is the janitor's
//! view; `events` reads what happened, `expiry` ends it; `rate_limit` and `findings` hold what belongs to no team; `read` is shared
//! by them; `table` makes the table where no template does.

mod change;
mod environments;
mod events;
mod expiry;
mod findings;
mod rate_limit;
mod read;
mod record;
mod table;
mod watch;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::settings::Settings;
use berth_domain::{Clock, EnvironmentId, Error, Status, Team};
use jiff::{SignedDuration, Timestamp};

pub use environments::{Created, IdempotencyKey, Page};
pub use events::Event;
pub use findings::{Finding, UnreadableRecord};
pub use record::{Record, Unreadable};
pub use watch::Watched;

/// The table; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
    /// How long the records and histories of deleted environments are kept.
    retention: SignedDuration,
    clock: Clock,
}

impl Store {
    /// The table of a deployment.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, settings: &Settings, clock: Clock) -> Self {
        Self { client, table: settings.deployment.clone(), retention: settings.retention(), clock }
    }
}

/// The index of what is not deleted, by when it has to be looked after, and its key attributes.
const DUE: &str = "due";
const WATCHED: &str = "watched";
/// The index has one partition: it holds what there is, not what ever was.
const YES: &str = "yes";

/// The index of a team's environments by status, and its range key.
const STATUS_INDEX: &str = "status";
const LISTED: &str = "listed";

type Item = HashMap<String, AttributeValue>;

fn pk(team: &Team) -> AttributeValue {
    AttributeValue::S(format!("TEAM#{team}"))
}

fn environment_sk(id: &EnvironmentId) -> AttributeValue {
    AttributeValue::S(format!("ENV#{id}"))
}

fn name_sk(name: &str) -> AttributeValue {
    AttributeValue::S(format!("NAME#{name}"))
}

fn milliseconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// The range key of the index of a team's environments by status; without an id what all of that status begin with.
fn listed(status: Status, id: &str) -> AttributeValue {
    AttributeValue::S(format!("{status}#{id}"))
}

/// `value` as an item under its key.
fn keyed(pk: AttributeValue, sk: AttributeValue, value: impl serde::Serialize) -> Result<Item, Error> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(Error::internal)?;
    item.insert("pk".to_owned(), pk);
    item.insert("sk".to_owned(), sk);
    Ok(item)
}
