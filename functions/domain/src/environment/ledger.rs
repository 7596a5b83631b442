//! The ledger: every AWS resource the environment has or had. An entry is written before the resource is created
//! ("about to create"), completed with its id at once after, and closed when its absence has been seen. So nothing is
//! created in AWS that a record does not already announce, and what is left is always known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::resource::ResourceKind;

/// One resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Resource {
    /// Its ARN or id, once known.
    pub id: Option<String>,
    /// What others reach it by: a load balancer's DNS name.
    pub address: Option<String>,
    /// When its creation was announced.
    pub announced_at: Timestamp,
    /// When its id was recorded.
    pub recorded_at: Option<Timestamp>,
    /// When its absence was verified.
    pub absent_at: Option<Timestamp>,
    /// Whether AWS refused to create it when it was last announced: nothing can turn up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// Every resource of an environment: there is never more than one of a kind at a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    current: BTreeMap<ResourceKind, Resource>,
    /// Verified absent before another of its kind was announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<(ResourceKind, Resource)>,
}

impl Ledger {
    /// The entry of `kind`, unless it is verified absent.
    #[must_use]
    pub fn get(&self, kind: ResourceKind) -> Option<&Resource> {
        self.current.get(&kind).filter(|resource| resource.absent_at.is_none())
    }

    /// The recorded id of `kind`, unless it is verified absent.
    #[must_use]
    pub fn id(&self, kind: ResourceKind) -> Option<&str> {
        self.get(kind).and_then(|resource| resource.id.as_deref())
    }

    /// Announces that a resource is about to be created, now: also when it was announced before, because every creation
    /// whose reply is lost may take its time to show. An entry with an id is kept.
    pub fn announce(&mut self, kind: ResourceKind, now: Timestamp) {
        if self.id(kind).is_none() {
            let announced = Resource {
                id: None,
                address: None,
                announced_at: now,
                recorded_at: None,
                absent_at: None,
                refused: false,
            };
            let before = self.current.insert(kind, announced);
            self.former.extend(before.filter(|resource| resource.absent_at.is_some()).map(|resource| (kind, resource)));
        }
    }

    /// Records the id of a resource that was created or found.
    pub fn record(&mut self, kind: ResourceKind, id: &str, address: Option<&str>, now: Timestamp) {
        if self.get(kind).is_none() {
            self.announce(kind, now);
        }
        if let Some(resource) = self.current.get_mut(&kind) {
            resource.id = Some(id.to_owned());
            resource.address = address.map(str::to_owned);
            resource.recorded_at.get_or_insert(now);
        }
    }

    /// What was announced was refused before it had any effect. The entry stays: an earlier call may have had one.
    pub fn refused(&mut self, kind: ResourceKind) {
        if let Some(resource) = self.current.get_mut(&kind).filter(|resource| resource.id.is_none()) {
            resource.refused = true;
        }
    }

    /// Closes the entry of `kind`: its absence has been seen.
    pub fn verify_absent(&mut self, kind: ResourceKind, now: Timestamp) {
        if let Some(resource) = self.current.get_mut(&kind) {
            resource.absent_at.get_or_insert(now);
        }
    }

    /// Looks at everything once more: what was verified absent may have turned up since, and holds what is left.
    pub fn reopen(&mut self, now: Timestamp) {
        for resource in self.current.values_mut() {
            resource.absent_at = None;
            if resource.id.is_none() {
                resource.announced_at = now;
                resource.refused = false;
            }
        }
    }

    /// Everything that is not verified absent.
    pub fn left(&self) -> impl Iterator<Item = (ResourceKind, &Resource)> {
        self.current
            .iter()
            .filter(|(_, resource)| resource.absent_at.is_none())
            .map(|(kind, resource)| (*kind, resource))
    }

    /// Everything there ever was, the oldest first within a kind.
    pub fn all(&self) -> impl Iterator<Item = (ResourceKind, &Resource)> {
        let former = self.former.iter().map(|(kind, resource)| (*kind, resource));
        former.chain(self.current.iter().map(|(kind, resource)| (*kind, resource)))
    }
}
