//! The program `cargo local`: the whole system in one process.
//!
<<<<<<< HEAD
//! - `embedded` wires the system: `lambda_functions` runs worker and janitor, `events` is its EventBridge, `disk` stores
//!   what survives a restart.
//! - `cli` is the command line; `local` and `account` are the two ways to serve.
//! - `console` shows environments while they change; `critical_path` measures them.
//! - `state_machine` and `openapi_3_0` generate checked-in documents.
=======
//! `embedded` wires the system (`events` is its EventBridge, `disk` what survives a restart); `local` and `account` are the
//! two ways to serve, `cli` their options, `console` what they print, with `critical_path` as the measure. `state_machine`
//! generates the checked-in state machine, `openapi_3_0` converts the API's document. `demo` is a client of `local`;
//! `http_client` makes its calls.
>>>>>>> demo1

pub mod account;
pub mod cli;
pub mod console;
pub mod critical_path;
pub mod demo;
pub mod disk;
pub mod embedded;
pub mod events;
<<<<<<< HEAD
pub mod lambda_functions;
=======
mod http_client;
>>>>>>> demo1
pub mod local;
pub mod openapi_3_0;
pub mod state_machine;
