//! Resource policies of REST APIs: reading one, and asking it about a request (docs/aws.md#who-may-invoke). Conditions other
//! than `IpAddress` and `NotIpAddress` on `aws:SourceIp` are refused when the policy is set, so that none is ignored.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::wire::bad;
use crate::stand_in::identity::arn;
use crate::stand_in::refusal::Refusal;

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement permits it, and none denies it.
    Allow,
    /// A statement denies it.
    Deny,
    /// No statement is about it.
    Neither,
}

/// A request that a policy is asked about.
pub struct Asked<'a> {
    /// The ARN of the principal that signed it; `None` for an anonymous one.
    pub principal: Option<&'a str>,
    /// The client's address.
    pub source: IpAddr,
    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.
    pub resource: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Policy {
    #[serde(rename = "Version")]
    _version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    #[serde(deserialize_with = "one_or_more")]
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: Effect,
    principal: Principal,
    #[serde(deserialize_with = "one_or_more")]
    action: Vec<String>,
    #[serde(deserialize_with = "one_or_more")]
    resource: Vec<String>,
    #[serde(default)]
    condition: BTreeMap<Operator, SourceIp>,
}

#[derive(Deserialize, PartialEq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Principal {
    Everyone(String),
    Aws(Principals),
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE", deny_unknown_fields)]
struct Principals {
    #[serde(deserialize_with = "one_or_more")]
    aws: Vec<String>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum Operator {
    IpAddress,
    NotIpAddress,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceIp {
    #[serde(rename = "aws:SourceIp", alias = "aws:sourceIp", deserialize_with = "one_or_more")]
    ranges: Vec<String>,
}

fn one_or_more<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore<T> {
        More(Vec<T>),
        One(T),
    }
    Ok(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::More(all) => all,
        OneOrMore::One(one) => vec![one],
    })
}

/// The policy as it is stored: with the API's own ARN in place of the short form `execute-api:/…`.
///
/// # Errors
/// AWS's error for a policy that is none, and for what the stand-in does not play.
pub fn stored(text: &str, api: &str) -> Result<String, Refusal> {
    let text = text.replace("\"execute-api:/", &format!("\"{}/", arn("execute-api", api)));
    let policy: Policy = serde_json::from_str(&text).map_err(|error| {
        let message = "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.";
        bad(format!("{message} (berth-local: {error})"))
    })?;
    let ranges = policy.statement.iter().flat_map(|statement| statement.condition.values());
    for range in ranges.flat_map(|source| &source.ranges) {
        parse(range).ok_or_else(|| bad(format!("Invalid policy document. {range} is no range of addresses.")))?;
    }
    Ok(text)
}

/// What the stored policy says of a request.
#[must_use]
pub fn decide(stored: &str, asked: &Asked<'_>) -> Decision {
    // It was read when it was set.
    let Ok(policy) = serde_json::from_str::<Policy>(stored) else { return Decision::Deny };
    let mut about = policy.statement.iter().filter(|statement| statement.is_about(asked)).peekable();
    if about.peek().is_none() {
        return Decision::Neither;
    }
    if about.any(|statement| statement.effect == Effect::Deny) { Decision::Deny } else { Decision::Allow }
}

impl Statement {
    fn is_about(&self, asked: &Asked<'_>) -> bool {
        let principal = match &self.principal {
            Principal::Everyone(who) => who == "*",
            Principal::Aws(Principals { aws }) => {
                aws.iter().any(|arn| arn == "*" || asked.principal == Some(arn.as_str()))
            }
        };
        principal
            && self.action.iter().any(|action| matches(action, "execute-api:Invoke"))
            && self.resource.iter().any(|resource| matches(resource, asked.resource))
            && self.condition.iter().all(|(operator, source)| {
                let within =
                    source.ranges.iter().filter_map(|range| parse(range)).any(|range| range.contains(&asked.source));
                within == (*operator == Operator::IpAddress)
            })
    }
}

/// A range, or one address.
fn parse(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Whether `text` fits the pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
