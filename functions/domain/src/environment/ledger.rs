//! The ledger: every AWS resource that the environment has or had. An entry is announced before the resource is created, gets
//! the id at once after, and is closed when the resource was seen to be gone. So nothing is created in AWS that a record does
//! not announce, and what is left is always known. Which call may write an entry is in `workflow`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::resource::ResourceKind;

/// The entry of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Resource {
    /// Its ARN or id, once known.
    pub id: Option<String>,
    /// The address that others reach it by: a load balancer's DNS name.
    pub address: Option<String>,
    /// When its creation was announced.
    pub announced_at: Timestamp,
    /// When its id was recorded.
    pub recorded_at: Option<Timestamp>,
    /// When its absence was verified.
    pub absent_at: Option<Timestamp>,
    /// Whether AWS refused the last announced creation: nothing can appear late from that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// When the last creation before that one was announced whose reply is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_announced_at: Option<Timestamp>,
    /// Whether AWS has accepted its deletion: from then on a look that does not find it sees its absence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deletion_accepted: bool,
}

impl Resource {
    /// When the last creation was announced whose reply is not known.
    #[must_use]
    pub fn unanswered_at(&self) -> Option<Timestamp> {
        match (&self.id, self.earlier_announced_at) {
            (None, _) if !self.refused => Some(self.announced_at),
            // The id may be that of either call.
            (Some(_), Some(_)) => Some(self.announced_at),
            (_, earlier) => earlier,
        }
    }
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

    /// Announces that a resource is about to be created. An entry that was announced before gets the new time, because each
    /// creation whose reply is lost may appear late. An entry with an id is kept.
    pub fn announce(&mut self, kind: ResourceKind, now: Timestamp) {
        if self.id(kind).is_none() {
            let announced = Resource {
                id: None,
                address: None,
                announced_at: now,
                recorded_at: None,
                absent_at: None,
                refused: false,
                earlier_announced_at: self.get(kind).and_then(Resource::unanswered_at),
                deletion_accepted: false,
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

    /// AWS refused the announced creation before it had any effect. The entry stays: an earlier call may have had one.
    pub fn refused(&mut self, kind: ResourceKind) {
        if let Some(resource) = self.current.get_mut(&kind).filter(|resource| resource.id.is_none()) {
            resource.refused = true;
        }
    }

    /// AWS has accepted the deletion of `kind`.
    pub fn deletion_accepted(&mut self, kind: ResourceKind) {
        if let Some(resource) = self.current.get_mut(&kind).filter(|resource| resource.id.is_some()) {
            resource.deletion_accepted = true;
        }
    }

    /// Closes the entry of `kind`: its absence has been seen.
    pub fn verify_absent(&mut self, kind: ResourceKind, now: Timestamp) {
        if let Some(resource) = self.current.get_mut(&kind) {
            resource.absent_at.get_or_insert(now);
        }
    }

    /// Opens every entry for another removal: a resource that was verified absent may have appeared since, and hold others.
    pub fn reopen(&mut self, now: Timestamp) {
        for resource in self.current.values_mut() {
            resource.absent_at = None;
            resource.deletion_accepted = false;
            if resource.id.is_none() {
                resource.announced_at = now;
                resource.refused = false;
                resource.earlier_announced_at = None;
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

    /// Every entry there ever was, the oldest first within a kind.
    pub fn all(&self) -> impl Iterator<Item = (ResourceKind, &Resource)> {
        let former = self.former.iter().map(|(kind, resource)| (*kind, resource));
        former.chain(self.current.iter().map(|(kind, resource)| (*kind, resource)))
    }
}
