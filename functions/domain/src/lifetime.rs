//! How long an environment may live: `"45m"`, `"8h"`, `"7d"`. It is the caller's time, whatever speed the clock has.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The shortest lifetime: shorter than this nothing can be built.
const SHORTEST: i64 = 60;
/// The longest lifetime.
const LONGEST: i64 = 365 * DAY;
const DAY: i64 = 24 * 3600;

/// `1m` to `365d`, in each of the units, as a regular expression.
const PATTERN: &str = concat!(
    "^(?:",
    "(?:[6-9][0-9]|[1-9][0-9]{2,6}|[12][0-9]{7}|30[0-9]{6}|31[0-4][0-9]{5}|315[0-2][0-9]{4}|3153[0-5][0-9]{3}|31536000)s",
    "|(?:[1-9][0-9]{0,4}|[1-4][0-9]{5}|5[01][0-9]{4}|52[0-4][0-9]{3}|525[0-5][0-9]{2}|525600)m",
    "|(?:[1-9][0-9]{0,2}|[1-7][0-9]{3}|8[0-6][0-9]{2}|87[0-5][0-9]|8760)h",
    "|(?:[1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-5])d",
    ")$"
);

/// A lifetime: a number and a unit (`s`, `m`, `h`, `d`), from `1m` to `365d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lifetime(i64);

impl Lifetime {
    /// When it is over, if it begins at `began`.
    #[must_use]
    pub fn end(self, began: Timestamp) -> Timestamp {
        began.checked_add(SignedDuration::from_secs(self.0)).unwrap_or(Timestamp::MAX)
    }
}

impl PartialSchema for Lifetime {
    fn schema() -> RefOr<Schema> {
        let description = "A lifetime: a number and a unit (`s`, `m`, `h`, `d`), from `1m` to `365d`.";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(description))
            .pattern(Some(PATTERN))
            .examples(["8h"])
            .into()
    }
}

impl ToSchema for Lifetime {
    fn name() -> Cow<'static, str> {
        "Lifetime".into()
    }
}

impl FromStr for Lifetime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be a number and a unit like 90m, 8h or 7d, from 1m to 365d".to_owned();
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
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
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
