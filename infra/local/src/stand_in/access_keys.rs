//! The account's access keys, and what their owners may do: invoke REST APIs, or not. The AWS endpoint itself asks no key.

use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::identity::ACCOUNT;

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its public part.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The ARN of the role or user that it belongs to.
    pub principal: String,
    /// Whether the policies of that principal permit `execute-api:Invoke`.
    pub may_invoke: bool,
}

/// The keys of the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKeys {
    /// The key of the role of Berth's worker: only resource policies permit it anything.
    pub worker: AccessKey,
    /// The key of the developer at this machine.
    pub developer: AccessKey,
    /// Keys of principals elsewhere: of a Berth that is deployed elsewhere (`crate::account`).
    pub others: Vec<AccessKey>,
}

impl AccessKeys {
    /// New keys, drawn by `engine`.
    pub(super) fn draw<Event, Effect>(engine: &mut Engine<Event, Effect>) -> Self {
        let mut key = |principal: &str, may_invoke| AccessKey {
            id: format!("AKIA{}", engine.hex(16).to_ascii_uppercase()),
            secret: engine.hex(40),
            principal: format!("arn:aws:iam::{ACCOUNT}:{principal}"),
            may_invoke,
        };
        Self { worker: key("role/berth-worker", false), developer: key("user/developer", true), others: Vec::new() }
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&AccessKey> {
        [&self.worker, &self.developer].into_iter().chain(&self.others).find(|key| key.id == id)
    }
}
