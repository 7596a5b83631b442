//! Retrying what failed: a provisioning, or a removal that could not be finished.

use berth_domain::token::Caller;
use berth_domain::{Environment, EnvironmentId, Error};

use crate::App;

impl App {
    /// Retries an environment of the caller's team. While an operation is under way nothing changes.
    ///
    /// # Errors
    /// `NotFound` when the team has no such environment, `Conflict` when there is nothing to retry or no attempt is left,
    /// `Unavailable` when the request is recorded but not started.
    pub async fn retry(&self, caller: &Caller, id: &EnvironmentId) -> Result<Environment, Error> {
        let operation = self.ids.operation();
        let retry =
            |environment: &mut Environment, now| environment.request_retry(operation.clone(), &caller.subject, now);
        let environment = self.store.environment_change(&caller.team, id, retry).await?;
        self.start(&environment).await?;
        Ok(environment)
    }
}
