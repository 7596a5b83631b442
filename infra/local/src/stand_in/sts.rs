//! The little of STS that clients ask for on the way: who am I.

use serde_json::{Value, json};

use crate::stand_in::ACCOUNT;
use crate::stand_in::refusal::Refusal;

/// One API call.
///
/// # Errors
/// `InvalidAction` for anything but `GetCallerIdentity`.
pub fn call(operation: &str) -> Result<Value, Refusal> {
    match operation {
        "GetCallerIdentity" => Ok(json!({
            "Arn": format!("arn:aws:iam::{ACCOUNT}:user/berth-local"),
            "UserId": "AIDABERTHLOCAL",
            "Account": ACCOUNT,
        })),
        _ => Err(Refusal::bad("InvalidAction", format!("Could not find operation {operation} for version 2011-06-15"))),
    }
}
