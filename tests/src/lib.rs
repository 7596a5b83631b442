//! The harness: Berth and its AWS account in process and in virtual time.
//!
//! - [`Account`] is the AWS account alone, for tests of the stand-in; [`World`] is the whole system, for everything else.
//! - Of a world, `calls` is between Step Functions and the worker, `executions` aborts, `tagged` lists the resources with their
//!   owners, `view` reads what the API shows.
//! - `invariants` says what does not hold at the end, [`Observer`] what did not hold on the way.
//! - [`clients`] request the URL of an environment, invited or not.
//! - [`Stash`] is what a stand-in stores, and [`LogLines`] what the test's own thread logs.
//! - [`faults`] walks a fault through every AWS call of a story; `documents` is an issuer.
//!
//! Use them under `#[tokio::test(start_paused = true)]`: their time is tokio's, and a wait of ten minutes takes microseconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod account;
mod calls;
pub mod clients;
pub mod documents;
mod executions;
pub mod faults;
mod invariants;
mod inventory;
mod log_lines;
mod observer;
mod plans;
mod reply;
mod stash;
mod tagged;
mod task_definitions;
mod view;
mod world;

pub use account::{Account, AccountOptions};
pub use calls::{Call, HeldCall, Journal, Moment};
pub use inventory::Inventory;
pub use log_lines::LogLines;
pub use observer::Observer;
pub use plans::{edit_record, provision_steps, removal_steps};
pub use reply::Reply;
pub use stash::Stash;
pub use tagged::Found;
pub use task_definitions::{call_ecs, container};
pub use view::{AccessView, EnvironmentView, FailureView, LeftoverView, QueueView, ResourceView, StepView};
pub use world::{World, WorldOptions};
