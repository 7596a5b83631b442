//! The patch operations of the Update calls.

use serde::Deserialize;

use super::wire::bad;
use crate::stand_in::refusal::Refusal;

/// One patch operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patch {
    pub op: String,
    pub path: String,
    #[serde(default)]
    pub value: Option<String>,
}

impl Patch {
    /// Its value; AWS refuses operations that need one and have none.
    pub fn value(&self) -> Result<String, Refusal> {
        self.value.clone().ok_or_else(|| bad(format!("Invalid null or empty value for patch path {}", self.path)))
    }

    /// The name of the entry when its path is `/{map}/{name}`, out of JSON Pointer's escapes.
    pub fn entry(&self, map: &str) -> Option<String> {
        let name = self.path.strip_prefix('/')?.strip_prefix(map)?.strip_prefix('/')?;
        (!name.is_empty()).then(|| name.replace("~1", "/").replace("~0", "~"))
    }

    /// The error for a path that a REST API or a method does not have.
    pub fn invalid_path(&self) -> Refusal {
        bad(format!("Invalid patch path {}", self.path))
    }

    /// The error for an operation other than `replace` on a path that takes nothing else.
    pub fn replace_only(&self) -> Result<(), Refusal> {
        match self.op.as_str() {
            "replace" => Ok(()),
            _ => Err(bad("Invalid patch operation specified. Must be one of: [replace]")),
        }
    }

    /// The error for an operation that its resource does not support.
    pub fn refuse(&self, allowed: &[&str]) -> Refusal {
        let advice = match self.op.as_str() {
            "replace" => format!("Must be one of: [{}]", allowed.join(", ")),
            _ => "Please choose supported operations".to_owned(),
        };
        bad(format!("Invalid patch path  '{}' specified for op '{}'. {advice}", self.path, self.op))
    }

    /// A number.
    pub fn number<T: std::str::FromStr>(&self) -> Result<T, Refusal> {
        self.value()?.parse().map_err(|_| bad(format!("Invalid number value for patch path {}", self.path)))
    }

    /// `true` or `false`.
    pub fn flag(&self) -> Result<bool, Refusal> {
        self.value()?.parse().map_err(|_| bad(format!("Invalid boolean value for patch path {}", self.path)))
    }
}
