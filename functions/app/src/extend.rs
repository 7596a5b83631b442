//! Extending the lifetime of an environment.

use berth_domain::token::Caller;
use berth_domain::{Environment, EnvironmentId, Error, Lifetime};

use crate::App;

impl App {
    /// Lets an environment of the caller's team live for `lifetime` from now on, never for less than it was going to.
    ///
    /// # Errors
    /// `NotFound` when the team has no such environment, `Conflict` when it is being removed or has no lifetime.
    pub async fn extend(&self, caller: &Caller, id: &EnvironmentId, lifetime: Lifetime) -> Result<Environment, Error> {
        let extend = |environment: &mut Environment, now| environment.extend(lifetime, &caller.subject, now);
        self.store.environment_change(&caller.team, id, extend).await
    }
}
