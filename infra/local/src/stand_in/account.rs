//! The account: the state of all its services, and which service handles an event, a call or I/O.
//!
//! A service with state is a field of [`Account`]; its scheduled events are a variant of [`Event`], its I/O one of
//! [`Effect`]. What the endpoint knows of a service is in `service`; time, chance and the schedule are in `engine`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access_keys::AccessKeys;
use super::cloud::Cloud;
use super::engine::Engine;
use super::quotas::Quotas;
use super::refusal::Refusal;
use super::service::{AwsService, Calls, Reply};
use super::{apigateway, ecs, elb};
use crate::stored::{Row, Rows, StoredRows};

/// The kind of the row that has what is in no map.
const ACCOUNT: &str = "account";

/// Something that happens at a scheduled time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// In ELBv2.
    Elb(elb::Event),
    /// In ECS.
    Ecs(ecs::Event),
    /// In API Gateway.
    ApiGateway(apigateway::Event),
}

/// I/O that a change asks for. It starts after the change.
#[derive(Clone, Debug)]
pub enum Effect {
    /// For ELBv2: listeners and health checks.
    Elb(elb::Effect),
    /// For ECS: task processes.
    Ecs(ecs::Effect),
}

/// The state of the stand-in.
#[derive(Serialize, Deserialize)]
pub struct Account {
    /// Time, chance and the schedule.
    pub engine: Engine<Event, Effect>,
    /// Load balancers, target groups, listeners.
    pub elb: elb::Elb,
    /// Clusters, task definitions, services, tasks.
    pub ecs: ecs::Ecs,
    /// REST APIs and VPC links.
    pub apigateway: apigateway::ApiGateway,
    /// The access keys.
    pub keys: AccessKeys,
    /// How much the account may have. Not kept: given at each start.
    #[serde(skip)]
    pub quotas: Quotas,
}

impl Account {
    /// A new account. It has only the default cluster; `resume` adds the task definition `hello`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut engine = Engine::new(seed);
        Self {
            keys: AccessKeys::draw(&mut engine),
            engine,
            elb: elb::Elb::default(),
            ecs: ecs::Ecs::default(),
            apigateway: apigateway::ApiGateway::default(),
            quotas: Quotas::default(),
        }
    }

    /// Adds the rows of everything that was touched since the last call. What happens again and again is in none.
    pub(super) fn take_rows(&mut self, rows: &mut Rows) {
        self.engine.take_rows(rows, |event| match event {
            Event::Elb(event) => event.is_stored(),
            Event::Ecs(event) => event.is_stored(),
            Event::ApiGateway(_) => true,
        });
        self.elb.take_rows(rows);
        self.ecs.take_rows(rows);
        self.apigateway.take_rows(rows);
        // The maps are left out of it.
        rows.add(|| Row::of(ACCOUNT, "", self));
    }

    /// The account that was stored as these rows; `None` when none was.
    ///
    /// # Errors
    /// One line that names the row which is not what it should be.
    pub fn read_rows(rows: &mut StoredRows) -> Result<Option<Self>, String> {
        let Some(mut account) = rows.take_one::<Self>(ACCOUNT)? else { return Ok(None) };
        account.engine.read_rows(rows)?;
        account.elb.read_rows(rows)?;
        account.ecs.read_rows(rows)?;
        account.apigateway.read_rows(rows)?;
        Ok(Some(account))
    }

    /// Resumes the services after a start: what was running when the state was stored runs again.
    pub(super) fn resume(&mut self) {
        ecs::resume(self);
        elb::resume(self);
    }

    /// Handles every event that is due, each at its own time.
    pub(super) fn advance(&mut self) {
        let now = self.engine.clock.now();
        while let Some(event) = self.engine.take_due(now) {
            match event {
                Event::Elb(event) => elb::handle_event(self, event),
                Event::Ecs(event) => ecs::handle_event(self, event),
                Event::ApiGateway(event) => apigateway::handle_event(self, event),
            }
        }
    }

    /// One API call to a service, in AWS's order: first its rate, then the service itself. A read sees the state as
    /// reads do. Faults on the way to the service are in `crate::faults`.
    ///
    /// # Errors
    /// What AWS refuses.
    pub fn call(
        &mut self,
        service: &AwsService,
        calls: &Calls,
        operation: &str,
        input: &Value,
    ) -> Result<Reply, Refusal> {
        if !self.engine.admits(&(calls.bucket)(operation)) {
            return Err(service.throttled());
        }
        let is_read = ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb));
        match is_read {
            true => self.as_read(|account| (calls.call)(account, operation, input)),
            false => (calls.call)(self, operation, input),
        }
    }

    /// Runs `read` on the state that a read sees, without the resources that reads do not see yet.
    fn as_read<R>(&mut self, read: impl FnOnce(&mut Self) -> R) -> R {
        let now = self.engine.now();
        self.engine.unseen.forget_until(now);
        let unseen = &self.engine.unseen;
        let balancing = self.elb.take_unseen(unseen);
        let containers = self.ecs.take_unseen(unseen);
        let gateway = self.apigateway.take_unseen(unseen);
        let result = read(self);
        self.elb.give_back(balancing);
        self.ecs.give_back(containers);
        self.apigateway.give_back(gateway);
        result
    }
}

/// Performs the I/O that a change has asked for.
pub(super) async fn perform(cloud: Cloud, effect: Effect) {
    match effect {
        Effect::Elb(effect) => elb::perform(cloud, effect).await,
        Effect::Ecs(effect) => ecs::perform(cloud, effect).await,
    }
}
