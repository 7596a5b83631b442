//! Who may reach an environment's URL: the kinds of access, and what the deployment permits. How API Gateway is set up for
//! each kind is in `functions/aws/src/resources/access.rs`.

use std::fmt;
use std::str::FromStr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Field;
use crate::ids::ParseError;

/// A range with a shorter prefix than this is no limit: two of `/1` are the whole internet.
const SHORTEST_PREFIX: u8 = 8;

/// Who may reach an environment's URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether it is no limit.
    fn is_unlimited(self) -> bool {
        self.0.prefix_len() < SHORTEST_PREFIX
    }

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
        ranges.into_iter().any(within)
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
#[derive(Clone, Debug)]
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
    /// One line when the default is looser than the loosest, or is `cidrs` without ranges, or when a range is no limit.
    pub fn new(default: AccessKind, loosest: AccessKind, cidrs: Vec<Cidr>) -> Result<Self, String> {
        if let Some(cidr) = cidrs.iter().find(|cidr| cidr.is_unlimited()) {
            return Err(format!(
                "the allowed range {cidr} is no limit, because its prefix is shorter than /{SHORTEST_PREFIX}: allow no ranges \
                 to permit every range, or `open` to permit every client"
            ));
        }
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

    /// The access of an environment whose request asks for `asked`: the default when it does not say. A range without a limit
    /// makes it open.
    #[must_use]
    pub fn resolve(&self, asked: Option<&Access>) -> Access {
        match asked {
            None => self.default.clone(),
            Some(asked) if asked.cidrs().iter().any(|cidr| cidr.is_unlimited()) => Access::Open,
            Some(asked) => asked.clone(),
        }
    }

    /// The places of `asked` that the deployment excludes.
    #[must_use]
    pub fn check(&self, asked: &Access) -> Vec<Field> {
        let place = |index: usize| format!("/access/cidrs/{index}");
        if asked.kind() > self.loosest {
            return vec![
                self.too_loose("/access/kind".to_owned(), &format!("the request asks for `{}`", asked.kind())),
            ];
        }
        let cidrs = asked.cidrs().iter().enumerate();
        let excluded = cidrs.filter_map(|(index, cidr)| {
            if cidr.is_unlimited() {
                let counts = format!("{cidr} counts as `open`, as every range of less than /{SHORTEST_PREFIX} does");
                return (self.loosest < AccessKind::Open).then(|| self.too_loose(place(index), &counts));
            }
            self.check_range(*cidr, place(index))
        });
        excluded.collect()
    }

    fn too_loose(&self, pointer: String, why: &str) -> Field {
        let message = format!(
            "This deployment allows no access looser than `{}`, and {why}. Ask for a stricter kind, or ask an operator to \
             change LoosestAccess.",
            self.loosest
        );
        Field { pointer, message }
    }

    fn check_range(&self, cidr: Cidr, pointer: String) -> Option<Field> {
        if self.cidrs.iter().any(|allowed| allowed.contains(cidr)) {
            return None;
        }
        let message = if cidr.is_private() {
            format!(
                "{cidr} is a private range, and the URL is reached over the internet. Name the public addresses that your \
                 clients' requests come from."
            )
        } else if self.cidrs.is_empty() {
            return None;
        } else {
            let allowed: Vec<String> = self.cidrs.iter().map(Cidr::to_string).collect();
            format!(
                "{cidr} is not within the ranges that this deployment allows: {}. Name ranges within them, or ask an \
                 operator to extend AllowedCidrs.",
                allowed.join(", ")
            )
        };
        Some(Field { pointer, message })
    }
}
