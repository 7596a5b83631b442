//! The use cases, one file each. They take a [`Caller`](berth_domain::token::Caller) and typed input, and know neither HTTP nor
//! Lambda; the shells around them decode, call and encode.
//!
//! - `create`, `delete`, `retry`, `extend`, `read`: what a caller may do, for its own team.
//! - `recover`: makes sure that what the records say is under way has an execution; what the janitor does on a schedule.
//! - `audit`: compares the records with what is tagged in AWS, both ways.
//!
//! The rules of an environment are in `functions/domain`; how records and AWS are reached, in `functions/aws`.

mod audit;
mod create;
mod delete;
mod extend;
mod read;
mod recover;
mod retry;

use berth_aws::{Machine, Resources, Store};
use berth_domain::Clock;
use berth_domain::ids::IdGenerator;
use berth_domain::settings::Settings;

pub use audit::AuditReport;
pub use read::EventPage;

/// What the use cases work with; cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The records.
    pub store: Store,
    /// The state machine.
    pub machine: Machine,
    /// The AWS resources.
    pub aws: Resources,
    /// The deployment's configuration.
    pub settings: Settings,
    /// Generates the ids of environments and operations.
    pub ids: IdGenerator,
    /// The clock that records and lifetimes follow.
    pub clock: Clock,
}
