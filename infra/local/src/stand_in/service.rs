//! What the rest of the crate knows of a service: one [`AwsService`] each, exported by its folder as `SERVICE` and
//! listed in `crate::endpoint::services`.

use std::pin::Pin;

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::account::Account;
use super::cloud::Cloud;
use super::rates::Bucket;
use super::refusal::Refusal;

/// The status of a reply, and its body.
pub type Reply = (u16, Value);

/// The description of a service.
pub struct AwsService {
    /// Its name in IAM actions; faults and journals use it too.
    pub prefix: &'static str,
    /// Its wire protocol.
    pub protocol: Protocol,
    /// Which part of the stand-in answers its calls.
    pub handler: Handler,
    /// Its wording of the errors that every service has.
    pub errors: Errors,
    /// The odds that apply to its calls when faults come by chance; `None`: it meets none.
    pub odds: Option<OddsOf>,
    /// Its error for two concurrent writes, if it has one.
    pub conflict: Option<fn() -> Refusal>,
    /// Its resource that is provisioned after its creation and may fail then, if it has one.
    pub provisioned: Option<Provisioned>,
}

/// The wire protocols.
pub enum Protocol {
    /// awsJson: the header `X-Amz-Target` names the operation, as `{target}.{Operation}`.
    Json {
        /// The service's name in that header.
        target: &'static str,
        /// The content type of replies, with the protocol's version.
        content_type: &'static str,
    },
    /// awsQuery and ec2Query: a form with `Action` and `Version`, answered in XML.
    Query {
        /// The API's version, which identifies the service.
        version: &'static str,
        /// How replies are written.
        dialect: Dialect,
    },
    /// restJson: the operation follows from method and path.
    Rest {
        /// The operation of a request, with its input.
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
    /// Whether an element `{Action}Result`, beside `ResponseMetadata`, contains the result (not in EC2).
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
    /// Its call that uses the account's network, if it has one.
    pub network: Option<NetworkCall>,
}

/// A call whose answer comes over the account's network, so it takes time.
pub struct NetworkCall {
    /// The operation.
    pub operation: &'static str,
    /// Answers a call of it, after [`Calls::call`] has admitted it.
    pub call: fn(Cloud, Value) -> Answer,
}

/// The answer to such a call, when it has come.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply, Refusal>> + Send>>;

/// A service's wording of the errors that every service has: status and code, and the message where it differs.
pub struct Errors {
    /// A throttled call, with the message (docs/aws.md#retry-or-give-up). No `Retry-After` is sent: API Gateway's model
    /// has one, but it has not been seen on the wire.
    pub throttled: (u16, &'static str, &'static str),
    /// A failure of the service that passes.
    pub unavailable: (u16, &'static str),
    /// A call that IAM does not allow.
    pub denied: (u16, &'static str),
}

/// The two kinds of odds; see `crate::faults::chance::Chance`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OddsOf {
    /// For the services that hold an environment's resources.
    Resources,
    /// For the services that hold Berth's own records.
    Records,
}

/// A resource whose provisioning takes time and may fail.
pub struct Provisioned {
    /// The operation that creates it.
    pub operation: &'static str,
    /// Makes the resource of this reply fail at the end of its provisioning, for this reason.
    pub fail_when_ready: fn(&mut Account, &Value, &str),
}

impl Errors {
    /// The wording of awsJson services that have none of their own.
    pub const JSON: Self = Self {
        throttled: (400, "ThrottlingException", "Rate exceeded"),
        unavailable: (500, "InternalServerError"),
        denied: (400, "AccessDeniedException"),
    };
}

impl AwsService {
    /// Its error for a throttled call.
    #[must_use]
    pub fn throttled(&self) -> Refusal {
        let (status, code, message) = self.errors.throttled;
        Refusal::new(status, code, message)
    }

    /// Its error for a failure that passes.
    #[must_use]
    pub fn unavailable(&self) -> Refusal {
        let (status, code) = self.errors.unavailable;
        Refusal::new(status, code, "Service Unavailable. Please try again later.")
    }

    /// Its error for a caller whom IAM does not allow `operation`.
    #[must_use]
    pub fn denied(&self, operation: &str) -> Refusal {
        let (status, code) = self.errors.denied;
        let message = format!("User: berth-local is not authorized to perform: {}:{operation}", self.prefix);
        Refusal::new(status, code, message)
    }
}
