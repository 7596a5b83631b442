//! The status of an environment, and which status may follow which.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The status of an environment. `ready`, `failed`, `deleted` and `cleanup_failed` last until a caller requests a change, the
/// lifetime ends, or Berth retries a removal.
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
    /// The workflow is creating the environment's resources.
    Provisioning,
    /// A request through the environment's URL has been answered.
    Ready,
    /// The workflow is removing the environment's resources: a delete was requested, the lifetime ended, or provisioning failed
    /// (then `failure` is set).
    Deleting,
    /// Nothing is left in AWS.
    Deleted,
    /// Provisioning failed, for the reason in `failure`; nothing is left in AWS. It can be retried.
    Failed,
    /// Some resources could not be removed; `leftovers` lists them. Berth retries at `next_attempt_at`; delete or retry the
    /// environment to retry at once.
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
