//! Reading: one environment, a team's environments, what happened to one, and what an audit found. This is where it is decided
//! who may see what.

use berth_aws::store::{Event, Finding, Page, UnreadableRecord};
use berth_domain::token::{Caller, Role};
use berth_domain::{Environment, EnvironmentId, Error, Status};

use crate::App;

/// Some of what happened to an environment, oldest first.
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Whether there are more already.
    pub more: bool,
}

impl App {
    /// One environment of the caller's team.
    ///
    /// # Errors
    /// `NotFound` when the team has no such environment.
    pub async fn get(&self, caller: &Caller, id: &EnvironmentId) -> Result<Environment, Error> {
        self.store.environment_get(&caller.team, id).await
    }

    /// The environments of the caller's team, newest first: those behind `after` only, of `status` only, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable` when DynamoDB cannot be reached.
    pub async fn list(
        &self,
        caller: &Caller,
        status: Option<Status>,
        after: Option<&EnvironmentId>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.store.environment_list(&caller.team, status, after, limit).await
    }

    /// What happened to an environment of the caller's team after the event numbered `after`, at most `limit` events.
    ///
    /// # Errors
    /// `NotFound` when the team has no such environment.
    pub async fn events(
        &self,
        caller: &Caller,
        id: &EnvironmentId,
        after: u64,
        limit: usize,
    ) -> Result<EventPage, Error> {
        // Also tells a foreign environment from one without events.
        self.store.environment_get(&caller.team, id).await?;
        // One more than asked for: DynamoDB says "there may be more" behind every full page, even the last one.
        let mut events = self.store.environment_events(&caller.team, id, after, limit + 1).await?;
        let more = events.len() > limit;
        events.truncate(limit);
        Ok(EventPage { events, more })
    }

    /// What the last audits found in AWS that no record explains, and the records that they could not read.
    ///
    /// # Errors
    /// `Forbidden` unless the caller is an operator.
    pub async fn findings(&self, caller: &Caller) -> Result<(Vec<Finding>, Vec<UnreadableRecord>), Error> {
        match caller.role {
            Role::Operator => Ok((self.store.findings().await?, self.store.unreadable_records().await?)),
            Role::Member => Err(Error::Forbidden {
                message: "Operator role required: only tokens with the role `operator` may see findings.".to_owned(),
            }),
        }
    }
}
