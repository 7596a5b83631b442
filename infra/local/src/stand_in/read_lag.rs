//! Reads lag behind writes: for a while after its creation a resource is not found, and not listed
//! (docs/aws.md#reads-lag-behind-writes).
//!
//! Played for load balancers, target groups, listeners, services, VPC links and REST APIs. Writes see everything at once,
//! so that creating again by the same name still gives the same resource. What is inside a REST API does not lag. A service
//! that took the place of an INACTIVE one of its name is read as that one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What reads do not see yet, by its key in its map (ARN, `cluster/name` or id), and from when they will.
#[derive(Default, Serialize, Deserialize)]
pub struct Unseen(BTreeMap<String, Timestamp>);

impl Unseen {
    /// Reads see the resource with this key only from then on.
    pub(super) fn insert(&mut self, key: &str, from: Timestamp) {
        self.0.insert(key.to_owned(), from);
    }

    /// Forgets what reads see at `now`.
    pub(super) fn forget_until(&mut self, now: Timestamp) {
        self.0.retain(|_, from| *from > now);
    }

    /// Whether reads do not see the resource with this key.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Takes what is not seen yet out of `all`.
    pub(super) fn out_of<T>(&self, all: &mut BTreeMap<String, T>) -> BTreeMap<String, T> {
        if self.0.is_empty() {
            return BTreeMap::new();
        }
        all.extract_if(.., |key, _| self.contains(key)).collect()
    }
}
