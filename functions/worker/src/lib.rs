//! The worker: one call is one step of the state machine for one environment.
//!
//! `run` takes a call from its payload to its outcome, `steps` holds one file per resource with `ensure` and `undo`. `step_run`
//! is what every step works with, `ledger_writer` the writes around every creation, `record` the steps that only touch the
//! record, `evidence` what can be seen of a failure. `main.rs` makes a Lambda of it; the embedded system calls [`run`].

mod context;
mod evidence;
mod ledger_writer;
mod record;
mod run;
mod step_error;
mod step_run;
mod steps;

pub use context::Context;
pub use run::run;
pub use step_error::StepError;
