//! Deleting an environment: record the request; an execution under way sees it, otherwise one is started.

use berth_domain::token::Caller;
use berth_domain::{Environment, EnvironmentId, Error, Status};

use crate::App;

impl App {
    /// Requests the deletion of an environment of the caller's team, in any status, any number of times.
    ///
    /// # Errors
    /// `NotFound` when the team has no such environment, `Unavailable` when the request is recorded but not started.
    pub async fn delete(&self, caller: &Caller, id: &EnvironmentId) -> Result<Environment, Error> {
        let operation = self.ids.operation();
        let delete =
            |environment: &mut Environment, now| environment.request_delete(operation.clone(), &caller.subject, now);
        let environment = self.store.environment_change(&caller.team, id, delete).await?;
        if environment.status() == Status::Deleting {
            self.start(&environment).await?;
        }
        Ok(environment)
    }
}
