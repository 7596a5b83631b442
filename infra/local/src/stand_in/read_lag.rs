//! Reads lag behind writes: for a while after its creation a resource is not found, and not listed
//! (docs/aws.md#reads-lag-behind-writes).
//!
//! Load balancers, target groups, listeners, services, VPC links and REST APIs lag; the contents of a REST API do not.
//! Writes see everything at once, so that a second creation with the same name gives the same resource. Until reads see
//! a service that replaced an INACTIVE one of its name, they see the INACTIVE one.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The resources that reads do not see yet, by their keys (ARN, `cluster/name` or id), with the time from which reads
/// see them.
#[derive(Default)]
pub struct Unseen(BTreeMap<String, Timestamp>);

impl Unseen {
    /// Hides the resource with this key from reads until `from`.
    pub(super) fn insert(&mut self, key: &str, from: Timestamp) {
        self.0.insert(key.to_owned(), from);
    }

    /// Forgets the resources that reads see at `now`.
    pub(super) fn forget_until(&mut self, now: Timestamp) {
        self.0.retain(|_, from| *from > now);
    }

    /// Whether reads do not see the resource with this key.
    pub(super) fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Takes the unseen resources out of `all`.
    pub(super) fn out_of<T>(&self, all: &mut BTreeMap<String, T>) -> BTreeMap<String, T> {
        if self.0.is_empty() {
            return BTreeMap::new();
        }
        all.extract_if(.., |key, _| self.contains(key)).collect()
    }
}
