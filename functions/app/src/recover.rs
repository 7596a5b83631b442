//! Recovery: every operation that the records say is under way has an execution, lifetimes end, and removals are retried. The
//! rules are in `functions/domain/src/environment/lifecycle.rs`. Each of these may run twice, side by side, or be cut off
//! anywhere.

use std::time::Duration;

use berth_aws::Started;
use berth_domain::operation::Identity;
use berth_domain::{Environment, Error, Status};

use crate::App;

/// How long one sweep lets histories of deleted environments expire; the next sweep goes on.
const ENDING: Duration = Duration::from_secs(60);

impl App {
    /// Starts what a request has recorded. An execution that already runs is left alone; one that never started, or was
    /// interrupted, is started now.
    ///
    /// # Errors
    /// The error says that the request is recorded, and what to do.
    pub(crate) async fn start(&self, environment: &Environment) -> Result<(), Error> {
        self.ensure_execution(environment).await.map_err(|error| {
            let message = format!(
                "Your request for {} was saved, but its workflow has not started. Berth retries within minutes; repeat the request (a creation with the same Idempotency-Key) to start it now.",
                environment.id
            );
            match error {
                Error::Unavailable { cause, .. } | Error::Throttled { cause, .. } => Error::unavailable(message, cause),
                Error::Refused { code, message: why, cause } => {
                    Error::Refused { code, message: format!("{why} {message}"), cause }
                }
                other => other,
            }
        })
    }

    /// Makes sure that the operation of `environment` has an execution. When its execution has ended although the record still
    /// moves (it was aborted, timed out, or could not write its end), the operation is recovered under a new name, or given up
    /// after too many recoveries.
    ///
    /// # Errors
    /// `Unavailable` when Step Functions or the table cannot be reached; the operation stays recorded.
    pub async fn ensure_execution(&self, environment: &Environment) -> Result<(), Error> {
        if self.machine.start(&environment.identity()).await? == Started::Running {
            return Ok(());
        }
        let ended = environment.operation().id.clone();
        let next = self.ids.operation();
        let recover = |environment: &mut Environment, _| {
            if environment.is_under_way(&ended) { environment.recover(next.clone(), &self.clock) } else { Ok(()) }
        };
        let recovered = self.store.environment_change(&environment.team, &environment.id, recover).await?;
        if recovered.is_under_way(&next) {
            self.machine.start(&recovered.identity()).await?;
        }
        Ok(())
    }

    /// Looks after every environment that is due, the most urgent first. An environment that fails does not delay the others.
    /// Answers how long a caller that arrived now would wait for a slot, in AWS time.
    ///
    /// # Errors
    /// `Unavailable` when the table cannot be read: the next call does the rest.
    pub async fn sweep(&self) -> Result<Duration, Error> {
        let due = self.store.environments_due(self.clock.now()).await?.environments;
        let (ended, live): (Vec<_>, Vec<_>) = due.into_iter().partition(|one| one.status() == Status::Deleted);
        for environment in live {
            if let Err(error) = self.look_after(&environment).await {
                tracing::error!(environment = %environment.id, cause = error.cause(), "cannot be looked after now");
            }
        }
        let began = self.clock.now();
        for environment in ended.iter().take_while(|_| self.clock.since(began) < ENDING) {
            if let Err(error) = self.store.history_expire(environment).await {
                tracing::warn!(environment = %environment.id, cause = error.cause(), "its history does not expire yet");
            }
        }
        self.store.longest_queue().await
    }

    /// An execution has ended. If its operation is still under way in the record, it did not finish: it is recovered.
    ///
    /// # Errors
    /// `Unavailable` when the table or Step Functions cannot be reached: the next sweep does it.
    pub async fn execution_ended(&self, identity: &Identity) -> Result<(), Error> {
        let environment = match self.store.environment_get(&identity.team, &identity.environment).await {
            Ok(environment) => environment,
            Err(Error::NotFound { .. }) => return Ok(()),
            // It cannot be recovered by this version. A sweep of one that can read it does so.
            Err(Error::Unreadable { cause, .. }) => {
                tracing::error!(cause, operation = %identity.operation, "a record cannot be read");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if environment.is_under_way(&identity.operation) {
            tracing::warn!(environment = %environment.id, operation = %identity.operation, "its execution ended early");
            self.ensure_execution(&environment).await?;
        }
        Ok(())
    }

    async fn look_after(&self, seen: &Environment) -> Result<(), Error> {
        let operation = self.ids.operation();
        let act = |environment: &mut Environment, now| {
            if environment.is_expired(now) {
                return environment.expire(operation.clone(), now);
            }
            let is_due = environment.next_attempt_at().is_some_and(|at| at <= now);
            if environment.status() == Status::CleanupFailed && is_due {
                return environment.retry_removal(operation.clone(), now);
            }
            Ok(())
        };
        let environment = self.store.environment_change(&seen.team, &seen.id, act).await?;
        if environment.status().is_moving() {
            self.ensure_execution(&environment).await?;
        }
        Ok(())
    }
}
