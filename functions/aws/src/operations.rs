//! Operations: making sure that what the record says is under way has an execution that runs.

use berth_domain::ids::IdGenerator;
use berth_domain::{Clock, Environment, Error};

use crate::machine::{Machine, Started};
use crate::store::Store;

/// Starts operations; cheap to clone.
#[derive(Clone, Debug)]
pub struct Operations {
    store: Store,
    machine: Machine,
    ids: IdGenerator,
    clock: Clock,
}

impl Operations {
    /// Operations recorded in `store`, run by `machine`, named by `ids` when they have to be taken up again.
    #[must_use]
    pub fn new(store: Store, machine: Machine, ids: IdGenerator, clock: Clock) -> Self {
        Self { store, machine, ids, clock }
    }

    /// Makes sure that the operation of `environment` runs: starts its execution, which changes nothing when it is running
    /// already. When that execution has ended although the record still moves (it was aborted, timed out, or could not
    /// write its end), the operation is taken up again under a new name, or given up after too many times.
    ///
    /// # Errors
    /// `Unavailable` when Step Functions or the table cannot be reached; the operation stays recorded.
    pub async fn run(&self, environment: &Environment) -> Result<(), Error> {
        if self.machine.start(&environment.identity()).await? == Started::Running {
            return Ok(());
        }
        let ended = environment.operation.id.clone();
        let next = self.ids.operation();
        let now = self
            .store
            .environment_change(&environment.team, &environment.id, |environment, _| {
                if environment.operation.id == ended && environment.status.is_moving() {
                    return environment.recover(next.clone(), &self.clock);
                }
                Ok(())
            })
            .await?;
        if now.operation.id == next && now.status.is_moving() {
            self.machine.start(&now.identity()).await?;
        }
        Ok(())
    }
}
