//! One environment read and changed, under optimistic locking. Creating and listing are in `environments`.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use berth_domain::{Environment, EnvironmentId, Error, Status, Team};
use jiff::Timestamp;

use super::record::{environment_item, environment_of};
use super::{Store, environment_sk, name_sk, pk};
use crate::error::{code, convert, message};

/// How often a write that met another one is tried again before the caller is asked to.
pub(super) const ATTEMPTS: u32 = 12;

impl Store {
    /// One environment of `team`.
    ///
    /// # Errors
    /// `NotFound` when the team has no such environment, `Unreadable` when its record cannot be read.
    pub async fn environment_get(&self, team: &Team, id: &EnvironmentId) -> Result<Environment, Error> {
        let item = self.unexpired_item(pk(team), environment_sk(id)).await?;
        let item = item.ok_or_else(|| Error::no_environment(id))?;
        environment_of(&item).map_err(|cause| Error::unreadable(id, cause))
    }

    /// Changes an environment: loads it, lets `change` work on it, and writes it with its events unless another write came
    /// between, in which case everything is done again with the newer record. What `change` leaves as it was is not
    /// written.
    ///
    /// # Errors
    /// What `change` answers; `Unavailable` when it cannot be written within `ATTEMPTS` tries.
    pub async fn environment_change(
        &self,
        team: &Team,
        id: &EnvironmentId,
        change: impl FnMut(&mut Environment, Timestamp) -> Result<(), Error>,
    ) -> Result<Environment, Error> {
        let before = self.environment_get(team, id).await?;
        self.environment_change_from(before, change).await
    }

    /// The same for an environment that was loaded a moment ago: saves a read when nothing came between.
    ///
    /// # Errors
    /// As [`Store::environment_change`].
    pub async fn environment_change_from(
        &self,
        mut before: Environment,
        mut change: impl FnMut(&mut Environment, Timestamp) -> Result<(), Error>,
    ) -> Result<Environment, Error> {
        let mut conflict = String::new();
        for attempt in 0..ATTEMPTS {
            let mut after = before.clone();
            let now = self.clock.now_ms();
            change(&mut after, now)?;
            if after == before {
                return Ok(after);
            }
            after.keep_until(now.checked_add(self.retention).unwrap_or(Timestamp::MAX));
            after.next_version(now);
            match self.environment_write(&after, &before).await? {
                None => {
                    after.events_written();
                    return Ok(after);
                }
                Some(why) => conflict = why,
            }
            self.back_off(attempt).await;
            before = self.environment_get(&before.team, &before.id).await?;
        }
        Err(write_conflict(&conflict))
    }

    /// Writes `environment` over `before`. Nothing is written, and DynamoDB's words are answered, when `before` is no longer
    /// what is there, or when the transaction met another one.
    async fn environment_write(
        &self,
        environment: &Environment,
        before: &Environment,
    ) -> Result<Option<String>, Error> {
        let item = environment_item(environment, &self.clock)?;
        let expected = AttributeValue::N(before.version().to_string());
        const UNCHANGED: &str = "version = :expected";
        let freed = environment.status() == Status::Deleted && before.status() != Status::Deleted;
        if environment.pending_events().is_empty() && !freed {
            let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
            let put = put.condition_expression(UNCHANGED).expression_attribute_values(":expected", expected);
            return match put.send().await {
                Ok(_) => Ok(None),
                Err(error) if is_write_conflict(code(&error)) => Ok(Some(message(&error).to_owned())),
                Err(error) => Err(convert("PutItem", error)),
            };
        }
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(UNCHANGED)
            .expression_attribute_values(":expected", expected)
            .build()
            .map_err(Error::internal)?;
        let mut writes = vec![TransactWriteItem::builder().put(put).build()];
        writes.extend(self.event_writes(environment)?);
        if freed {
            let release = Delete::builder()
                .table_name(&self.table)
                .key("pk", pk(&environment.team))
                .key("sk", name_sk(&environment.name))
                .condition_expression("attribute_not_exists(pk) OR environment = :id")
                .expression_attribute_values(":id", AttributeValue::S(environment.id.to_string()))
                .build()
                .map_err(Error::internal)?;
            writes.push(TransactWriteItem::builder().delete(release).build());
        }
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(None),
            Err(error) if is_write_conflict(code(&error)) => Ok(Some(message(&error).to_owned())),
            Err(error) => Err(convert("TransactWriteItems", error)),
        }
    }

    pub(super) async fn back_off(&self, attempt: u32) {
        tokio::time::sleep(Duration::from_millis(10 << attempt.min(6))).await;
    }
}

/// Whether a write of an environment with this error code is worth another look at what is there: it met another write, or
/// its transaction was cancelled for one of the reasons that its message names.
pub(super) fn is_write_conflict(code: Option<&str>) -> bool {
    const CODES: [&str; 3] =
        ["ConditionalCheckFailedException", "TransactionConflictException", "TransactionCanceledException"];
    code.is_some_and(|code| CODES.contains(&code))
}

/// The error when each of `ATTEMPTS` tries met another write; `why` is DynamoDB's message at the last.
pub(super) fn write_conflict(why: &str) -> Error {
    Error::unavailable(
        format!(
            "The environment's record could not be written in {ATTEMPTS} tries, because other requests write it or the table is busy. Try again."
        ),
        why,
    )
}
