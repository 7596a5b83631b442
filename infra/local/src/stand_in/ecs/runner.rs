//! Runs tasks on this machine: the sample server, a command of the user (`process`), or an image that fails on purpose.
//! It knows programs, not services: it starts and ends them, and reports how they ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal};
use tokio::process::ChildStdin;
use tokio::task::JoinHandle;

use super::lifecycle::{self, Exit};
use super::{failing, log, process, sample};
use crate::stand_in::Cloud;

/// What tasks run.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// The shell command of each family; families without one run the sample server.
    pub commands: BTreeMap<String, String>,
    /// The program that calls [`keeper::run`](super::keeper::run), and its arguments.
    pub keeper: Vec<String>,
}

/// A program to start.
#[derive(Clone, Debug)]
pub struct Launch {
    pub(super) task: String,
    pub(super) ip: String,
    pub(super) ports: Vec<u16>,
    pub(super) family: String,
    pub(super) image: String,
    pub(super) environment: Vec<(String, String)>,
}

/// The task processes.
pub struct Runner {
    programs: Programs,
    running: Mutex<Running>,
}

#[derive(Default)]
pub(super) struct Running {
    /// The stand-in is ending: no program starts, and ends are not reported, so that the tasks continue at the next
    /// start.
    pub(super) closing: bool,
    pub(super) tasks: BTreeMap<String, Program>,
}

pub(super) enum Program {
    /// Runs in this process.
    BuiltIn(Vec<JoinHandle<()>>),
    /// A keeper, its standard input, and the task that waits for its end. When the input is closed, the keeper ends.
    Process { keeper: Pid, input: Option<ChildStdin>, watcher: JoinHandle<()> },
}

impl Runner {
    /// Not started yet.
    #[must_use]
    pub fn new(programs: Programs) -> Self {
        Self { programs, running: Mutex::default() }
    }

    /// Ends all programs and waits for their end. The tasks' state stays as it is: the next stand-in with this state
    /// starts their programs again.
    pub async fn stop_all(&self) {
        let programs = {
            let mut running = self.lock();
            running.closing = true;
            std::mem::take(&mut running.tasks)
        };
        let mut watchers = Vec::new();
        for program in programs.into_values() {
            match program {
                Program::BuiltIn(parts) => parts.iter().for_each(JoinHandle::abort),
                Program::Process { input, watcher, .. } => {
                    drop(input);
                    watchers.push(watcher);
                }
            }
        }
        for watcher in watchers {
            if let Err(error) = watcher.await {
                tracing::warn!(%error, "a task's process was not waited for");
            }
        }
    }

    pub(super) fn families(&self) -> impl Iterator<Item = &String> {
        self.programs.commands.keys()
    }

    pub(super) fn keeper(&self) -> &[String] {
        &self.programs.keeper
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a task's program.
pub(super) async fn start(cloud: &Cloud, launch: Launch) {
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
    let command = cloud.runner().programs.commands.get(&launch.family);
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
        // The task was stopped while its program started.
        stop(cloud, &id);
    }
}

/// Ensures that a task's program is started only once: after a restart, an overdue event and the resumption may both
/// ask for it.
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

/// Asks a task's program to end. Its end is reported when it has ended.
pub(super) fn stop(cloud: &Cloud, id: &str) {
    let built_in = {
        let mut running = cloud.runner().lock();
        match running.tasks.get(id) {
            Some(Program::Process { keeper, .. }) => return process::signal(*keeper, Signal::TERM),
            Some(Program::BuiltIn(_)) => running.tasks.remove(id),
            None => None,
        }
    };
    let code = match built_in {
        Some(Program::BuiltIn(parts)) => {
            parts.iter().for_each(JoinHandle::abort);
            0
        }
        // Its program ended with an earlier stand-in.
        _ => 137,
    };
    cloud.change(|account| lifecycle::exited(account, id, Exit::with(code)));
}

/// Kills a task's process.
pub(super) fn kill(cloud: &Cloud, id: &str) {
    if let Some(Program::Process { input, .. }) = cloud.runner().lock().tasks.get_mut(id) {
        drop(input.take());
    }
}
