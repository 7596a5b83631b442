//! What every call of the worker works with. One step run is in `step_run`, writing the ledger in `ledger_writer`.

use berth_aws::{Prober, Resources, Store};
use berth_domain::Clock;
use berth_domain::settings::Settings;

/// What every call works with; cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// The records.
    pub store: Store,
    /// The AWS resources.
    pub aws: Resources,
    /// Sends the proving requests.
    pub prober: Prober,
    /// The deployment's configuration.
    pub settings: Settings,
    /// The clock that limits and waits follow.
    pub clock: Clock,
}
