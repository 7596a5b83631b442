//! A task that runs a command of the user, reachable at the task's address. Its `keeper` runs the command and ends what the
//! command has started.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::keeper;
use super::lifecycle::{self, Exit};
use super::log;
use super::runner::{Launch, Program};
use crate::stand_in::Cloud;
use crate::stand_in::net::Address;

/// The longest line in bytes, and the largest number of lines in one report.
const LINE_LENGTH: usize = 500;
const BURST: usize = 50;
/// How long lines are collected.
const COLLECTED: Duration = Duration::from_millis(200);
/// The environment variables that a process inherits.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

/// Lines that are not reported yet.
#[derive(Default)]
struct Lines {
    fresh: Mutex<VecDeque<String>>,
    added: Notify,
}

impl Lines {
    fn push(&self, text: String) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.push_back(text);
        if fresh.len() > BURST {
            fresh.pop_front();
        }
        self.added.notify_one();
    }

    fn report(&self, cloud: &Cloud, task: &str) {
        let fresh: Vec<String> = self.fresh.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        if !fresh.is_empty() {
            cloud.change(|account| log::wrote(account, task, fresh));
        }
    }
}

/// Starts the command.
pub(super) fn start(cloud: &Cloud, launch: &Launch, command: &str) -> io::Result<()> {
    let real = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let [program, arguments @ ..] = cloud.runner().keeper() else {
        return Err(io::Error::other("berth-local does not know its own program"));
    };
    let mut keeper = std::process::Command::new(program);
    keeper.arg0("berth-task").args(arguments).env_clear();
    keeper.envs(INHERITED.into_iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    keeper.envs(launch.environment.iter().map(|(name, value)| (name, value)));
    keeper.env("PORT", real.port().to_string()).env("BERTH_TASK_ID", &launch.task).env(keeper::COMMAND, command);
    keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);

    let addresses: Vec<Address> = launch.ports.iter().map(|port| (launch.ip.clone(), *port)).collect();
    let mut running = cloud.runner().lock();
    if running.closing {
        return Ok(());
    }
    let mut child = Command::from(keeper).spawn()?;
    let keeper = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let keeper = keeper.ok_or_else(|| io::Error::other("no process id"))?;
    let input = child.stdin.take();
    for address in &addresses {
        cloud.net().publish(address.clone(), real);
    }
    let watcher = tokio::spawn(watch(cloud.clone(), launch.task.clone(), child, addresses));
    running.tasks.insert(launch.task.clone(), Program::Process { keeper, input, watcher });
    Ok(())
}

/// Waits for the process's end and reports it.
async fn watch(cloud: Cloud, id: String, mut child: Child, addresses: Vec<Address>) {
    let lines = Arc::<Lines>::default();
    let readers = [
        child.stdout.take().map(|pipe| tokio::spawn(read(pipe, Arc::clone(&lines), id.clone()))),
        child.stderr.take().map(|pipe| tokio::spawn(read(pipe, Arc::clone(&lines), id.clone()))),
    ];
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            () = lines.added.notified() => {}
        }
        if let Ok(status) = tokio::time::timeout(COLLECTED, child.wait()).await {
            break status;
        }
        lines.report(&cloud, &id);
    };
    for mut reader in readers.into_iter().flatten() {
        // Where a descendant could leave the keeper, it may keep the pipe open.
        if tokio::time::timeout(Duration::from_millis(200), &mut reader).await.is_err() {
            reader.abort();
        }
    }
    for address in &addresses {
        cloud.net().withdraw(address);
    }
    let closing = {
        let mut running = cloud.runner().lock();
        running.tasks.remove(&id);
        running.closing
    };
    if !closing {
        lines.report(&cloud, &id);
        let code = status.ok().and_then(exit_code).unwrap_or(1);
        cloud.change(|account| lifecycle::exited(account, &id, Exit::with(code)));
    }
}

pub(super) fn exit_code(status: ExitStatus) -> Option<i32> {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal))
}

/// Collects lines from the pipe.
async fn read(mut pipe: impl AsyncRead + Unpin, lines: Arc<Lines>, task: String) {
    let mut chunk = [0; 4096];
    let mut line = Vec::new();
    while let Ok(count) = pipe.read(&mut chunk).await {
        for byte in chunk.iter().take(count) {
            if *byte == b'\n' {
                keep(&lines, &task, &mut line);
            } else if line.len() < LINE_LENGTH {
                line.push(*byte);
            }
        }
        if count == 0 {
            break;
        }
    }
    if !line.is_empty() {
        keep(&lines, &task, &mut line);
    }
}

fn keep(lines: &Lines, task: &str, line: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(line).into_owned();
    line.clear();
    tracing::debug!(task, "{text}");
    lines.push(text);
}

/// Signals a keeper. One that has ended already is ignored.
pub(super) fn signal(keeper: Pid, signal: Signal) {
    match kill_process(keeper, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => tracing::warn!(%error, "a task's process could not be signalled"),
    }
}
