//! What Berth knows without AWS: environments and their transitions, steps, names, tokens, errors and time.
//!
//! Begin with [`environment::Environment`], the record that is the truth, and [`step::Step`], the words of the workflow.
//! Nothing here does I/O; `functions/aws` keeps records and calls AWS, `functions/worker` runs the steps.

pub mod causes;
mod clock;
pub mod environment;
pub mod error;
pub mod evidence;
pub mod ids;
pub mod lifetime;
pub mod listening;
pub mod names;
pub mod operation;
pub mod rate_limit;
pub mod request;
pub mod settings;
pub mod step;
pub mod token;
pub mod usual;

pub use clock::Clock;
pub use environment::{Environment, Status};
pub use error::{Error, Field};
pub use ids::{EnvironmentId, OperationId, Team};
pub use lifetime::Lifetime;
pub use step::Step;
