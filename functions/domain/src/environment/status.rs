//! Where an environment stands, and which status may follow which.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an environment stands. `ready`, `failed`, `deleted` and `cleanup_failed` stay until a request changes them.
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
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Recorded; the workflow has not begun.
    Queued,
    /// Being built.
    Provisioning,
    /// Proven reachable through its URL.
    Ready,
    /// Being removed: on request, or because provisioning failed (then `failure` is set).
    Deleting,
    /// Nothing is left.
    Deleted,
    /// Provisioning failed; nothing is left behind, `failure` says why. It may be retried.
    Failed,
    /// Something could not be removed; `leftovers` says what and why. It is tried again for a while; delete or retry to try at once.
    CleanupFailed,
}

impl Status {
    /// All of them, in the order of their declaration.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

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

    /// The word in the API and in the records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
