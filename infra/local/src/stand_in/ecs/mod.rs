//! ECS (Fargate): clusters, task definitions, services with deployments and a circuit breaker, tasks with programs.
//!
//! Calls: `cluster`, `definition`, `service` (describe, list), `create`, `update` (and delete), `task`, `tags`. What
//! happens by itself: `scheduler` decides, `lifecycle` takes a task through its states. I/O: `runner`, with the
//! `sample` server and `process`es; what they write is in `log`. Not here: target groups and their health, see `elb`.

mod cluster;
mod create;
mod definition;
mod deploying;
mod failing;
mod fargate;
mod input;
mod lifecycle;
mod log;
mod process;
mod runner;
mod sample;
mod scheduler;
mod service;
mod tags;
mod task;
mod update;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use cluster::Cluster;
pub use definition::{Container as ContainerDefinition, TaskDefinition};
pub use log::Line;
pub(crate) use log::{group_exists as log_group_exists, stream as log_stream};
pub use runner::{Launch, Programs, Runner};
pub use service::{Deployment, Plan, Rollout, Service, Status as ServiceStatus};
pub use task::{Container, Status as TaskStatus, Task};

use super::Cloud;
use super::refusal::Refusal;
use super::sim::{self, Sim};

/// Everything ECS holds.
#[derive(Serialize, Deserialize)]
pub struct Ecs {
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Task definitions by family and revision.
    pub families: BTreeMap<String, BTreeMap<u32, TaskDefinition>>,
    /// By `cluster/name`. A name has one entry; a new service takes the place of an INACTIVE one.
    pub services: BTreeMap<String, Service>,
    /// The INACTIVE ones whose places were taken, while reads do not see the new ones yet.
    #[serde(default)]
    pub(super) former: BTreeMap<String, Service>,
    /// By id.
    pub tasks: BTreeMap<String, Task>,
    tags: BTreeMap<String, input::Tags>,
    counted: u64,
    placed: u64,
}

impl Default for Ecs {
    fn default() -> Self {
        Self {
            clusters: BTreeMap::from([("default".to_owned(), Cluster::active())]),
            families: BTreeMap::new(),
            services: BTreeMap::new(),
            former: BTreeMap::new(),
            tasks: BTreeMap::new(),
            tags: BTreeMap::new(),
            counted: 0,
            placed: 0,
        }
    }
}

impl Ecs {
    /// The tasks of a service, stopped ones too.
    pub(crate) fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks.values().filter(move |task| task.service == service)
    }

    /// A number that was not given before.
    fn count(&mut self) -> u64 {
        self.counted += 1;
        self.counted
    }

    /// Whose turn it is among the addresses.
    fn place(&mut self) -> u64 {
        self.placed += 1;
        self.placed - 1
    }
}

/// What happens in ECS by itself.
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
        /// Which look this is.
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

/// What ECS needs I/O for.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Make sure that every family with a command can be deployed.
    Provide,
    /// Start a task's program.
    Start(Launch),
    /// Ask a task's program to end.
    Stop {
        /// The task's id.
        task: String,
        /// Its process group, if it was a process.
        leftover: Option<i32>,
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
pub fn call(sim: &mut Sim, operation: &str, input: &Value) -> Result<Value, Refusal> {
    match operation {
        "CreateCluster" => cluster::create(sim, input),
        "DescribeClusters" => cluster::describe(sim, input),
        "ListClusters" => cluster::list(sim, input),
        "DeleteCluster" => cluster::delete(sim, input),
        "RegisterTaskDefinition" => definition::register(sim, input),
        "DescribeTaskDefinition" => definition::describe(sim, input),
        "DeregisterTaskDefinition" => definition::deregister(sim, input),
        "ListTaskDefinitions" => definition::list(sim, input),
        "ListTaskDefinitionFamilies" => definition::list_families(sim, input),
        "CreateService" => create::create(sim, input),
        "DescribeServices" => service::describe(sim, input),
        "ListServices" => service::list(sim, input),
        "UpdateService" => update::update(sim, input),
        "DeleteService" => update::delete(sim, input),
        "DescribeTasks" => task::describe(sim, input),
        "ListTasks" => task::list(sim, input),
        "StopTask" => task::stop(sim, input),
        "TagResource" => tags::tag(sim, input),
        "UntagResource" => tags::untag(sim, input),
        "ListTagsForResource" => tags::list(sim, input),
        _ => Err(Refusal::bad("UnknownOperationException", format!("berth-local does not play ecs:{operation}."))),
    }
}

/// An event is due.
pub fn happen(sim: &mut Sim, event: Event) {
    let same =
        |sim: &Sim, key: &str, serial: u64| sim.ecs.services.get(key).is_some_and(|service| service.serial == serial);
    match event {
        Event::Pending { task } => lifecycle::pending(sim, &task),
        Event::Started { task } => lifecycle::started(sim, &task),
        Event::Undrained { task } => lifecycle::undrained(sim, &task),
        Event::StopDue { task } => lifecycle::stop_due(sim, &task),
        Event::Overdue { task } => lifecycle::overdue(sim, &task),
        Event::ForgetTask { task } => lifecycle::forget(sim, &task),
        Event::Reconcile { service } => scheduler::reconcile(sim, &service),
        Event::Look { service, number } => scheduler::look(sim, &service, number),
        Event::Drained { service, serial } => {
            if same(sim, &service, serial) {
                update::finish_draining(sim, &service);
            }
        }
        Event::ForgetService { service, serial } => {
            if same(sim, &service, serial) {
                sim.ecs.services.remove(&service);
                let arn = service::arn(sim, &service);
                sim.ecs.tags.remove(&arn);
            }
        }
    }
}

/// At every start: what the project brings along is there, and the programs of the kept state's tasks run again.
pub fn resume(sim: &mut Sim) {
    definition::provide(sim, "hello");
    sim.effect(sim::Effect::Ecs(Effect::Provide));
    let unended: Vec<(String, TaskStatus)> =
        sim.ecs.tasks.values().filter(|task| !task.ended).map(|task| (task.id.clone(), task.status)).collect();
    for (task, status) in unended {
        match status {
            TaskStatus::Stopping => lifecycle::end(sim, &task),
            _ => lifecycle::run(sim, &task),
        }
    }
}

/// I/O.
pub async fn perform(cloud: Cloud, effect: Effect) {
    match effect {
        Effect::Provide => {
            cloud.change(|sim| cloud.runner().families().for_each(|family| definition::provide(sim, family)));
        }
        Effect::Start(launch) => runner::start(&cloud, launch).await,
        Effect::Stop { task, leftover } => runner::stop(&cloud, &task, leftover).await,
        Effect::Kill { task } => runner::kill(&cloud, &task),
    }
}
