//! The values of a request, each with its rule: what it accepts, the message when it does not, and what the OpenAPI document
//! says of it. How many entries a list or map may have stands here too.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Number;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::access::{AccessKind, Cidr};
use crate::ids::{ParseError, is_label};

/// How many subnets a load balancer may have.
pub(super) const SUBNETS: RangeInclusive<usize> = 1..=16;
/// How many security groups. With none, ECS would use the VPC's default group.
pub(super) const SECURITY_GROUPS: RangeInclusive<usize> = 1..=5;
/// How many ranges may send requests: a REST API's resource policy has at most 8,192 bytes (docs/aws.md#quotas).
pub(super) const CIDRS: RangeInclusive<usize> = 1..=100;
/// How many labels an environment may have.
pub(super) const MAX_LABELS: usize = 20;

/// An environment's name: 1 to 40 lower-case letters, digits and inner hyphens. It is unique in the team.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 40, pattern = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$", examples("orders-pr-42"))]
pub struct EnvironmentName(pub(super) String);

impl TryFrom<String> for EnvironmentName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let valid = is_label(&text, 40);
        valid.then_some(Self(text)).ok_or(ParseError("must be 1 to 40 lower-case letters, digits and inner hyphens"))
    }
}

/// An existing task definition: `family` (Berth pins its newest ACTIVE revision), `family:revision`, or an ARN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 512, pattern = "^[!-~]+$", examples("hello"))]
pub struct TaskDefinitionName(pub(super) String);

impl TryFrom<String> for TaskDefinitionName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let valid = (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then_some(Self(text)).ok_or(ParseError("must be a family, family:revision or task definition ARN"))
    }
}

impl TaskDefinitionName {
    /// The name as AWS takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a container in the task definition.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 255)]
pub struct ContainerName(pub(super) String);

impl TryFrom<String> for ContainerName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let valid = (1..=255).contains(&text.chars().count());
        valid.then_some(Self(text)).ok_or(ParseError("must be 1 to 255 characters"))
    }
}

/// A container port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "Number")]
#[schema(value_type = u16, minimum = 1, maximum = 65535)]
pub struct Port(pub(super) u16);

impl TryFrom<Number> for Port {
    type Error = ParseError;

    fn try_from(number: Number) -> Result<Self, ParseError> {
        let port = whole(&number).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
        port.map(Self).ok_or(ParseError("must be 1 to 65535"))
    }
}

/// How many tasks run, 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "Number")]
#[schema(value_type = u32, minimum = 1, maximum = 100)]
pub struct DesiredCount(pub(super) u32);

impl Default for DesiredCount {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<Number> for DesiredCount {
    type Error = ParseError;

    fn try_from(number: Number) -> Result<Self, ParseError> {
        let count = whole(&number).and_then(|number| u32::try_from(number).ok());
        count.filter(|count| (1..=100).contains(count)).map(Self).ok_or(ParseError("must be 1 to 100"))
    }
}

/// A whole number as JSON has it: `16.0` is one too. JSON Schema says so, and some languages write all numbers that way.
fn whole(number: &Number) -> Option<u64> {
    // Up to `u32::MAX` the conversion is exact, and no field takes more.
    let exact = |number: &f64| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number);
    number.as_u64().or_else(|| number.as_f64().filter(exact).map(|number| number as u64))
}

/// The path and query that the load balancer requests; 200 to 399 means healthy. It must not be `/ping` or `/sping`: API
/// Gateway reserves these, and answers them itself behind a custom domain. The path has no segments `.` and `..`, and none of
/// the escapes `%00`, `%25`, `%2E`, `%2F` and `%5C`: programs on the way resolve them differently.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(
    value_type = String,
    max_length = 1024,
    pattern = "^(?:/(?:\\.{0,2}(?:[A-Za-z0-9_~!$&'()*+,;=:@-]|%(?:0[1-9A-Fa-f]|[1346-9A-Fa-f][0-9A-Fa-f]|2[0-46-9A-Da-d]|5[0-9ABD-Fabd-f]))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?:0[1-9A-Fa-f]|[1346-9A-Fa-f][0-9A-Fa-f]|2[0-46-9A-Da-d]|5[0-9ABD-Fabd-f]))*|\\.{3,}(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%(?:0[1-9A-Fa-f]|[1346-9A-Fa-f][0-9A-Fa-f]|2[0-46-9A-Da-d]|5[0-9ABD-Fabd-f]))*)?)+(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%(?:0[1-9A-Fa-f]|[1-9A-Fa-f][0-9A-Fa-f]))*)?$"
)]
pub struct HealthCheckPath(pub(super) String);

impl Default for HealthCheckPath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl TryFrom<String> for HealthCheckPath {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        // What may stand in a path and query (RFC 3986); no fragment.
        let permitted = |byte: u8| byte.is_ascii_alphanumeric() || b"._~!$&'()*+,;=:@%/?-".contains(&byte);
        if !text.starts_with('/') || text.len() > 1024 || !text.bytes().all(permitted) {
            return Err(ParseError(
                "must begin with / and have 1 to 1024 characters that a URL's path and query may have",
            ));
        }
        let (path, query) = text.split_once('?').unwrap_or((&text, ""));
        if !escapes_only(path, &["00", "25", "2E", "2F", "5C"]) {
            return Err(ParseError(
                "must have two hexadecimal digits behind each %, and none of %00, %25, %2E, %2F and %5C in its path",
            ));
        }
        if !escapes_only(query, &["00"]) {
            return Err(ParseError("must have two hexadecimal digits behind each %, and no %00"));
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(ParseError("must not have the segments . and .."));
        }
        Ok(Self(text))
    }
}

/// Whether two hexadecimal digits stand behind each `%` of `text`, and none of these.
fn escapes_only(text: &str, without: &[&str]) -> bool {
    text.split('%').skip(1).all(|rest| {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        digits.is_some_and(|digits| !without.iter().any(|refused| refused.eq_ignore_ascii_case(digits)))
    })
}

/// The id of a subnet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$")]
pub struct SubnetId(pub(super) String);

impl TryFrom<String> for SubnetId {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let valid = is_aws_id(&text, "subnet-");
        valid.then_some(Self(text)).ok_or(ParseError("must be a subnet id like subnet-0123456789abcdef0"))
    }
}

/// The id of a security group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, pattern = "^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$")]
pub struct SecurityGroupId(pub(super) String);

impl TryFrom<String> for SecurityGroupId {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let valid = is_aws_id(&text, "sg-");
        valid.then_some(Self(text)).ok_or(ParseError("must be a security group id like sg-0123456789abcdef0"))
    }
}

/// AWS's older ids have 8 digits, all newer ones 17.
fn is_aws_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// The name of the REST API's stage: 1 to 128 letters, digits, hyphens and underscores. It must not be `ping` or `sping`: API
/// Gateway reserves these.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9_-]+$")]
pub struct StageName(pub(super) String);

impl Default for StageName {
    fn default() -> Self {
        Self("live".to_owned())
    }
}

impl TryFrom<String> for StageName {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let permitted = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let valid = (1..=128).contains(&text.len()) && text.bytes().all(permitted);
        valid.then_some(Self(text)).ok_or(ParseError("must be 1 to 128 letters, digits, hyphens and underscores"))
    }
}

/// A label's key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = r"^[^\x00-\x1F\x7F-\x9F]*$")]
pub struct LabelKey(pub(super) String);

impl TryFrom<String> for LabelKey {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let valid = (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control);
        valid
            .then_some(Self(text))
            .ok_or(ParseError("must have a key of 1 to 64 characters, none of them a control character"))
    }
}

/// A label's value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 256, pattern = r"^[^\x00-\x1F\x7F-\x9F]*$")]
pub struct LabelValue(pub(super) String);

impl TryFrom<String> for LabelValue {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        let valid = text.chars().count() <= 256 && !text.contains(char::is_control);
        valid
            .then_some(Self(text))
            .ok_or(ParseError("must be at most 256 characters, none of them a control character"))
    }
}

/// What the document says of `network.subnets`.
pub(super) fn subnets_schema() -> Array {
    let description = "Subnets of the load balancer and the tasks, at most one per availability zone. The deployment's when left out; others only as far as the deployment allows them.";
    list_schema::<SubnetId>(&SUBNETS, description)
}

/// What the document says of `network.security_groups`.
pub(super) fn security_groups_schema() -> Array {
    let description = "Security groups of the load balancer and the tasks. The deployment's when left out; others only as far as the deployment allows them.";
    list_schema::<SecurityGroupId>(&SECURITY_GROUPS, description)
}

fn list_schema<T: PartialSchema>(bounds: &RangeInclusive<usize>, description: &str) -> Array {
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(T::schema())
        .min_items(Some(*bounds.start()).filter(|fewest| *fewest > 0))
        .max_items(Some(*bounds.end()))
        .unique_items(true)
        .description(Some(description))
        .build()
}

/// What the document says of `access`.
pub(super) fn access_schema() -> Schema {
    let kind = |kind: AccessKind, description: &str| {
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind.to_string()]));
        let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description));
        object
            .property("kind", word)
            .required("kind")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
    };
    let cidrs = ArrayBuilder::new()
        .items(Cidr::schema())
        .min_items(Some(*CIDRS.start()))
        .max_items(Some(*CIDRS.end()))
        .unique_items(true)
        .description(Some("The ranges whose addresses may send requests."));
    let iam = "Principals of the AWS account that have `execute-api:Invoke`. Requests carry a SigV4 signature.";
    let ranges = "Clients whose address is in one of `cidrs`.";
    OneOfBuilder::new()
        .description(Some(
            "Who may reach the environment's URL: `iam`, `cidrs` or `open`, from strict to loose. The deployment decides how \
             loose it may be, and which ranges may be named. The deployment's default when left out.",
        ))
        .item(kind(AccessKind::Iam, iam))
        .item(kind(AccessKind::Cidrs, ranges).property("cidrs", cidrs).required("cidrs"))
        .item(kind(AccessKind::Open, "Every client on the internet."))
        .into()
}

/// What the document says of `labels`.
pub(super) fn labels_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Labels of your choice; Berth stores and returns them and does nothing else with them."))
        .property_names(Some(LabelKey::schema()))
        .additional_properties(Some(LabelValue::schema()))
        .max_properties(Some(MAX_LABELS))
        .build()
}
