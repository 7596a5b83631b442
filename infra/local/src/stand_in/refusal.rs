//! An AWS error as a service gives it; the door writes it in the service's own protocol.

use std::fmt;

/// What AWS refuses with.
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

    /// What `service` (as IAM names it) answers to one call too many (docs/aws.md#retry-or-give-up). No `Retry-After` is sent:
    /// API Gateway's model has one, but nobody is known to have seen it.
    #[must_use]
    pub fn throttled(service: &str) -> Self {
        match service {
            "apigateway" => Self::new(429, "TooManyRequestsException", "Too Many Requests"),
            // The documentation says ThrottlingException; on the wire of ELBv2 it is seen without "Exception".
            "elasticloadbalancing" => Self::bad("Throttling", "Rate exceeded"),
            _ => Self::bad("ThrottlingException", "Rate exceeded"),
        }
    }

    /// What `service` answers when something in it has failed that will pass.
    #[must_use]
    pub fn unavailable(service: &str) -> Self {
        let message = "Service Unavailable. Please try again later.";
        match service {
            "elasticloadbalancing" => Self::new(503, "ServiceUnavailable", message),
            "apigateway" => Self::new(503, "ServiceUnavailableException", message),
            "ecs" => Self::new(500, "ServerException", message),
            _ => Self::new(500, "InternalServerError", message),
        }
    }

    /// What a service answers to whom IAM does not allow `operation` (`service:Operation`).
    #[must_use]
    pub fn denied(operation: &str) -> Self {
        let message = format!("User: berth-local is not authorized to perform: {operation}");
        match operation.split(':').next().unwrap_or_default() {
            "elasticloadbalancing" => Self::new(403, "AccessDenied", message),
            "apigateway" => Self::new(403, "AccessDeniedException", message),
            _ => Self::bad("AccessDeniedException", message),
        }
    }

    /// What API Gateway answers when two writes meet (docs/aws.md#retry-or-give-up).
    #[must_use]
    pub fn concurrent_modification() -> Self {
        let message = "Unable to complete operation due to concurrent modification. Please try again later.";
        Self::new(409, "ConflictException", message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}
