//! The harness: Berth and its AWS account in process and in virtual time.
//!
//! [`Account`] is the AWS account alone, for tests of the stand-in; [`World`] is the whole system, for everything else;
//! [`faults`] walks a fault through every AWS call of a story. Use them under `#[tokio::test(start_paused = true)]`: their
//! time is tokio's, and a wait of ten minutes takes microseconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod account;
pub mod faults;
mod reply;
mod world;

pub use account::{Account, AccountOptions};
pub use reply::Reply;
pub use world::{Inventory, World, WorldOptions};
