//! An environment's record as an item of the table, and back. Beside the record stand plain attributes, so that an item whose
//! record cannot be read still says which environment it is.

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::{Clock, Environment, EnvironmentId, Error, Team};

use super::expiry::expire_with;
use super::{DUE, Item, LISTED, WATCHED, YES, environment_sk, listed, milliseconds, pk};

/// The attribute with an environment's record.
const RECORD: &str = "record";
/// The attribute with its name.
const NAME: &str = "name";

/// What an item of an environment holds.
#[derive(Debug)]
pub enum Record {
    /// The environment.
    Readable(Box<Environment>),
    /// A record that this version of Berth cannot read.
    Unreadable(Unreadable),
}

/// A record that this version of Berth cannot read: usually a newer version wrote it. Known of it is what stands beside it in
/// plain attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Whose environment it is.
    pub team: Team,
    /// Which environment it is.
    pub id: EnvironmentId,
    /// Its name.
    pub name: Option<String>,
    /// Why it cannot be read, for operators.
    pub cause: String,
}

impl Record {
    /// The id of the environment.
    #[must_use]
    pub fn id(&self) -> &EnvironmentId {
        match self {
            Self::Readable(environment) => &environment.id,
            Self::Unreadable(unreadable) => &unreadable.id,
        }
    }

    /// The environment, if it can be read.
    #[must_use]
    pub fn readable(self) -> Option<Environment> {
        match self {
            Self::Readable(environment) => Some(*environment),
            Self::Unreadable(_) => None,
        }
    }

    /// What `item` holds; logs what cannot be read. `None` when not even its key is an environment's.
    pub(super) fn of(item: &Item) -> Option<Self> {
        let cause = match environment_of(item) {
            Ok(environment) => return Some(Self::Readable(Box::new(environment))),
            Err(cause) => cause,
        };
        let Some((team, id)) = key_of(item) else {
            tracing::error!(pk = ?item.get("pk"), sk = ?item.get("sk"), cause, "a record cannot be read");
            return None;
        };
        tracing::error!(environment = %id, %team, cause, "a record cannot be read");
        let name = item.get(NAME).and_then(|name| name.as_s().ok()).cloned();
        Some(Self::Unreadable(Unreadable { team, id, name, cause }))
    }
}

/// The environment in an item, or why it cannot be read.
pub(super) fn environment_of(item: &Item) -> Result<Environment, String> {
    let record = item.get(RECORD).and_then(|record| record.as_s().ok()).ok_or("the item has no record")?;
    serde_json::from_str(record).map_err(|error| error.to_string())
}

/// `environment` as an item.
pub(super) fn environment_item(environment: &Environment, clock: &Clock) -> Result<Item, Error> {
    let record = serde_json::to_string(environment).map_err(Error::internal)?;
    let mut item = Item::from([
        ("pk".to_owned(), pk(&environment.team)),
        ("sk".to_owned(), environment_sk(&environment.id)),
        ("version".to_owned(), AttributeValue::N(environment.version().to_string())),
        ("status".to_owned(), AttributeValue::S(environment.status().to_string())),
        (NAME.to_owned(), AttributeValue::S(environment.name.clone())),
        (RECORD.to_owned(), AttributeValue::S(record)),
    ]);
    item.insert(LISTED.to_owned(), listed(environment.status(), &environment.id.to_string()));
    item.insert(WATCHED.to_owned(), AttributeValue::S(YES.to_owned()));
    item.insert(DUE.to_owned(), milliseconds(environment.due_at(clock)));
    expire_with(&mut item, environment);
    Ok(item)
}

/// Whose environment an item is, and which.
fn key_of(item: &Item) -> Option<(Team, EnvironmentId)> {
    let text = |name: &str, prefix: &str| item.get(name)?.as_s().ok()?.strip_prefix(prefix);
    Some((text("pk", "TEAM#")?.parse().ok()?, text("sk", "ENV#")?.parse().ok()?))
}
