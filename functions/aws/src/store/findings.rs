//! Findings: what an audit found in AWS that no record explains, and records that it could not read. A finding is kept until its
//! resource is gone or its record can be read, so that operators can see it.

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::{EnvironmentId, Error, ResourceKind, Team};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Item, Store, keyed};
use crate::error::convert;

/// A tagged resource that no record explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: ResourceKind,
    /// Its ARN or id.
    pub id: String,
    /// The environment that its tags name.
    pub environment: EnvironmentId,
    /// The team that its tags name.
    pub team: Team,
    /// When it was first found.
    pub found_at: Timestamp,
    /// When it may be removed.
    pub remove_after: Timestamp,
    /// The slot of its removal, where the account shares a rate for it.
    pub slot_at: Option<Timestamp>,
    /// Why it is still there after that.
    pub why: Option<String>,
}

/// A record that the last audit could not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnreadableRecord {
    /// Whose environment it is.
    pub team: Team,
    /// Which environment it is.
    pub environment: EnvironmentId,
    /// Its name.
    pub name: Option<String>,
    /// When an audit first could not read it.
    pub found_at: Timestamp,
}

impl Store {
    /// Everything found and not gone yet.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn findings(&self) -> Result<Vec<Finding>, Error> {
        self.kept(FINDING).await
    }

    /// The records that the last audit could not read.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn unreadable_records(&self) -> Result<Vec<UnreadableRecord>, Error> {
        self.kept(UNREADABLE).await
    }

    /// Every item of a partition. One that a newer version wrote is left to that version, and keeps no other from being read.
    async fn kept<T: DeserializeOwned>(&self, partition: &str) -> Result<Vec<T>, Error> {
        let read = |item: Item| {
            let sk = item.get("sk").cloned();
            serde_dynamo::from_item(item)
                .inspect_err(|error| tracing::error!(?sk, cause = %error, "a finding cannot be read"))
                .ok()
        };
        Ok(self.partition(pk(partition)).await?.into_iter().filter_map(read).collect())
    }

    /// Keeps a finding, over what was kept of it before.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn finding_put(&self, finding: &Finding) -> Result<(), Error> {
        self.keep(keyed(pk(FINDING), finding_sk(finding), finding)?).await
    }

    /// Keeps a record that cannot be read.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn unreadable_record_put(&self, record: &UnreadableRecord) -> Result<(), Error> {
        self.keep(keyed(pk(UNREADABLE), record_sk(record), record)?).await
    }

    /// Forgets a finding: it is gone, or explained after all.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn finding_delete(&self, finding: &Finding) -> Result<(), Error> {
        self.forget(pk(FINDING), finding_sk(finding)).await
    }

    /// Forgets a record that could not be read: it can be read now, or is gone.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn unreadable_record_delete(&self, record: &UnreadableRecord) -> Result<(), Error> {
        self.forget(pk(UNREADABLE), record_sk(record)).await
    }

    async fn keep(&self, item: Item) -> Result<(), Error> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| convert("PutItem", error))
    }

    async fn forget(&self, pk: AttributeValue, sk: AttributeValue) -> Result<(), Error> {
        let delete = self.client.delete_item().table_name(&self.table).key("pk", pk).key("sk", sk);
        delete.send().await.map(drop).map_err(|error| convert("DeleteItem", error))
    }
}

/// The partition of the resources that no record explains.
const FINDING: &str = "FINDING";
/// The partition of the records that cannot be read.
const UNREADABLE: &str = "UNREADABLE";

fn pk(partition: &str) -> AttributeValue {
    AttributeValue::S(partition.to_owned())
}

fn finding_sk(finding: &Finding) -> AttributeValue {
    AttributeValue::S(format!("{}#{}", finding.kind, finding.id))
}

fn record_sk(record: &UnreadableRecord) -> AttributeValue {
    AttributeValue::S(record.environment.to_string())
}
