//! What `cargo local` is: the whole system in one process, what it shows and what it keeps.
//!
//! `embedded` wires the system (`events` is its EventBridge, `disk` what survives a restart); `local` and `account` are the
//! two ways to serve, `state_machine` generates the checked-in state machine, `cli` holds the options, `console` what they print, with `critical_path` as the measure.

pub mod account;
pub mod cli;
pub mod console;
pub mod critical_path;
pub mod disk;
pub mod embedded;
pub mod events;
pub mod local;
pub mod state_machine;
