//! API Gateway's question to a TOKEN authorizer, and our answer.
//!
//! Structs of our own: the library's print the token with `Debug` and answer members that we do not have as `null`.
//!
//! **Caching.** API Gateway keeps the answer for a while (`authorizerResultTtlInSeconds`) and uses it for every request
//! with the same token, whatever its method and path. So it allows the whole stage: with only the method that was asked
//! for, the caller's next request to another path would be answered 403. One caller's rights cannot leak to another by
//! that, because the answer grants none: it says only that the caller may use this API. The rights are the team and the
//! role in `context`, which is kept under the very token they were read from, and handlers look at nothing else.

use std::fmt;

use berth_domain::Error;
use berth_domain::token::Caller;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What API Gateway asks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    /// The `Authorization` header.
    #[serde(default)]
    pub authorization_token: Option<String>,
    /// The method that is called: `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`.
    pub method_arn: String,
}

impl fmt::Debug for TokenRequest {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("method_arn", &self.method_arn).finish_non_exhaustive()
    }
}

/// What we answer: the caller may call this API, and who it is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    principal_id: String,
    policy_document: Document,
    context: Map<String, Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

impl Policy {
    /// `caller` may call every method of the stage in which the method `method_arn` is.
    ///
    /// # Errors
    /// `Internal` when it is no method's ARN.
    pub(crate) fn allow(caller: &Caller, method_arn: &str) -> Result<Self, Error> {
        let strange = || Error::internal(format!("`{method_arn}` is not the ARN of a method"));
        let mut parts = method_arn.splitn(3, '/');
        let (Some(api), Some(stage), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(strange());
        };
        if api.split(':').nth(2) != Some("execute-api") || [api, stage].iter().any(|part| part.contains(['*', '?'])) {
            return Err(strange());
        }
        let statement =
            Statement { action: "execute-api:Invoke", effect: "Allow", resource: format!("{api}/{stage}/*/*") };
        Ok(Self {
            principal_id: caller.subject.clone(),
            policy_document: Document { version: "2012-10-17", statement: [statement] },
            context: caller.context(),
        })
    }
}
