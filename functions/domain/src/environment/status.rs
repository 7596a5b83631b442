//! Where an environment stands, and which status may follow which.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an environment stands. `ready`, `failed`, `deleted` and `cleanup_failed` stay until somebody asks for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Recorded; the workflow has not begun.
    Queued,
    /// Being built.
    Provisioning,
    /// Proven reachable through its URL.
    Ready,
    /// Being taken away: because somebody asked, or (then `failure` is set) because provisioning failed.
    Deleting,
    /// Nothing is left.
    Deleted,
    /// Provisioning failed; nothing is left behind, `failure` says why. It may be retried.
    Failed,
    /// Something could not be removed; `leftovers` says what and why. It is tried again for a while; delete or retry to try at once.
    CleanupFailed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Provisioning,
        Self::Ready,
        Self::Deleting,
        Self::Deleted,
        Self::Failed,
        Self::CleanupFailed,
    ];

    /// Whether `next` may follow.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(next, Self::Provisioning | Self::Deleting),
            Self::Provisioning => matches!(next, Self::Ready | Self::Deleting),
            Self::Ready | Self::CleanupFailed => matches!(next, Self::Deleting),
            Self::Deleting => matches!(next, Self::Deleted | Self::Failed | Self::CleanupFailed),
            Self::Failed => matches!(next, Self::Queued | Self::Deleted),
            Self::Deleted => false,
        }
    }

    /// Whether an operation is under way.
    #[must_use]
    pub fn is_moving(self) -> bool {
        match self {
            Self::Queued | Self::Provisioning | Self::Deleting => true,
            Self::Ready | Self::Deleted | Self::Failed | Self::CleanupFailed => false,
        }
    }

    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
            Self::CleanupFailed => "cleanup_failed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|status| status.word() == word).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|status| status.word()).collect();
            format!("must be one of {}", words.join(", "))
        })
    }
}
