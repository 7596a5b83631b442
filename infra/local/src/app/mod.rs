//! The program `cargo local`: the whole system in one process.
//!
//! - `embedded` wires the system: `lambda_functions` runs worker and janitor, `events` is its EventBridge, `disk` stores
//!   what survives a restart.
//! - `cli` is the command line; `local` and `account` are the two ways to serve.
//! - `console` shows environments while they change; `critical_path` measures them.
//! - `demo` plays a first conversation with a running or new `local`; `http_client` makes its calls.
//! - `state_machine` and `openapi_3_0` generate checked-in documents.

pub mod account;
pub mod cli;
pub mod console;
pub mod critical_path;
pub mod demo;
pub mod disk;
pub mod embedded;
pub mod events;
mod http_client;
pub mod lambda_functions;
pub mod local;
pub mod openapi_3_0;
pub mod state_machine;
