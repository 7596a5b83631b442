//! Making the table where no template does: the embedded system and the tests.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};
use berth_domain::Error;

use super::expiry::EXPIRES;
use super::{DUE, LISTED, STATUS_INDEX, Store, WATCHED};
use crate::error::{code, convert};

impl Store {
    /// Makes the table unless it is there.
    ///
    /// # Errors
    /// What DynamoDB refuses.
    pub async fn table_ensure(&self) -> Result<(), Error> {
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(Error::internal)
        };
        let attribute = |name: &str, kind| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().map_err(Error::internal)
        };
        // Keys only: the index is written when an operation begins or ends, not at every step.
        let keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let due = GlobalSecondaryIndex::builder()
            .index_name(DUE)
            .key_schema(key(WATCHED, KeyType::Hash)?)
            .key_schema(key(DUE, KeyType::Range)?)
            .projection(keys.clone())
            .build()
            .map_err(Error::internal)?;
        let by_status = GlobalSecondaryIndex::builder()
            .index_name(STATUS_INDEX)
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key(LISTED, KeyType::Range)?)
            .projection(keys)
            .build()
            .map_err(Error::internal)?;
        let created = self
            .client
            .create_table()
            .table_name(&self.table)
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key("sk", KeyType::Range)?)
            .attribute_definitions(attribute("pk", ScalarAttributeType::S)?)
            .attribute_definitions(attribute("sk", ScalarAttributeType::S)?)
            .attribute_definitions(attribute(WATCHED, ScalarAttributeType::S)?)
            .attribute_definitions(attribute(DUE, ScalarAttributeType::N)?)
            .attribute_definitions(attribute(LISTED, ScalarAttributeType::S)?)
            .global_secondary_indexes(due)
            .global_secondary_indexes(by_status)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await;
        match created {
            Ok(_) => {}
            Err(error) if code(&error) == Some("ResourceInUseException") => return Ok(()),
            Err(error) => return Err(convert("CreateTable", error)),
        }
        let expiry = TimeToLiveSpecification::builder()
            .attribute_name(EXPIRES)
            .enabled(true)
            .build()
            .map_err(Error::internal)?;
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(expiry)
            .send()
            .await
            .map(drop)
            .map_err(|error| convert("UpdateTimeToLive", error))
    }
}
