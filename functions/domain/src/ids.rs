//! Identities: environments, operations and teams, each its own type.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use ulid::Ulid;
use utoipa::ToSchema;

use crate::Clock;

/// An environment: `env_` and a lower-case ULID, so that ids sort by creation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^env_[0-7][0-9a-hjkmnp-tv-z]{25}$", examples("env_01k9xq3v6zj2m4t8d5w7c0b1ae"))]
pub struct EnvironmentId(String);

/// One run of the workflow for one environment: `op_` and a lower-case ULID. It names the execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^op_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
pub struct OperationId(String);

/// A team: what a caller's token says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
pub struct Team(String);

impl Team {
    /// The tag of an AWS resource that says which team it belongs to, and of a task definition that says which teams may run it.
    pub const TAG: &str = "berth:team";
}

impl EnvironmentId {
    const PREFIX: &'static str = "env_";

    /// The id made from `ulid`.
    #[must_use]
    pub fn new(ulid: Ulid) -> Self {
        Self(format!("{}{}", Self::PREFIX, ulid.to_string().to_ascii_lowercase()))
    }

    /// The 26 characters behind the prefix: letters and digits only, for AWS names.
    #[must_use]
    pub fn bare(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0)
    }
}

impl OperationId {
    const PREFIX: &'static str = "op_";

    /// The id made from `ulid`.
    #[must_use]
    pub fn new(ulid: Ulid) -> Self {
        Self(format!("{}{}", Self::PREFIX, ulid.to_string().to_ascii_lowercase()))
    }
}

/// Text that is not what it has to be. What that means to a caller is for the caller to say: the API answers 404 for an id that
/// cannot exist, the authorizer refuses the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError(pub(crate) &'static str);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseError {}

impl FromStr for EnvironmentId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        prefixed_ulid(text, Self::PREFIX).map(Self).ok_or(ParseError("not an environment id"))
    }
}

impl FromStr for OperationId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        prefixed_ulid(text, Self::PREFIX).map(Self).ok_or(ParseError("not an operation id"))
    }
}

impl FromStr for Team {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let is_team = is_label(text, 40);
        is_team
            .then(|| Self(text.to_owned()))
            .ok_or(ParseError("not 1 to 40 lower-case letters, digits and inner hyphens"))
    }
}

/// Lower-case letters, digits and inner hyphens, 1 to `longest` characters: what every AWS name accepts.
#[must_use]
pub fn is_label(text: &str, longest: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=longest).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// The ULID is to be written as we write it: the library also reads capitals, look-alikes (`o` for `0`) and more than 128 bits.
fn prefixed_ulid(text: &str, prefix: &str) -> Option<String> {
    let bare = text.strip_prefix(prefix)?;
    let ulid = Ulid::from_string(bare).ok()?;
    (ulid.to_string().to_ascii_lowercase() == bare).then(|| text.to_owned())
}

impl TryFrom<String> for EnvironmentId {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl TryFrom<String> for OperationId {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl TryFrom<String> for Team {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<EnvironmentId> for String {
    fn from(id: EnvironmentId) -> Self {
        id.0
    }
}

impl From<OperationId> for String {
    fn from(id: OperationId) -> Self {
        id.0
    }
}

impl From<Team> for String {
    fn from(team: Team) -> Self {
        team.0
    }
}

impl fmt::Display for EnvironmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Generates ids: the time in front, random bits behind.
#[derive(Clone, Debug)]
pub struct IdGenerator {
    clock: Clock,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Counts from a seed, for tests that must come out the same every time.
    Counted(Arc<AtomicU64>),
}

impl IdGenerator {
    /// Ids that cannot be guessed and do not repeat.
    #[must_use]
    pub fn random(clock: Clock) -> Self {
        Self { clock, source: Source::System }
    }

    /// Ids that follow from `seed` and their order.
    #[must_use]
    pub fn counted(clock: Clock, seed: u64) -> Self {
        Self { clock, source: Source::Counted(Arc::new(AtomicU64::new(seed))) }
    }

    /// A new environment's.
    #[must_use]
    pub fn environment(&self) -> EnvironmentId {
        EnvironmentId::new(self.ulid())
    }

    /// A new operation's.
    #[must_use]
    pub fn operation(&self) -> OperationId {
        OperationId::new(self.ulid())
    }

    fn ulid(&self) -> Ulid {
        let milliseconds = u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        let random = match &self.source {
            Source::System => Ulid::generate().random(),
            Source::Counted(next) => u128::from(next.fetch_add(1, Ordering::Relaxed)),
        };
        Ulid::from_parts(milliseconds, random)
    }
}
