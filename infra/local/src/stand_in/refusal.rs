//! An AWS error as a service gives it; the endpoint writes it in the service's own protocol.

use std::fmt;

/// An AWS error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error code as it stands on the wire, e.g. `DuplicateLoadBalancerName` or `BadRequestException`.
    pub code: String,
    /// The message, word for word where docs/aws.md has it.
    pub message: String,
    /// The whole error body, where the service's errors carry more than code and message (DynamoDB's
    /// `CancellationReasons`).
    pub body: Option<Box<serde_json::Value>>,
}

impl Refusal {
    /// A refusal with its HTTP status.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), body: None }
    }

    /// A refusal with status 400, which is what ELBv2 and ECS use for every client error.
    pub fn bad(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}
