//! Environments: created with their name and idempotency key in one transaction, listed newest first.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use berth_domain::{Environment, EnvironmentId, Error, Status, Team};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::change::{ATTEMPTS, is_write_conflict, write_conflict};
use super::expiry::{EXPIRES, is_expired};
use super::record::{Record, environment_item};
use super::{Item, LISTED, STATUS_INDEX, Store, environment_sk, keyed, listed, name_sk, pk};
use crate::error::{code, convert, message};

/// How long an idempotency key is remembered, in seconds.
const KEY_KEPT: i64 = 24 * 3600;

/// A caller's `Idempotency-Key` and what it was sent with.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    sk: String,
    body: String,
}

impl IdempotencyKey {
    /// The key `key`, sent by `subject` with `body` to create an environment.
    #[must_use]
    pub fn new(subject: &str, key: &str, body: &[u8]) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let scope = format!("POST /environments\n{subject}\n{key}");
        Self { sk: format!("KEY#{}", hex(&Sha256::digest(scope.as_bytes()))), body: hex(&Sha256::digest(body)) }
    }
}

/// What an idempotency key remembers: the request, and the environment as it was answered.
#[derive(Serialize, Deserialize)]
struct Remembered {
    body: String,
    /// The environment, as JSON.
    record: String,
    /// Seconds since the epoch.
    expires_at: i64,
}

/// How a creation went.
pub enum Created {
    /// Newly recorded.
    New(Environment),
    /// Recorded earlier under the same idempotency key; this is the environment as it was answered then.
    Replayed(Environment),
}

/// Some of a team's environments, newest first.
pub struct Page {
    /// Their records.
    pub records: Vec<Record>,
    /// The last one looked at, when there may be more behind it.
    pub next: Option<EnvironmentId>,
}

impl Page {
    /// The first `limit` of `records`, and where the rest begins.
    fn cut(mut records: Vec<Record>, limit: usize) -> Self {
        let more = records.len() > limit;
        records.truncate(limit);
        let next = records.last().filter(|_| more).map(|record| record.id().clone());
        Self { records, next }
    }
}

impl Store {
    /// What `key` was answered with before, if it was used.
    ///
    /// # Errors
    /// `Unprocessable` when the key was used with another body.
    pub async fn idempotency_lookup(&self, team: &Team, key: &IdempotencyKey) -> Result<Option<Environment>, Error> {
        let item = self.unexpired_item(pk(team), AttributeValue::S(key.sk.clone())).await?;
        let Some(item) = item else { return Ok(None) };
        let remembered: Remembered = serde_dynamo::from_item(item).map_err(Error::internal)?;
        let environment: Environment = serde_json::from_str(&remembered.record)
            .map_err(|error| Error::unreadable("the environment that this Idempotency-Key created", error))?;
        if remembered.body != key.body {
            return Err(Error::unprocessable(
                "idempotency_key_reused",
                "Idempotency-Key",
                format!(
                    "This key was already used to create {} with another body. Use a new key for a new request.",
                    environment.id
                ),
            ));
        }
        Ok(Some(environment))
    }

    /// Records a new environment, its name and its idempotency key in one transaction.
    ///
    /// # Errors
    /// `Conflict` when the team has the name already, `Unprocessable` when the key was used with another body.
    pub async fn environment_create(
        &self,
        environment: Environment,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created, Error> {
        let writes = self.creation_writes(&environment, key)?;
        let mut conflict = String::new();
        for attempt in 0..ATTEMPTS {
            match self.client.transact_write_items().set_transact_items(Some(writes.clone())).send().await {
                Ok(_) => return Ok(Created::New(environment)),
                Err(error) if is_write_conflict(code(&error)) => message(&error).clone_into(&mut conflict),
                Err(error) => return Err(convert("TransactWriteItems", error)),
            }
            // Either another request won (name or key), or two met (conflict): look which, and try again if neither.
            if let Some(key) = key
                && let Some(before) = self.idempotency_lookup(&environment.team, key).await?
            {
                return Ok(Created::Replayed(before));
            }
            if let Some(item) = self.item(pk(&environment.team), name_sk(&environment.name)).await? {
                // After a lost reply the SDK tries again, and meets its own name.
                let taken_by = item.get("environment").and_then(|id| id.as_s().ok()).cloned().unwrap_or_default();
                if taken_by == environment.id.to_string() {
                    return Ok(Created::New(environment));
                }
                return Err(Error::Conflict {
                    code: "name_taken",
                    message: format!(
                        "Your team already has an environment {:?}: {taken_by}. Choose another name, or delete that one first.",
                        environment.name
                    ),
                });
            }
            self.back_off(attempt).await;
        }
        Err(write_conflict(&conflict))
    }

    fn creation_writes(
        &self,
        environment: &Environment,
        key: Option<&IdempotencyKey>,
    ) -> Result<Vec<TransactWriteItem>, Error> {
        let team = pk(&environment.team);
        let mut writes = vec![
            self.put_new(environment_item(environment, &self.clock)?)?,
            self.put_new(Item::from([
                ("pk".to_owned(), team.clone()),
                ("sk".to_owned(), name_sk(&environment.name)),
                ("environment".to_owned(), AttributeValue::S(environment.id.to_string())),
            ]))?,
        ];
        if let Some(key) = key {
            let expires_at = environment.created_at.as_second().saturating_add(KEY_KEPT);
            let record = serde_json::to_string(environment).map_err(Error::internal)?;
            let remembered = Remembered { body: key.body.clone(), record, expires_at };
            writes.push(self.put_key(keyed(team, AttributeValue::S(key.sk.clone()), remembered)?)?);
        }
        writes.extend(self.event_writes(environment)?);
        Ok(writes)
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn put_key(&self, item: Item) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
            .expression_attribute_values(":now", AttributeValue::N(self.clock.now().as_second().to_string()))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The environments of `team`, newest first, those behind `after` only, of `status` only; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn environment_list(
        &self,
        team: &Team,
        status: Option<Status>,
        after: Option<&EnvironmentId>,
        limit: usize,
    ) -> Result<Page, Error> {
        match status {
            None => self.list_all(team, after, limit).await,
            Some(status) => self.list_by_status(team, status, after, limit).await,
        }
    }

    async fn list_all(&self, team: &Team, after: Option<&EnvironmentId>, limit: usize) -> Result<Page, Error> {
        let mut records: Vec<Record> = Vec::new();
        let mut start =
            after.map(|id| Item::from([("pk".to_owned(), pk(team)), ("sk".to_owned(), environment_sk(id))]));
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
                .filter_expression("attribute_not_exists(#expires) OR #expires > :now")
                .expression_attribute_names("#expires", EXPIRES)
                .expression_attribute_values(":pk", pk(team))
                .expression_attribute_values(":sk", AttributeValue::S("ENV#".to_owned()))
                .expression_attribute_values(":now", AttributeValue::N(self.clock.now().as_second().to_string()))
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(one_more(limit))
                .set_exclusive_start_key(start.take());
            let page = query.send().await.map_err(|error| convert("Query", error))?;
            start = page.last_evaluated_key;
            records.extend(page.items.unwrap_or_default().iter().filter_map(Record::of));
            if records.len() > limit || start.is_none() {
                return Ok(Page::cut(records, limit));
            }
        }
    }

    /// Finds the keys in the index of statuses, which lags, and reads the records themselves: each one on the page has the status.
    async fn list_by_status(
        &self,
        team: &Team,
        status: Status,
        after: Option<&EnvironmentId>,
        limit: usize,
    ) -> Result<Page, Error> {
        let mut records: Vec<Record> = Vec::new();
        let mut start = after.map(|id| {
            Item::from([
                ("pk".to_owned(), pk(team)),
                ("sk".to_owned(), environment_sk(id)),
                (LISTED.to_owned(), listed(status, &id.to_string())),
            ])
        });
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(STATUS_INDEX)
                .key_condition_expression("pk = :pk AND begins_with(#listed, :status)")
                .expression_attribute_names("#listed", LISTED)
                .expression_attribute_values(":pk", pk(team))
                .expression_attribute_values(":status", listed(status, ""))
                .scan_index_forward(false)
                .limit(one_more(limit))
                .set_exclusive_start_key(start.take());
            let page = query.send().await.map_err(|error| convert("Query", error))?;
            start = page.last_evaluated_key;
            let mut items = self.items(page.items.unwrap_or_default()).await?;
            let wanted = AttributeValue::S(status.to_string());
            items.retain(|item| item.get("status") == Some(&wanted) && !is_expired(item, self.clock.now()));
            let mut found: Vec<Record> = items.iter().filter_map(Record::of).collect();
            found.sort_unstable_by(|one, other| other.id().cmp(one.id()));
            records.extend(found);
            if records.len() > limit || start.is_none() {
                return Ok(Page::cut(records, limit));
            }
        }
    }
}

/// One more than asked for tells whether there are more.
fn one_more(limit: usize) -> i32 {
    i32::try_from(limit + 1).unwrap_or(100)
}
