//! Writes an environment's ledger around every creation and deletion in AWS: announce, create, record the id; delete, look,
//! close. The rules of each write are in `functions/domain/src/environment/workflow.rs`.

use berth_aws::Store;
use berth_domain::{Environment, Error, OperationId, ResourceKind};

/// Writes the ledger of one environment for one step run. It keeps the record as it was last read or written, so that each
/// write is fenced by what this run has seen.
pub(crate) struct LedgerWriter<'a> {
    store: &'a Store,
    operation: &'a OperationId,
    seen: Environment,
}

impl<'a> LedgerWriter<'a> {
    /// A writer for `operation`, for a run that has read `seen`.
    pub(crate) fn new(store: &'a Store, operation: &'a OperationId, seen: &Environment) -> Self {
        Self { store, operation, seen: seen.clone() }
    }

    /// Announces that a resource is about to be created. Nothing is created in AWS that the record does not announce.
    ///
    /// # Errors
    /// `Unavailable` when another call of this step announced first, or the operation must stop: the step looks again.
    pub(crate) async fn announce(&mut self, kind: ResourceKind) -> Result<(), Error> {
        let seen = self.seen.ledger().get(kind);
        let announce = |environment: &mut Environment, now| environment.announce(self.operation, kind, seen, now);
        let announced = self.store.environment_change_from(self.seen.clone(), announce).await?;
        self.seen = announced;
        Ok(())
    }

    /// Passes on what an announced creation answered. When AWS refused or throttled it, this is noted first: such a call has
    /// created nothing, so no later one waits for what it may have created.
    ///
    /// # Errors
    /// What the creation answered, or what the table refuses.
    pub(crate) async fn note_refused<T>(&self, kind: ResourceKind, created: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Throttled { .. } | Error::Refused { .. }) = created {
            self.record_refused(kind).await?;
        }
        created
    }

    /// Records that AWS refused the announced creation.
    ///
    /// # Errors
    /// What the table refuses.
    pub(crate) async fn record_refused(&self, kind: ResourceKind) -> Result<(), Error> {
        let announced = self.seen.ledger().get(kind);
        let record = |environment: &mut Environment, _| {
            environment.record_refused(kind, announced);
            Ok(())
        };
        self.store.environment_change_from(self.seen.clone(), record).await.map(drop)
    }

    /// Records the id of a resource that was created or found, and the address that others reach it by.
    ///
    /// # Errors
    /// What the table refuses.
    pub(crate) async fn record_id(&mut self, kind: ResourceKind, id: &str, address: Option<&str>) -> Result<(), Error> {
        let known = self.seen.ledger().get(kind);
        if known.is_some_and(|known| known.id.as_deref() == Some(id) && known.address.as_deref() == address) {
            return Ok(());
        }
        let record = |environment: &mut Environment, now| {
            environment.record_id(kind, id, address, now);
            Ok(())
        };
        self.seen = self.store.environment_change(&self.seen.team, &self.seen.id, record).await?;
        Ok(())
    }

    /// Records the id of a resource that an undo found, if the record has none: its creation was announced and the reply lost.
    /// The receipt names everything that the environment ever had.
    ///
    /// # Errors
    /// What the table refuses.
    pub(crate) async fn record_if_missing(&mut self, kind: ResourceKind, id: &str) -> Result<(), Error> {
        match self.seen.ledger().id(kind) {
            Some(_) => Ok(()),
            None => self.record_id(kind, id, None).await,
        }
    }

    /// Records that AWS has accepted the deletion of a resource that a look still finds.
    ///
    /// # Errors
    /// What the table refuses.
    pub(crate) async fn record_deletion(&mut self, kind: ResourceKind) -> Result<(), Error> {
        let seen = self.seen.ledger().get(kind);
        let record = |environment: &mut Environment, _| {
            environment.record_deletion(kind, seen);
            Ok(())
        };
        self.seen = self.store.environment_change_from(self.seen.clone(), record).await?;
        Ok(())
    }

    /// Closes the entry of a resource that this run has seen to be gone.
    ///
    /// # Errors
    /// `Unavailable` when the entry is no longer the one that this run looked up: the step looks again.
    pub(crate) async fn close(&self, kind: ResourceKind) -> Result<(), Error> {
        let seen = self.seen.ledger().get(kind);
        let close = |environment: &mut Environment, now| environment.close(self.operation, kind, seen, now);
        self.store.environment_change(&self.seen.team, &self.seen.id, close).await.map(drop)
    }
}
