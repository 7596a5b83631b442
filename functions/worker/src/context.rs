//! What every step works with, and the two writes that surround every creation.

use berth_aws::{Prober, Resources, Store};
use berth_domain::environment::ResourceKind;
use berth_domain::settings::Settings;
use berth_domain::{Clock, Environment, Error, Status};

/// What every step works with; cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// The records.
    pub store: Store,
    /// AWS.
    pub resources: Resources,
    /// The proving requests.
    pub prober: Prober,
    /// The deployment's configuration.
    pub settings: Settings,
    /// Time.
    pub clock: Clock,
}

impl Context {
    /// Writes into the record that a resource is about to be created: nothing is created that a record does not
    /// announce. It is also the fence: only who still sees the entry as it was looked at may create, so of two calls of
    /// one step (the state machine may lose sight of one that still runs) only one does.
    ///
    /// # Errors
    /// `Unavailable` when another call came between, or provisioning has to stop: the step looks again.
    pub(crate) async fn announce(&self, seen: &Environment, kind: ResourceKind) -> Result<Environment, Error> {
        let announce = |environment: &mut Environment, now| {
            if environment.must_stop(&seen.operation.id) || environment.resources.get(kind) != seen.resources.get(kind)
            {
                return Err(changed_meanwhile(kind, "creation"));
            }
            environment.resources.announce(kind, now);
            Ok(())
        };
        self.store.environment_change_from(seen.clone(), announce).await
    }

    /// What a creation answered, once it is noted if AWS throttled it: such a call has made nothing, so the next one does not
    /// wait for what may turn up.
    ///
    /// # Errors
    /// What the creation answered, or what the table refuses.
    pub(crate) async fn made<T>(
        &self,
        announced: &Environment,
        kind: ResourceKind,
        created: Result<T, Error>,
    ) -> Result<T, Error> {
        if let Err(Error::Throttled { .. }) = created {
            let note = |environment: &mut Environment, _| {
                if environment.resources.get(kind) == announced.resources.get(kind) {
                    environment.resources.refused(kind);
                }
                Ok(())
            };
            self.store.environment_change_from(announced.clone(), note).await?;
        }
        created
    }

    /// Writes the id of a resource that was just created or found into the record.
    pub(crate) async fn found(
        &self,
        environment: &Environment,
        kind: ResourceKind,
        id: &str,
        address: Option<&str>,
    ) -> Result<(), Error> {
        let known = environment.resources.get(kind);
        if known.is_some_and(|known| known.id.as_deref() == Some(id) && known.address.as_deref() == address) {
            return Ok(());
        }
        self.record(environment, kind, id, address).await.map(drop)
    }

    async fn record(
        &self,
        environment: &Environment,
        kind: ResourceKind,
        id: &str,
        address: Option<&str>,
    ) -> Result<Environment, Error> {
        let record = |environment: &mut Environment, now| {
            environment.resources.record(kind, id, address, now);
            Ok(())
        };
        self.store.environment_change(&environment.team, &environment.id, record).await
    }

    /// Writes the id of a resource that an undo came upon into the record, if it is not there: its creation was announced,
    /// and the reply lost. The receipt names everything that ever was. The record as it is then.
    pub(crate) async fn came_upon(
        &self,
        environment: &Environment,
        kind: ResourceKind,
        id: &str,
    ) -> Result<Environment, Error> {
        match environment.resources.id(kind) {
            Some(_) => Ok(environment.clone()),
            None => self.record(environment, kind, id, None).await,
        }
    }

    /// Writes into the record that the absence of a resource was seen: of the one that was looked for, while its removal goes
    /// on. What a call that nobody waits for any more has seen says nothing about what was made since.
    ///
    /// # Errors
    /// `Unavailable` when another call came between: the step looks again.
    pub(crate) async fn absent(&self, seen: &Environment, kind: ResourceKind) -> Result<(), Error> {
        let close = |environment: &mut Environment, now| {
            if environment.resources.get(kind).is_none() {
                return Ok(());
            }
            let removed = environment.operation.id == seen.operation.id && environment.status == Status::Deleting;
            if !removed || environment.resources.get(kind) != seen.resources.get(kind) {
                return Err(changed_meanwhile(kind, "its end"));
            }
            environment.resources.verify_absent(kind, now);
            Ok(())
        };
        self.store.environment_change(&seen.team, &seen.id, close).await.map(drop)
    }
}

fn changed_meanwhile(kind: ResourceKind, before: &str) -> Error {
    let cause = format!("{}: the record changed between look and {before}", kind.word());
    Error::unavailable("The record changed meanwhile; it is looked at again.", cause)
}
