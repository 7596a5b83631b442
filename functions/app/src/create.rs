//! Creating an environment: resolve the request, record it with its name and idempotency key, start its execution.

use berth_aws::store::{Created, IdempotencyKey};
use berth_domain::environment::New;
use berth_domain::request::EnvironmentRequest;
use berth_domain::token::Caller;
use berth_domain::{Environment, Error};

use crate::App;

impl App {
    /// Creates an environment of the caller's team. A repeated call with the same `key` and body answers the environment as the
    /// first call did, and starts its execution if the first call died before that.
    ///
    /// # Errors
    /// `Unprocessable` when the task definition does not fit, the deployment's limits exclude something or `key` was used with
    /// another body, `Conflict` when the team has the name already, `Unavailable` when it is recorded but not started.
    pub async fn create(
        &self,
        caller: Caller,
        request: EnvironmentRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Environment, Error> {
        let replayed = match key {
            Some(key) => self.store.idempotency_lookup(&caller.team, key).await?,
            None => None,
        };
        let environment = match replayed {
            Some(environment) => environment,
            None => self.record(caller, request, key).await?,
        };
        self.start(&environment).await?;
        Ok(environment)
    }

    async fn record(
        &self,
        caller: Caller,
        request: EnvironmentRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Environment, Error> {
        let task_definition = self.aws.task_definition_get(request.task_definition.as_str()).await?;
        let spec = request.resolve(&caller.team, task_definition, &self.settings)?;
        let new = New {
            id: self.ids.environment(),
            operation: self.ids.operation(),
            team: caller.team,
            name: request.name().to_owned(),
            created_by: caller.subject,
            spec,
            labels: request.labels(),
            lifetime: request.ttl.or(self.settings.lifetime),
        };
        match self.store.environment_create(Environment::queued(new, self.clock.now_ms()), key).await? {
            Created::New(environment) | Created::Replayed(environment) => Ok(environment),
        }
    }
}
