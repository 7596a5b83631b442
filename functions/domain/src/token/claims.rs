//! What a token says, read one claim at a time: the registered ones, and team and role from wherever the issuer puts them.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::{Role, denied};
use crate::error::Error;
use crate::ids::Team;

/// OpenID Connect Core, section 2: a subject has at most 255 characters.
const LONGEST_SUBJECT: usize = 255;

/// Where a claim stands: a name like `custom:team`, or a JSON pointer like `/realm_access/roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim(String);

impl FromStr for Claim {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("must be a claim's name, or a JSON pointer that begins with `/`".to_owned());
        }
        // RFC 6901: `~` only as `~0` or `~1`.
        let escaped = |part: &str| part.starts_with('0') || part.starts_with('1');
        if text.starts_with('/') && !text.split('~').skip(1).all(escaped) {
            return Err("is no JSON pointer: `~` is written `~0`, and `/` within a name `~1`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The claims of a token whose signature fits.
pub(super) struct Claims(Value);

impl Claims {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(Value::Object(claims))
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.0.get("iss")?.as_str()
    }

    pub(super) fn is_for(&self, audience: &str) -> bool {
        self.0.get("aud").is_some_and(|claim| says(claim, audience))
    }

    /// A moment in whole seconds since the epoch (RFC 7519 allows fractions); `None` when it is not there.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(claim) = self.0.get(name) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "a float beyond an i64 becomes the nearest")]
        let seconds = claim.as_i64().or_else(|| claim.as_f64().map(|seconds| seconds as i64));
        seconds.map(Some).ok_or_else(|| denied(format!("The token's `{name}` is no number of seconds.")))
    }

    pub(super) fn subject(&self) -> Result<String, Error> {
        match self.0.get("sub").and_then(Value::as_str) {
            None | Some("") => Err(denied("The token names no subject.")),
            Some(subject) if subject.chars().count() > LONGEST_SUBJECT => {
                Err(denied("The token's subject is longer than 255 characters."))
            }
            Some(subject) => Ok(subject.to_owned()),
        }
    }

    /// The one team that `claim` names, as a string or a list of one.
    pub(super) fn team(&self, claim: &Claim) -> Result<Team, Error> {
        let none = || denied(format!("The token names no team: the claim `{claim}` must be a team's name."));
        let team = match self.at(claim).ok_or_else(none)? {
            Value::Array(teams) if teams.len() > 1 => {
                return Err(denied(format!("The token names several teams in `{claim}`; it must name exactly one.")));
            }
            Value::Array(teams) => teams.first().and_then(Value::as_str),
            other => other.as_str(),
        };
        let team = team.ok_or_else(none)?;
        team.parse().map_err(|error| denied(format!("The token's team is {error}.")))
    }

    /// `Operator` when `claim` is or contains `operator`.
    pub(super) fn role(&self, claim: &Claim, operator: &str) -> Role {
        if self.at(claim).is_some_and(|value| says(value, operator)) { Role::Operator } else { Role::Member }
    }

    fn at(&self, Claim(claim): &Claim) -> Option<&Value> {
        if claim.starts_with('/') { self.0.pointer(claim) } else { self.0.get(claim) }
    }
}

/// Whether `claim` is `word`, or a list that has it.
fn says(claim: &Value, word: &str) -> bool {
    match claim {
        Value::Array(words) => words.iter().any(|entry| entry.as_str() == Some(word)),
        other => other.as_str() == Some(word),
    }
}
