//! What Berth knows without AWS: environments and their transitions, steps and plans, names, tokens, errors and time.
//!
//! Begin with [`environment::Environment`], the record that is the truth, then [`step::Step`] and [`plan`]. Nothing here does
//! I/O; `functions/aws` keeps records and calls AWS, `functions/app` holds the use cases, `functions/worker` runs the steps.

pub mod access;
mod clock;
pub mod environment;
pub mod error;
pub mod failure;
pub mod ids;
pub mod lifetime;
pub mod limits;
pub mod masking;
pub mod names;
pub mod operation;
pub mod plan;
pub mod rate_limit;
pub mod request;
pub mod resource;
pub mod settings;
pub mod spec;
pub mod step;
pub mod task_definition;
pub mod timing;
pub mod token;

pub use clock::Clock;
pub use environment::{Environment, Status};
pub use error::{Error, Field};
pub use ids::{EnvironmentId, OperationId, Team};
pub use lifetime::Lifetime;
pub use resource::ResourceKind;
pub use step::Step;
