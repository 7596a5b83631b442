//! The janitor looks after what the workflow cannot look after itself. It holds no state, and its calls may be repeated:
//!
//! - a sweep, on a schedule: environments that are due (`functions/app/src/recover.rs`);
//! - an execution that ended: its operation is recovered if it did not finish;
//! - an audit, on a schedule: records against what is tagged in AWS (`functions/app/src/audit.rs`).
//!
//! `main.rs` makes a Lambda of it; the embedded system calls [`run`] on a timer.

mod call;
mod metrics;

use berth_app::App;
use berth_domain::Error;
use berth_domain::operation::Identity;

pub use call::{ExecutionStatus, JanitorCall, ScheduledTask};
pub use metrics::Metrics;

/// Does what a call asks for, and says what it measured.
///
/// # Errors
/// `Unavailable` when the table or AWS cannot be reached: the next call does the rest.
pub async fn run(app: &App, call: JanitorCall) -> Result<Metrics, Error> {
    match call {
        JanitorCall::Scheduled { task: ScheduledTask::Sweep } => app.sweep().await.map(Metrics::of_sweep),
        JanitorCall::Scheduled { task: ScheduledTask::Audit } => {
            app.audit().await.map(|report| Metrics::of_audit(&report))
        }
        JanitorCall::Event { detail } => execution_status(app, &detail).await.map(|()| Metrics::none()),
    }
}

async fn execution_status(app: &App, event: &ExecutionStatus) -> Result<(), Error> {
    if matches!(event.status.as_str(), "RUNNING" | "PENDING_REDRIVE") {
        return Ok(());
    }
    let identity: Option<Identity> = event.input.as_deref().and_then(|input| serde_json::from_str(input).ok());
    match identity {
        Some(identity) => app.execution_ended(&identity).await,
        None => {
            tracing::warn!(?event, "an execution that is not one of ours");
            Ok(())
        }
    }
}
