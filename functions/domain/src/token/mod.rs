//! Who calls: a JSON Web Token, checked against the issuer's public keys. All of it is pure.
//!
//! `verifier` checks a token, `claims` reads team and role out of it, `keys` reads and chooses the issuer's keys, `caller`
//! is what comes out. Fetching and caching the keys is in `functions/authorizer`, which the embedded system uses too.

mod caller;
mod claims;
mod keys;
mod verifier;

pub use caller::{Caller, Role};
pub use claims::Claim;
pub use keys::read_keys;
pub use verifier::{Presented, Verifier};

use crate::error::Error;

fn denied(message: impl Into<String>) -> Error {
    Error::Unauthenticated { message: message.into() }
}
