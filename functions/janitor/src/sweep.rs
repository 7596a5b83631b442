//! Environments that are due, and those whose execution has just ended.

use berth_domain::operation::Identity;
use berth_domain::{Environment, Error, Status};

use crate::{Ended, Janitor};

impl Janitor {
    /// Looks after every environment that is due, the most urgent first. One that cannot be helped now keeps no other from it.
    pub(crate) async fn sweep(&self) -> Result<(), Error> {
        for environment in self.store.environments_due(self.clock.now()).await? {
            if let Err(error) = self.look_after(&environment).await {
                tracing::error!(environment = %environment.id, cause = error.cause(), "cannot be looked after now");
            }
        }
        Ok(())
    }

    /// An execution has ended. If its operation is still under way in the record, it did not get to its end: it goes on.
    pub(crate) async fn ended(&self, event: &Ended) -> Result<(), Error> {
        if matches!(event.status.as_str(), "RUNNING" | "PENDING_REDRIVE") {
            return Ok(());
        }
        let identity: Option<Identity> = event.input.as_deref().and_then(|input| serde_json::from_str(input).ok());
        let Some(identity) = identity else {
            tracing::warn!(?event, "an execution that is not one of ours");
            return Ok(());
        };
        let environment = match self.store.environment_get(&identity.team, &identity.environment).await {
            Ok(environment) => environment,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if environment.operation.id == identity.operation && environment.status.is_moving() {
            tracing::warn!(environment = %environment.id, operation = %identity.operation, status = event.status, "its execution ended early");
            self.operations.run(&environment).await?;
        }
        Ok(())
    }

    async fn look_after(&self, seen: &Environment) -> Result<(), Error> {
        let operation = self.ids.operation();
        let environment = self
            .store
            .environment_change(&seen.team, &seen.id, |environment, now| {
                if environment.is_expired(now) {
                    return environment.expire(operation.clone(), now);
                }
                let again = environment.next_attempt_at.is_some_and(|at| at <= now);
                if environment.status == Status::CleanupFailed && again {
                    return environment.retry_removal(operation.clone(), now);
                }
                Ok(())
            })
            .await?;
        if environment.status.is_moving() {
            self.operations.run(&environment).await?;
        }
        Ok(())
    }
}
