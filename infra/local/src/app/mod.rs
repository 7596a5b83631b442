//! What `cargo local` is: the whole system in one process, what it shows and what it keeps.
//!
//! `embedded` wires the system (`events` is its EventBridge, `disk` what survives a restart); `local` and `account` are the
//! two ways to serve, `cli` their options, `console` what they print, with `critical_path` as the measure. `state_machine`
//! generates the checked-in state machine, `openapi_3_0` converts the API's document. `demo` is a client of `local`;
//! `http_client` makes its calls.

pub mod account;
pub mod cli;
pub mod console;
pub mod critical_path;
pub mod demo;
pub mod disk;
pub mod embedded;
pub mod events;
mod http_client;
pub mod local;
pub mod openapi_3_0;
pub mod state_machine;
