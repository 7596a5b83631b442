//! How long an environment may live: `"45m"`, `"8h"`, `"7d"`. It counts the caller's time, whatever speed the clock has.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::ParseError;

/// The shortest lifetime, in seconds: less is not enough to create anything.
const SHORTEST: i64 = 60;
/// The longest lifetime, in seconds.
const LONGEST: i64 = 365 * DAY;
const DAY: i64 = 24 * 3600;

/// A lifetime: a number and a unit (`s`, `m`, `h`, `d`), from `1m` to `365d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[1-9][0-9]*[smhd]$", examples("8h"))]
pub struct Lifetime(i64);

impl Lifetime {
    /// When it is over, if it begins at `began`.
    #[must_use]
    pub fn end(self, began: Timestamp) -> Timestamp {
        began.checked_add(SignedDuration::from_secs(self.0)).unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Lifetime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError("must be a number and a unit like 90m, 8h or 7d, from 1m to 365d");
        let unit = match text.bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            Some(b'd') => DAY,
            _ => return Err(wrong()),
        };
        let digits = text.get(..text.len() - 1).unwrap_or_default();
        if digits.is_empty()
            || digits.len() > 8
            || digits.starts_with('0')
            || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            return Err(wrong());
        }
        let seconds = digits.parse::<i64>().map_err(|_| wrong())? * unit;
        if (SHORTEST..=LONGEST).contains(&seconds) { Ok(Self(seconds)) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Lifetime {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.to_string()
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds % DAY == 0 => write!(f, "{}d", seconds / DAY),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}
