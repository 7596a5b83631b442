//! The part of STS that clients need besides: the caller's identity.

use serde_json::{Value, json};

use super::identity::ACCOUNT;
use super::refusal::Refusal;
use super::service::{AwsService, Dialect, Errors, Handler, Protocol};

/// STS.
pub static SERVICE: AwsService = AwsService {
    prefix: "sts",
    protocol: Protocol::Query {
        version: "2011-06-15",
        dialect: Dialect { namespace: "https://sts.amazonaws.com/doc/2011-06-15/", list: "member", wrapped: true },
    },
    handler: Handler::Fixed(|operation, _| call(operation)),
    errors: Errors::JSON,
    odds: None,
    conflict: None,
    provisioned: None,
};

/// One API call.
///
/// # Errors
/// `InvalidAction` for anything but `GetCallerIdentity`.
fn call(operation: &str) -> Result<Value, Refusal> {
    match operation {
        "GetCallerIdentity" => Ok(json!({
            "Arn": format!("arn:aws:iam::{ACCOUNT}:user/berth-local"),
            "UserId": "AIDABERTHLOCAL",
            "Account": ACCOUNT,
        })),
        _ => Err(Refusal::bad("InvalidAction", format!("berth-local does not play STS's {operation}."))),
    }
}
