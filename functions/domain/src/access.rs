//! Who may reach an environment's URL: the kinds of access, and what the deployment permits. How API Gateway is set up for
//! each kind is in `functions/aws/src/resources/access.rs`.

use std::fmt;
use std::str::FromStr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::ids::ParseError;

/// A range with a shorter prefix than this is no limit: two of `/1` are the whole internet.
const SHORTEST_PREFIX: u8 = 8;

/// Who may reach an environment's URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Access {
    /// Principals of the AWS account that have `execute-api:Invoke`. Requests carry a SigV4 signature.
    Iam,
    /// Clients whose address is in one of the ranges.
    Cidrs {
        /// IPv4 ranges, like `203.0.113.0/24`.
        cidrs: Vec<Cidr>,
    },
    /// Every client on the internet.
    Open,
}

/// The kinds of access, from strict to loose.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AccessKind {
    /// Principals of the AWS account that have `execute-api:Invoke`. Requests carry a SigV4 signature.
    Iam,
    /// Clients whose address is in one of `cidrs`.
    Cidrs,
    /// Every client on the internet.
    Open,
}

/// A range of IPv4 addresses. The environments' REST APIs have IPv4 addresses only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    pattern = "^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])/(?:3[0-2]|[12]?[0-9])$",
    examples("203.0.113.0/24")
)]
pub struct Cidr(Ipv4Net);

impl FromStr for Cidr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse().map(Self).map_err(|_| ParseError("must be an IPv4 range like 203.0.113.0/24"))
    }
}

impl TryFrom<String> for Cidr {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Cidr {
    fn contains(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether it is within a range from which no request reaches a public endpoint (RFC 1918, 6598, 3927 and 1122).
    fn is_private(self) -> bool {
        let ranges = [
            ([10, 0, 0, 0], 8),
            ([172, 16, 0, 0], 12),
            ([192, 168, 0, 0], 16),
            ([100, 64, 0, 0], 10),
            ([169, 254, 0, 0], 16),
            ([127, 0, 0, 0], 8),
            ([0, 0, 0, 0], 8),
        ];
        let within = |(octets, prefix): ([u8; 4], u8)| {
            Ipv4Net::new(octets.into(), prefix).is_ok_and(|range| range.contains(&self.0))
        };
        self.0.prefix_len() >= SHORTEST_PREFIX && ranges.into_iter().any(within)
    }
}

impl Access {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> AccessKind {
        match self {
            Self::Iam => AccessKind::Iam,
            Self::Cidrs { .. } => AccessKind::Cidrs,
            Self::Open => AccessKind::Open,
        }
    }

    /// Its ranges; none unless they decide.
    #[must_use]
    pub fn cidrs(&self) -> &[Cidr] {
        match self {
            Self::Cidrs { cidrs } => cidrs,
            Self::Iam | Self::Open => &[],
        }
    }
}

/// What the deployment permits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessRule {
    /// The access of an environment whose request does not say.
    default: Access,
    /// The loosest kind that a request may name.
    loosest: AccessKind,
    /// The ranges that a request's ranges must be in; empty for all.
    cidrs: Vec<Cidr>,
}

impl AccessRule {
    /// The rule of a deployment: the kind that applies by default, the loosest one, and the ranges (empty for all).
    ///
    /// # Errors
    /// One line when the default is looser than the loosest, or is `cidrs` without ranges.
    pub fn new(default: AccessKind, loosest: AccessKind, cidrs: Vec<Cidr>) -> Result<Self, String> {
        if default > loosest {
            return Err(format!("the default access `{default}` is looser than the loosest, `{loosest}`"));
        }
        let default = match default {
            AccessKind::Iam => Access::Iam,
            AccessKind::Open => Access::Open,
            AccessKind::Cidrs if cidrs.is_empty() => {
                return Err("the default access is `cidrs`, but the allowed ranges are empty".to_owned());
            }
            AccessKind::Cidrs => Access::Cidrs { cidrs: cidrs.clone() },
        };
        Ok(Self { default, loosest, cidrs })
    }

    /// The access of an environment whose request asks for `asked`.
    ///
    /// # Errors
    /// `Unprocessable`: a looser kind than the deployment permits, a range outside the allowed ones, a private range.
    pub(crate) fn resolve(&self, asked: Option<&Access>) -> Result<Access, Error> {
        let Some(asked) = asked else { return Ok(self.default.clone()) };
        let unlimited = asked.cidrs().iter().position(|cidr| cidr.0.prefix_len() < SHORTEST_PREFIX);
        let (kind, pointer) = match unlimited {
            Some(index) => (AccessKind::Open, format!("/access/cidrs/{index}")),
            None => (asked.kind(), "/access/kind".to_owned()),
        };
        if kind > self.loosest {
            let counts = if unlimited.is_some() { " (a range of less than /8 counts as `open`)" } else { "" };
            return Err(Error::unprocessable(
                "access_too_loose",
                pointer,
                format!(
                    "This deployment permits no access looser than `{}`; the request asks for `{kind}`{counts}. Ask for a \
                     stricter kind, or have Berth's operators change the parameter LoosestAccess.",
                    self.loosest
                ),
            ));
        }
        if unlimited.is_some() {
            return Ok(Access::Open);
        }
        for (index, cidr) in asked.cidrs().iter().enumerate() {
            self.check(*cidr, format!("/access/cidrs/{index}"))?;
        }
        Ok(asked.clone())
    }

    fn check(&self, cidr: Cidr, pointer: String) -> Result<(), Error> {
        let allowed = self.cidrs.iter().any(|allowed| allowed.contains(cidr));
        if cidr.is_private() && !allowed {
            return Err(Error::unprocessable(
                "cidr_private",
                pointer,
                format!(
                    "{cidr} is a private range, and the URL is reached over the internet. Name the public addresses that \
                     your clients' requests come from."
                ),
            ));
        }
        if !allowed && !self.cidrs.is_empty() {
            let ranges: Vec<String> = self.cidrs.iter().map(Cidr::to_string).collect();
            return Err(Error::unprocessable(
                "cidr_not_allowed",
                pointer,
                format!(
                    "{cidr} is outside the ranges that this deployment allows: {}. Name ranges inside them, or have \
                     Berth's operators change the parameter AllowedCidrs.",
                    ranges.join(", ")
                ),
            ));
        }
        Ok(())
    }
}
