//! Findings: what an audit found in AWS that no record explains. A finding is kept until its resource is gone, so that operators
//! can see it before the resource is removed.

use aws_sdk_dynamodb::types::AttributeValue;
use berth_domain::{EnvironmentId, Error, ResourceKind, Team};
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
    /// The slot of its removal, where the account shares a rate for it.
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
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", pk())
            .consistent_read(true);
        let items: Result<Vec<_>, _> = query.into_paginator().items().send().collect().await;
        let items = items.map_err(|error| convert("Query", error))?;
        serde_dynamo::from_items(items).map_err(Error::internal)
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
    AttributeValue::S(format!("{}#{}", finding.kind, finding.id))
}
