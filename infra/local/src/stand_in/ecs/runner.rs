//! What runs as a task on this machine: the sample server, a command of the user's (`process`), or one of the images
//! that fail on purpose. It knows programs, not services: it starts and ends them and says how they ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;
use tokio::task::JoinHandle;

use super::lifecycle::{self, Exit};
use super::{failing, log, process, sample};
use crate::stand_in::Cloud;

/// What the tasks of a family run: a shell command; a family that is not named runs the sample server.
pub type Programs = BTreeMap<String, String>;

/// A program to start.
#[derive(Clone, Debug)]
pub struct Launch {
    pub(super) task: String,
    pub(super) ip: String,
    pub(super) ports: Vec<u16>,
    pub(super) family: String,
    pub(super) image: String,
    pub(super) environment: Vec<(String, String)>,
    /// The process group that ran this task when the stand-in ended without ending it.
    pub(super) leftover: Option<i32>,
}

/// The task processes.
pub struct Runner {
    programs: Programs,
    running: Mutex<Running>,
}

#[derive(Default)]
pub(super) struct Running {
    /// The stand-in is ending: nothing starts any more, and ends are not reported, so that the tasks go on next time.
    pub(super) closing: bool,
    pub(super) tasks: BTreeMap<String, Program>,
}

pub(super) enum Program {
    /// Runs in this process.
    BuiltIn(Vec<JoinHandle<()>>),
    /// A process group of its own, and what waits for its end.
    Process { group: i32, watcher: JoinHandle<()> },
}

impl Runner {
    /// No process yet.
    #[must_use]
    pub fn new(programs: Programs) -> Self {
        Self { programs, running: Mutex::default() }
    }

    /// Ends everything that runs and waits until it has ended. The tasks themselves stay as they are: started again on
    /// the same state, the stand-in starts their programs again.
    pub async fn stop_all(&self) {
        let programs = {
            let mut running = self.lock();
            running.closing = true;
            std::mem::take(&mut running.tasks)
        };
        for program in programs.values() {
            match program {
                Program::BuiltIn(parts) => parts.iter().for_each(JoinHandle::abort),
                Program::Process { group, .. } => process::signal(*group, Signal::KILL),
            }
        }
        for program in programs.into_values() {
            if let Program::Process { watcher, .. } = program
                && let Err(error) = watcher.await
            {
                tracing::warn!(%error, "a task's process was not waited for");
            }
        }
    }

    pub(super) fn families(&self) -> impl Iterator<Item = &String> {
        self.programs.keys()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a task's program.
pub(super) async fn start(cloud: &Cloud, launch: Launch) {
    if let Some(group) = launch.leftover {
        process::end_leftover(group, &launch.task).await;
    }
    let id = launch.task.clone();
    if !cloud.change(|account| lifecycle::wanted(account, &id)) || !claim(cloud, &id) {
        return;
    }
    if let Some(exit) = failing::at_once(&launch.image) {
        cloud.runner().lock().tasks.remove(&id);
        return cloud.change(|account| {
            log::wrote(account, &id, failing::lines(&launch.image));
            lifecycle::exited(account, &id, exit);
        });
    }
    let command = cloud.runner().programs.get(&launch.family);
    let started = match command {
        _ if failing::is_deaf(&launch.image) => {
            cloud.change(|account| log::wrote(account, &id, failing::lines(&launch.image)));
            built_in(cloud, &id, Vec::new());
            Ok(())
        }
        Some(command) => process::start(cloud, &launch, command),
        None => sample::start(cloud, &launch).await.map(|parts| {
            let lines = launch.ports.iter().map(|port| format!("Listening on 0.0.0.0:{port}")).collect();
            cloud.change(|account| log::wrote(account, &id, lines));
            built_in(cloud, &id, parts);
        }),
    };
    if let Err(error) = started {
        cloud.runner().lock().tasks.remove(&id);
        let exit = Exit { reason: Some(format!("CannotStartContainerError: {error}")), ..Exit::with(127) };
        cloud.change(|account| lifecycle::exited(account, &id, exit));
    } else if !cloud.change(|account| lifecycle::wanted(account, &id)) {
        // It was stopped while it started.
        stop(cloud, &id, None).await;
    }
}

/// Makes sure that a task's program is started once: at a start, what is overdue and what is resumed may both ask.
fn claim(cloud: &Cloud, id: &str) -> bool {
    let mut running = cloud.runner().lock();
    if running.closing || running.tasks.contains_key(id) {
        return false;
    }
    running.tasks.insert(id.to_owned(), Program::BuiltIn(Vec::new()));
    true
}

fn built_in(cloud: &Cloud, id: &str, parts: Vec<JoinHandle<()>>) {
    let mut running = cloud.runner().lock();
    if running.closing {
        parts.iter().for_each(JoinHandle::abort);
    } else {
        running.tasks.insert(id.to_owned(), Program::BuiltIn(parts));
    }
}

/// Asks a task's program to end; how it ended is reported when it has.
pub(super) async fn stop(cloud: &Cloud, id: &str, leftover: Option<i32>) {
    let built_in = {
        let mut running = cloud.runner().lock();
        match running.tasks.get(id) {
            Some(Program::Process { group, .. }) => return process::signal(*group, Signal::TERM),
            Some(Program::BuiltIn(_)) => running.tasks.remove(id),
            None => None,
        }
    };
    let code = match built_in {
        Some(Program::BuiltIn(parts)) => {
            parts.iter().for_each(JoinHandle::abort);
            0
        }
        _ => {
            // Not started by this process: a stand-in that was killed may have left it behind.
            if let Some(group) = leftover {
                process::end_leftover(group, id).await;
            }
            137
        }
    };
    cloud.change(|account| lifecycle::exited(account, id, Exit::with(code)));
}

/// Ends a task's process that did not obey.
pub(super) fn kill(cloud: &Cloud, id: &str) {
    if let Some(Program::Process { group, .. }) = cloud.runner().lock().tasks.get(id) {
        process::signal(*group, Signal::KILL);
    }
}
