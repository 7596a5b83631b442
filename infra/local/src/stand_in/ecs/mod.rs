//! ECS (Fargate): clusters, task definitions, services with deployments and a circuit breaker, tasks with programs.
//!
//! Calls: `cluster`, `definition`, `register` (by `model` and `rules`), `service` (describe, list), `service_deployments`,
//! `create`, `update` (and delete), `task`, `tags`. Events: `scheduler` decides, `lifecycle` takes a task through its states.
//! I/O: `runner`, with the `sample` server and `process`es; `log` has their output, `unplayed` what they lack. Target groups are
//! in `elb`.

mod cluster;
mod create;
mod definition;
mod deploying;
mod failing;
mod input;
pub mod keeper;
mod lifecycle;
mod log;
mod model;
mod process;
mod rates;
mod register;
mod rules;
mod runner;
mod sample;
mod scheduler;
mod service;
mod service_deployments;
mod tags;
mod task;
mod unplayed;
mod update;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use cluster::Cluster;
pub use definition::{Container as ContainerDefinition, TaskDefinition};
pub use log::Line;
pub(crate) use log::{group_exists as log_group_exists, stream as log_stream};
pub use register::EXECUTION_ROLE;
pub use runner::{Launch, Programs, Runner};
pub use service::{Deployment, Plan, Rollout, Service, Status as ServiceStatus};
pub use task::{Container, EcsTask, Status as TaskStatus};

use super::Cloud;
use super::account::{self, Account};
use super::read_lag::Unseen;
use super::refusal::Refusal;
use super::service::{AwsService, Calls, Errors, Handler, OddsOf, Protocol};
use crate::stored::{Row, Rows, Stored, StoredRows};

/// ECS.
pub static SERVICE: AwsService = AwsService {
    prefix: "ecs",
    protocol: Protocol::Json {
        target: "AmazonEC2ContainerServiceV20141113",
        content_type: "application/x-amz-json-1.1",
    },
    handler: Handler::Account(Calls {
        call: |account, operation, input| call(account, operation, input).map(|reply| (200, reply)),
        bucket: rates::bucket,
        network: None,
    }),
    errors: Errors { unavailable: (500, "ServerException"), ..Errors::JSON },
    odds: Some(OddsOf::Resources),
    conflict: None,
    provisioned: None,
};

/// Everything ECS holds.
#[derive(Serialize, Deserialize)]
pub struct Ecs {
    /// By name.
    #[serde(skip)]
    pub clusters: Stored<String, Cluster>,
    /// Task definitions by family and revision.
    #[serde(skip)]
    pub families: Stored<String, BTreeMap<u32, TaskDefinition>>,
    /// By `cluster/name`. A name has one entry; a new service replaces an INACTIVE one.
    #[serde(skip)]
    pub services: Stored<String, Service>,
    /// The INACTIVE services that were replaced, until reads see the new ones. Not stored: after a start, reads see everything.
    #[serde(skip)]
    former: BTreeMap<String, Service>,
    /// By id.
    #[serde(skip)]
    pub tasks: Stored<String, EcsTask>,
    #[serde(skip)]
    tags: Stored<String, input::Tags>,
    counted: u64,
    placed: u64,
    /// Counts looks at services. Not stored: a look is no write to the disk.
    #[serde(skip)]
    looks: u64,
}

impl Default for Ecs {
    fn default() -> Self {
        let mut clusters = Stored::default();
        clusters.insert("default".to_owned(), Cluster::active());
        Self {
            clusters,
            families: Stored::default(),
            services: Stored::default(),
            former: BTreeMap::new(),
            tasks: Stored::default(),
            tags: Stored::default(),
            counted: 0,
            placed: 0,
            looks: 0,
        }
    }
}

impl Event {
    /// Whether it has to be stored: after a start, the services are looked at anyway.
    pub(super) fn is_stored(&self) -> bool {
        !matches!(self, Self::Look { .. })
    }
}

impl Ecs {
    /// The tasks of a service, stopped ones too.
    pub(crate) fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a EcsTask> {
        self.tasks.values().filter(move |task| task.service == service)
    }

    /// Takes out the services that reads do not see yet, and puts the INACTIVE ones that they replaced in their places.
    pub(super) fn take_unseen(&mut self, unseen: &Unseen) -> BTreeMap<String, Service> {
        self.former.retain(|key, _| unseen.contains(key));
        let services = self.services.untouched();
        let taken = unseen.out_of(services);
        services.extend(self.former.clone());
        taken
    }

    /// Puts back what was taken out.
    pub(super) fn give_back(&mut self, taken: BTreeMap<String, Service>) {
        self.services.untouched().extend(taken);
    }

    /// Adds the rows of what was touched. A task's lines are stored when it has ended: a program may write at any time.
    pub(super) fn take_rows(&mut self, rows: &mut Rows) {
        self.clusters.take_rows("cluster", rows);
        self.families.take_rows("family", rows);
        self.services.take_rows("service", rows);
        self.tasks.take_rows_of("task", rows, |_, task| match task.ended {
            true => Row::of("task", &task.id, task),
            false => Row::of("task", &task.id, &EcsTask { lines: Vec::new(), ..task.clone() }),
        });
        self.tags.take_rows("tags", rows);
    }

    /// Reads back what was stored.
    pub(super) fn read_rows(&mut self, rows: &mut StoredRows) -> Result<(), String> {
        self.clusters = Stored::read("cluster", rows)?;
        self.families = Stored::read("family", rows)?;
        self.services = Stored::read("service", rows)?;
        self.tasks = Stored::read("task", rows)?;
        self.tags = Stored::read("tags", rows)?;
        Ok(())
    }

    /// A new number.
    fn count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }

    /// The next place in the rotation of addresses.
    fn place(&mut self) -> u64 {
        self.placed += 1;
        self.placed - 1
    }
}

/// The scheduled events of ECS.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A task has its network interface.
    Pending {
        /// Its id.
        task: String,
    },
    /// A task's image has been pulled.
    Started {
        /// Its id.
        task: String,
    },
    /// A stopping task's targets have been drained.
    Undrained {
        /// Its id.
        task: String,
    },
    /// The time that stopping takes has passed.
    StopDue {
        /// The task's id.
        task: String,
    },
    /// A program's stop timeout has passed.
    Overdue {
        /// The task's id.
        task: String,
    },
    /// A stopped task is forgotten.
    ForgetTask {
        /// Its id.
        task: String,
    },
    /// The scheduler tries again.
    Reconcile {
        /// The service's key.
        service: String,
    },
    /// The scheduler looks at a service's tasks.
    Look {
        /// The service's key.
        service: String,
        /// The number of the look.
        number: u64,
    },
    /// A deleted service may be INACTIVE now.
    Drained {
        /// The service's key.
        service: String,
        /// Which service of that name.
        serial: u64,
    },
    /// An INACTIVE service is forgotten.
    ForgetService {
        /// The service's key.
        service: String,
        /// Which service of that name.
        serial: u64,
    },
}

/// The I/O of ECS.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Register every family that has a command.
    Provide,
    /// Start a task's program.
    Start(Launch),
    /// Ask a task's program to end.
    Stop {
        /// The task's id.
        task: String,
    },
    /// End a task's program at once.
    Kill {
        /// The task's id.
        task: String,
    },
}

/// One API call.
///
/// # Errors
/// What AWS refuses.
pub fn call(account: &mut Account, operation: &str, input: &Value) -> Result<Value, Refusal> {
    match operation {
        "CreateCluster" => cluster::create(account, input),
        "DescribeClusters" => cluster::describe(account, input),
        "ListClusters" => cluster::list(account, input),
        "DeleteCluster" => cluster::delete(account, input),
        "RegisterTaskDefinition" => register::register(account, input),
        "DescribeTaskDefinition" => definition::describe(account, input),
        "DeregisterTaskDefinition" => definition::deregister(account, input),
        "ListTaskDefinitions" => definition::list(account, input),
        "ListTaskDefinitionFamilies" => definition::list_families(account, input),
        "CreateService" => create::create(account, input),
        "DescribeServices" => service::describe(account, input),
        "ListServices" => service::list(account, input),
        "ListServiceDeployments" => service_deployments::list(account, input),
        "DescribeServiceDeployments" => service_deployments::describe(account, input),
        "UpdateService" => update::update(account, input),
        "DeleteService" => update::delete(account, input),
        "DescribeTasks" => task::describe(account, input),
        "ListTasks" => task::list(account, input),
        "StopTask" => task::stop(account, input),
        "TagResource" => tags::tag(account, input),
        "UntagResource" => tags::untag(account, input),
        "ListTagsForResource" => tags::list(account, input),
        _ => Err(Refusal::bad("UnknownOperationException", format!("berth-local does not play ecs:{operation}."))),
    }
}

/// Handles an event that is due.
pub fn handle_event(account: &mut Account, event: Event) {
    let same = |account: &Account, key: &str, serial: u64| {
        account.ecs.services.get(key).is_some_and(|service| service.serial == serial)
    };
    match event {
        Event::Pending { task } => lifecycle::pending(account, &task),
        Event::Started { task } => lifecycle::started(account, &task),
        Event::Undrained { task } => lifecycle::undrained(account, &task),
        Event::StopDue { task } => lifecycle::stop_due(account, &task),
        Event::Overdue { task } => lifecycle::overdue(account, &task),
        Event::ForgetTask { task } => lifecycle::forget(account, &task),
        Event::Reconcile { service } => scheduler::reconcile(account, &service),
        Event::Look { service, number } => scheduler::look(account, &service, number),
        Event::Drained { service, serial } => {
            if same(account, &service, serial) {
                update::finish_draining(account, &service);
            }
        }
        Event::ForgetService { service, serial } => {
            if same(account, &service, serial) {
                account.ecs.services.remove(&service);
                let arn = service::arn(&service);
                account.ecs.tags.remove(&arn);
            }
        }
    }
}

/// At every start: registers the project's task definition, looks at the stored services, and runs the programs of the stored
/// tasks again.
pub fn resume(account: &mut Account) {
    register::provide(account, "hello");
    account.engine.effect(account::Effect::Ecs(Effect::Provide));
    let unended: Vec<(String, TaskStatus)> =
        account.ecs.tasks.values().filter(|task| !task.ended).map(|task| (task.id.clone(), task.status)).collect();
    let services: Vec<String> = account.ecs.services.keys().cloned().collect();
    for service in services {
        scheduler::look_soon(account, &service);
    }
    for (task, status) in unended {
        match status {
            TaskStatus::Stopping => lifecycle::end(account, &task),
            _ => lifecycle::run(account, &task),
        }
    }
}

/// Performs I/O.
pub async fn perform(cloud: Cloud, effect: Effect) {
    match effect {
        Effect::Provide => {
            cloud.change(|account| cloud.runner().families().for_each(|family| register::provide(account, family)));
        }
        Effect::Start(launch) => runner::start(&cloud, launch).await,
        Effect::Stop { task } => runner::stop(&cloud, &task),
        Effect::Kill { task } => runner::kill(&cloud, &task),
    }
}
