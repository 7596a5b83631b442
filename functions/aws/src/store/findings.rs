//! What an audit found in AWS that no record explains: kept until it is gone, so that it is removed only after a while
//! and everybody can see it before.

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::environment::ResourceKind;
use berth_domain::{EnvironmentId, Error, Team};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, keyed};
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
    /// Its turn to be removed, where AWS allows that at a rate only.
    pub slot_at: Option<Timestamp>,
    /// Why it is still there after that.
    pub why: Option<String>,
}

impl Store {
    /// Everything found and not gone yet.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn findings(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", pk())
                .consistent_read(true)
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(|error| convert("Query", error))?;
            let found: Vec<Finding> =
                serde_dynamo::from_items(page.items.unwrap_or_default()).map_err(Error::internal)?;
            findings.extend(found);
            match page.last_evaluated_key {
                Some(key) => start = Some(key),
                None => return Ok(findings),
            }
        }
    }

    /// Keeps a finding, over what was kept of it before.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn finding_put(&self, finding: &Finding) -> Result<(), Error> {
        let item = keyed(pk(), sk(finding), finding)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| convert("PutItem", error))
    }

    /// Forgets a finding: it is gone, or explained after all.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn finding_delete(&self, finding: &Finding) -> Result<(), Error> {
        let delete = self.client.delete_item().table_name(&self.table).key("pk", pk()).key("sk", sk(finding));
        delete.send().await.map(drop).map_err(|error| convert("DeleteItem", error))
    }
}

fn pk() -> AttributeValue {
    AttributeValue::S("FINDING".to_owned())
}

fn sk(finding: &Finding) -> AttributeValue {
    AttributeValue::S(format!("{}#{}", finding.kind.word(), finding.id))
}
