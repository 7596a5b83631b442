//! DynamoDB in process: `dynoxide` behind the endpoint, in memory or in a SQLite file.

use std::sync::Arc;
use std::time::Duration;

use berth_domain::Clock;
use dynoxide::Database;
use dynoxide::errors::DynoxideError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::service::{AwsService, Errors, Handler, OddsOf, Protocol, Reply};
use super::transact_tokens::TransactTokens;

/// DynamoDB.
pub static SERVICE: AwsService = AwsService {
    prefix: "dynamodb",
    protocol: Protocol::Json { target: "DynamoDB_20120810", content_type: "application/x-amz-json-1.0" },
    handler: Handler::DynamoDb,
    errors: Errors::JSON,
    odds: Some(OddsOf::Records),
    conflict: None,
    provisioned: None,
};

/// Whether the operation may change an item.
#[must_use]
pub fn writes(operation: &str) -> bool {
    matches!(operation, "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem")
}

/// Between two removals of expired items, in AWS time. DynamoDB promises "a few days" (docs/aws.md#dynamodb).
const EXPIRY: Duration = Duration::from_secs(6 * 3600);

/// The stand-in's time, as the database asks for it.
struct Time(Clock);

impl dynoxide::storage_backend::Clock for Time {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_duration().as_secs_f64()
    }
}

/// The database; cheap to clone.
#[derive(Clone)]
pub struct Dynamo {
    database: Database,
    tokens: Arc<TransactTokens>,
}

impl Dynamo {
    /// A database in memory, whose items expire by `clock`.
    ///
    /// # Errors
    /// When SQLite cannot be opened.
    pub fn memory(clock: Clock) -> Result<Self, DynoxideError> {
        Ok(Self::new(Database::memory_with_clock(Arc::new(Time(clock.clone())))?, clock))
    }

    /// A database in the file at `path`, which is created if missing. Its items expire by the system's clock.
    ///
    /// # Errors
    /// When the file cannot be opened or written.
    pub fn file(path: &str, clock: Clock) -> Result<Self, DynoxideError> {
        let database = Database::new(path)?;
        // SQLite's `synchronous = NORMAL`: `kill -9` loses nothing, and no write waits for the disk.
        database.disable_bulk_loading()?;
        Ok(Self::new(database, clock))
    }

    fn new(database: Database, clock: Clock) -> Self {
        Self { database, tokens: Arc::new(TransactTokens::new(clock)) }
    }

    /// Removes what has expired, from time to time, until the system ends.
    pub async fn run_expiry(self, clock: Clock) {
        loop {
            clock.sleep(EXPIRY).await;
            if let Err(error) = self.database.sweep_ttl() {
                tracing::warn!(%error, "expired items could not be removed");
            }
        }
    }

    /// One API call.
    ///
    /// # Errors
    /// DynamoDB's own errors.
    pub fn call(&self, operation: &str, input: &Value) -> Result<Reply, Refusal> {
        let db = &self.database;
        match operation {
            "CreateTable" => run(input, |request| db.create_table(request)),
            "DescribeTable" => run(input, |request| db.describe_table(request)),
            "ListTables" => run(input, |request| db.list_tables(request)),
            "UpdateTimeToLive" => run(input, |request| db.update_time_to_live(request)),
            "DescribeTimeToLive" => run(input, |request| db.describe_time_to_live(request)),
            "PutItem" => run(input, |request| db.put_item(request)),
            "GetItem" => run(input, |request| db.get_item(request)),
            "DeleteItem" => run(input, |request| db.delete_item(request)),
            "UpdateItem" => run(input, |request| db.update_item(request)),
            "BatchGetItem" => run(input, |request| db.batch_get_item(request)),
            "BatchWriteItem" => run(input, |request| db.batch_write_item(request)),
            "Query" => run(input, |request| db.query(request)),
            "Scan" => run(input, |request| db.scan(request)),
            "TransactWriteItems" => {
                self.tokens.once(input, |input| run(input, |request| db.transact_write_items(request)))
            }
            "TransactGetItems" => run(input, |request| db.transact_get_items(request)),
            _ => Err(Refusal::bad(
                "UnknownOperationException",
                format!("berth-local does not play DynamoDB's {operation}."),
            )),
        }
    }
}

fn run<Request: DeserializeOwned, Body: Serialize>(
    input: &Value,
    call: impl FnOnce(Request) -> Result<Body, DynoxideError>,
) -> Result<Reply, Refusal> {
    let request =
        Request::deserialize(input).map_err(|error| Refusal::bad("SerializationException", error.to_string()))?;
    let reply = call(request).map_err(|error| {
        let body: Value = serde_json::from_str(&error.to_json()).unwrap_or_else(|_| json!({}));
        Refusal {
            status: error.status_code(),
            code: error.error_type().to_owned(),
            message: error.to_string(),
            body: Some(Box::new(body)),
        }
    })?;
    serde_json::to_value(reply)
        .map(|reply| (200, reply))
        .map_err(|error| Refusal::new(500, "InternalServerError", error.to_string()))
}
