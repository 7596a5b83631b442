//! The janitor: looks after what the workflow cannot look after itself. It holds no state; whatever it does may be done
//! twice, by two of it at once, or be cut off anywhere.
//!
//! - `sweep`: environments that are due (an operation whose execution ended early or never began, a lifetime that is over,
//!   a removal to be tried again). On a schedule, and for one environment on the event that its execution ended.
//! - `audit`: records against what is tagged in AWS, both ways. On a schedule.
//!
//! What has to happen is decided in `functions/domain/src/environment/life.rs`. `main.rs` makes a Lambda of it; the
//! embedded system calls [`Janitor::run`] on a timer.

mod audit;
mod call;
mod sweep;

use berth_aws::{Operations, Resources, Store};
use berth_domain::ids::IdGenerator;
use berth_domain::settings::Settings;
use berth_domain::{Clock, Error};

pub use call::{Call, Ended, Task};

/// What the janitor works with; cheap to clone.
#[derive(Clone, Debug)]
pub struct Janitor {
    /// The records.
    pub store: Store,
    /// The workflow.
    pub operations: Operations,
    /// AWS.
    pub resources: Resources,
    /// The deployment's configuration.
    pub settings: Settings,
    /// New identities.
    pub ids: IdGenerator,
    /// Time.
    pub clock: Clock,
}

impl Janitor {
    /// Does what a call asks for.
    ///
    /// # Errors
    /// `Unavailable` when the table or AWS cannot be reached: the next call does the rest.
    pub async fn run(&self, call: Call) -> Result<(), Error> {
        match call {
            Call::Scheduled { task: Task::Sweep } => self.sweep().await,
            Call::Scheduled { task: Task::Audit } => self.audit().await,
            Call::Event { detail } => self.ended(&detail).await,
        }
    }
}
