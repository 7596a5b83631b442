//! Berth on one machine: the stand-in of AWS, an interpreter for the state machine, and what `cargo local` wires up.
//!
//! - [`app`](embedded) puts the whole system together: `embedded` with Berth, `account` without it; the command line and
//!   the console.
//! - [`endpoint`] is the one AWS endpoint, over TCP and inside the AWS SDK; [`faults`] is what goes wrong with its calls.
//! - [`stand_in`] plays the AWS services, [`step_functions`] walks the state machine; [`stored`] is what they store.
//! - [`authorizer`] plays the API Gateway in front of Berth, [`issuer`] issues the tokens.

mod app;
pub mod authorizer;
pub mod endpoint;
pub mod faults;
mod http_server;
mod in_process;
pub mod issuer;
pub mod stand_in;
pub mod step_functions;
pub mod stored;

pub use app::{
    account, cli, console, critical_path, demo, disk, embedded, events, lambda_functions, local, openapi_3_0,
    state_machine,
};
