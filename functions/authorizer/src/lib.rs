//! Who calls: checks the token of a request with the issuer's keys.
//!
//! - `authorizer`: one decision, and the line in the log about it.
//! - `keys`: the issuer's keys, fetched, cached and fetched again, within bounds; `issuer`: one fetch; `address`: from
//!   where keys may come.
//! - `event`: API Gateway's question and our answer. `settings`: the environment variables.
//!
//! What makes a token good is in `functions/domain/src/token`. `main.rs` makes a Lambda of it; the embedded system calls
//! [`Authorizer::caller`] in front of its router.

mod address;
mod authorizer;
mod event;
mod issuer;
mod keys;
mod settings;

pub use address::Address;
pub use authorizer::Authorizer;
pub use event::{Policy, TokenRequest};
pub use settings::Settings;
