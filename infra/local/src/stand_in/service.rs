//! What the rest of the crate has to know of a service that is played: one [`AwsService`] each, exported by its folder as
//! `SERVICE` and listed in `crate::endpoint::services`.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::account::Account;
use super::rates::Bucket;
use super::refusal::Refusal;

/// The status of a reply, and its body.
pub type Reply = (u16, Value);

/// A service.
pub struct AwsService {
    /// Its name in IAM actions, which is also how faults and journals name it.
    pub prefix: &'static str,
    /// How its calls and replies look on the wire.
    pub protocol: Protocol,
    /// Which part of the stand-in answers its calls.
    pub handler: Handler,
    /// How it words the errors that every service has.
    pub errors: Errors,
    /// Which odds its calls have where faults come by chance; `None`: no fault comes by chance.
    pub odds: Option<OddsOf>,
    /// What it answers when two writes meet, if it has such an error.
    pub conflict: Option<fn() -> Refusal>,
    /// Its resource that is created first and usable, or failed, only later; if it has one.
    pub provisioned: Option<Provisioned>,
}

/// The wire protocols.
pub enum Protocol {
    /// awsJson: the operation stands in the header `X-Amz-Target`, as `{target}.{Operation}`.
    Json {
        /// The service's name in that header.
        target: &'static str,
        /// The content type of replies, which has the protocol's version.
        content_type: &'static str,
    },
    /// awsQuery and ec2Query: a form with `Action` and `Version`, answered in XML.
    Query {
        /// The API's version, which tells services apart.
        version: &'static str,
        /// How replies are written.
        dialect: Dialect,
    },
    /// restJson: the operation follows from method and path.
    Rest {
        /// Which operation a request is for, with its input.
        route: fn(&Request<Bytes>) -> Option<(&'static str, Value)>,
    },
}

/// How a service of the query family writes its replies.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// The XML namespace.
    pub namespace: &'static str,
    /// The element of a list's entries.
    pub list: &'static str,
    /// Whether the result stands in an element `{Action}Result` beside `ResponseMetadata` (not in EC2).
    pub wrapped: bool,
}

/// Which part of the stand-in answers a service's calls.
pub enum Handler {
    /// The account's state, within the service's rates, after a call's latency.
    Account(Calls),
    /// The service itself, at once: it has no state.
    Fixed(fn(&str, &Value) -> Result<Value, Refusal>),
    /// `dynamo`.
    DynamoDb,
    /// `crate::step_functions`.
    StepFunctions,
}

/// The calls of a service whose state is in the account.
pub struct Calls {
    /// Answers one call of an operation.
    pub call: fn(&mut Account, &str, &Value) -> Result<Reply, Refusal>,
    /// The bucket from which one call of an operation takes a token.
    pub bucket: fn(&str) -> Bucket,
}

/// How a service words the errors that every service has: status and code, and the message where it differs.
pub struct Errors {
    /// Its answer to one call too many, with the message (docs/aws.md). No `Retry-After` is sent: API Gateway's model has
    /// one, but it has not been seen on the wire.
    pub throttled: (u16, &'static str, &'static str),
    /// Its answer when a part of it has failed and will recover.
    pub unavailable: (u16, &'static str),
    /// Its answer to a caller whom IAM does not allow the operation.
    pub denied: (u16, &'static str),
}

/// The two kinds of odds; see `crate::faults::chance::Chance`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OddsOf {
    /// Those of the services in which environments are built.
    Resources,
    /// Those of the services that hold Berth's own records.
    Records,
}

/// A resource whose provisioning takes time and may fail.
pub struct Provisioned {
    /// The operation that creates it.
    pub operation: &'static str,
    /// Lets the resource that this reply is about come up failed, for this reason.
    pub fail_when_ready: fn(&mut Account, &Value, &str),
}

impl Errors {
    /// The awsJson services' own, as far as they have no other ones.
    pub const JSON: Self = Self {
        throttled: (400, "ThrottlingException", "Rate exceeded"),
        unavailable: (500, "InternalServerError"),
        denied: (400, "AccessDeniedException"),
    };
}

impl AwsService {
    /// What it answers to one call too many.
    #[must_use]
    pub fn throttled(&self) -> Refusal {
        let (status, code, message) = self.errors.throttled;
        Refusal::new(status, code, message)
    }

    /// What it answers when a part of it has failed and will recover.
    #[must_use]
    pub fn unavailable(&self) -> Refusal {
        let (status, code) = self.errors.unavailable;
        Refusal::new(status, code, "Service Unavailable. Please try again later.")
    }

    /// What it answers to a caller whom IAM does not allow `operation`.
    #[must_use]
    pub fn denied(&self, operation: &str) -> Refusal {
        let (status, code) = self.errors.denied;
        let message = format!("User: berth-local is not authorized to perform: {}:{operation}", self.prefix);
        Refusal::new(status, code, message)
    }
}
