//! CloudWatch Logs for tasks: a view of the last lines that their programs wrote (stored in `ecs`), for containers with
//! the `awslogs` driver. Read only, by GetLogEvents.
//!
//! Differences from AWS: a log group exists as soon as a task definition names it, lines appear at once, and they
//! disappear with the task.

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::ecs;
use super::rates::Bucket;
use super::refusal::Refusal;
use super::service::{AwsService, Calls, Errors, Handler, Protocol};

/// CloudWatch Logs.
pub static SERVICE: AwsService = AwsService {
    prefix: "logs",
    protocol: Protocol::Json { target: "Logs_20140328", content_type: "application/x-amz-json-1.1" },
    handler: Handler::Account(Calls {
        call: |account, operation, input| call(account, operation, input).map(|reply| (200, reply)),
        // Our best knowledge of the quota of GetLogEvents: 25 a second in most regions.
        bucket: |_| Bucket::new("logs read", 25, 25.0),
        network: None,
    }),
    errors: Errors::JSON,
    odds: None,
    conflict: None,
    provisioned: None,
};

/// The largest number of events in one reply.
const MOST: usize = 10_000;

/// One API call.
///
/// # Errors
/// What AWS refuses.
pub fn call(account: &Account, operation: &str, input: &Value) -> Result<Value, Refusal> {
    match operation {
        "GetLogEvents" => get_log_events(account, input),
        _ => Err(Refusal::bad(
            "UnknownOperationException",
            format!("berth-local does not play CloudWatch Logs' {operation}."),
        )),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GetLogEvents {
    log_group_name: String,
    log_stream_name: String,
    /// Milliseconds since 1970, inclusive.
    start_time: Option<i64>,
    /// Milliseconds since 1970, exclusive.
    end_time: Option<i64>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
}

fn get_log_events(account: &Account, input: &Value) -> Result<Value, Refusal> {
    let invalid = |message: String| Refusal::bad("InvalidParameterException", message);
    let input = GetLogEvents::deserialize(input)
        .map_err(|error| invalid(format!("berth-local does not support this GetLogEvents: {error}")))?;
    let limit = input.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(invalid(format!("The limit of GetLogEvents is from 1 to {MOST}.")));
    }
    let missing =
        |what: &str| Refusal::bad("ResourceNotFoundException", format!("The specified log {what} does not exist."));
    if !ecs::log_group_exists(&account.ecs, &input.log_group_name) {
        return Err(missing("group"));
    }
    let lines = ecs::log_stream(&account.ecs, &input.log_group_name, &input.log_stream_name)
        .ok_or_else(|| missing("stream"))?;
    let mut events: Vec<Value> = lines
        .iter()
        .map(|line| (line.at.as_millisecond(), &line.text))
        .filter(|(at, _)| {
            input.start_time.is_none_or(|start| *at >= start) && input.end_time.is_none_or(|end| *at < end)
        })
        .map(|(at, text)| json!({"timestamp": at, "ingestionTime": at, "message": text}))
        .collect();
    if input.start_from_head {
        events.truncate(limit);
    } else {
        events.drain(..events.len().saturating_sub(limit));
    }
    Ok(json!({"events": events}))
}
