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
//!
//! An environment's record is one attribute, `record`, as JSON: it is read and written as a whole, and a tree of a hundred
//! attributes would cost more than everything else in a call. Beside it stands what conditions and filters ask for.
//!
//! An environment that is not deleted also carries `watched` and `due`, the key of the index `due`: so the janitor finds
//! what it has to look after, the most urgent first, without reading the table.
//!
//! `environments` creates and lists, `change` reads and changes, `watch` is the janitor's view; `events` reads what
//! happened; `rate_limit` and `findings` hold what belongs to no team; `table` makes the table where no template does.

mod change;
mod environments;
mod events;
mod findings;
mod rate_limit;
mod table;
mod watch;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::{Clock, Environment, EnvironmentId, Error, Team};
use jiff::Timestamp;

pub use environments::{Created, IdempotencyKey, Page};
pub use events::Event;
pub use findings::Finding;

/// The table; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
    clock: Clock,
}

impl Store {
    /// The table named `table`.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>, clock: Clock) -> Self {
        Self { client, table: table.into(), clock }
    }
}

/// The index of what is not deleted, by when it has to be looked after, and its key attributes.
const DUE: &str = "due";
const WATCHED: &str = "watched";
/// The index has one partition: it holds what there is, not what ever was.
const YES: &str = "yes";

/// The attribute with an environment's record.
const RECORD: &str = "record";

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

/// The environment in an item.
fn environment_of(item: &Item) -> Result<Environment, Error> {
    let record = item.get(RECORD).and_then(|record| record.as_s().ok());
    let record = record.ok_or_else(|| Error::internal(format!("{:?} has no record", item.get("sk"))))?;
    serde_json::from_str(record).map_err(Error::internal)
}

/// `environment` as an item.
fn environment_item(environment: &Environment, clock: &Clock) -> Result<Item, Error> {
    let record = serde_json::to_string(environment).map_err(Error::internal)?;
    let mut item = Item::from([
        ("pk".to_owned(), pk(&environment.team)),
        ("sk".to_owned(), environment_sk(&environment.id)),
        ("version".to_owned(), AttributeValue::N(environment.version().to_string())),
        ("status".to_owned(), AttributeValue::S(environment.status().to_string())),
        (RECORD.to_owned(), AttributeValue::S(record)),
    ]);
    if let Some(due) = environment.due_at(clock) {
        item.insert(WATCHED.to_owned(), AttributeValue::S(YES.to_owned()));
        item.insert(DUE.to_owned(), milliseconds(due));
    }
    Ok(item)
}

fn milliseconds(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// `value` as an item under its key.
fn keyed(pk: AttributeValue, sk: AttributeValue, value: impl serde::Serialize) -> Result<Item, Error> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(Error::internal)?;
    item.insert("pk".to_owned(), pk);
    item.insert("sk".to_owned(), sk);
    Ok(item)
}
