//! A task that is a process of its own: `sh -c COMMAND` in its own process group, reachable at the task's address.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::lifecycle::{self, Exit};
use super::log;
use super::runner::{Launch, Program};
use crate::stand_in::Cloud;
use crate::stand_in::net::Address;

/// How much is kept of a line, and how many lines of one burst.
const LINE_LENGTH: usize = 500;
const BURST: usize = 50;
/// How long lines are collected: each report to the stand-in writes its whole state.
const COLLECTED: Duration = Duration::from_millis(200);
/// What a process is given of the stand-in's own environment.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

/// Lines that have not been reported yet.
#[derive(Default)]
struct Lines {
    fresh: Mutex<VecDeque<String>>,
    came: Notify,
}

impl Lines {
    fn push(&self, text: String) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.push_back(text);
        if fresh.len() > BURST {
            fresh.pop_front();
        }
        self.came.notify_one();
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
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(command).env_clear();
    shell.envs(INHERITED.into_iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
    shell.envs(launch.environment.iter().map(|(name, value)| (name, value)));
    shell.env("PORT", real.port().to_string()).env("BERTH_TASK_ID", &launch.task);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);

    let addresses: Vec<Address> = launch.ports.iter().map(|port| (launch.ip.clone(), *port)).collect();
    let mut running = cloud.runner().lock();
    if running.closing {
        return Ok(());
    }
    let child = Command::from(shell).kill_on_drop(true).spawn()?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(|| io::Error::other("no process id"))?;
    for address in &addresses {
        cloud.net().publish(address.clone(), real);
    }
    let watcher = tokio::spawn(watch(cloud.clone(), launch.task.clone(), child, group, addresses));
    running.tasks.insert(launch.task.clone(), Program::Process { group, watcher });
    drop(running);
    cloud.change(|account| {
        if let Some(task) = account.ecs.tasks.get_mut(&launch.task).filter(|task| !task.ended) {
            task.process_group = Some(group);
        }
    });
    Ok(())
}

/// Waits for the process's end and reports it.
async fn watch(cloud: Cloud, id: String, mut child: Child, group: i32, addresses: Vec<Address>) {
    let lines = Arc::<Lines>::default();
    let readers = [
        child.stdout.take().map(|pipe| tokio::spawn(read(pipe, Arc::clone(&lines), id.clone()))),
        child.stderr.take().map(|pipe| tokio::spawn(read(pipe, Arc::clone(&lines), id.clone()))),
    ];
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            () = lines.came.notified() => {}
        }
        if let Ok(status) = tokio::time::timeout(COLLECTED, child.wait()).await {
            break status;
        }
        lines.report(&cloud, &id);
    };
    // As in a container, where everything ends with the first process.
    signal(group, Signal::KILL);
    for mut reader in readers.into_iter().flatten() {
        // A descendant that left the group may hold the pipe open.
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

fn exit_code(status: ExitStatus) -> Option<i32> {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal))
}

/// Collects the lines that come through the pipe.
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

/// Signals a whole process group; one that has ended already is no matter.
pub(super) fn signal(group: i32, signal: Signal) {
    // Groups 0 and 1 would be our own and everybody's.
    if let Some(group) = Pid::from_raw(group).filter(|_| group > 1) {
        match kill_process_group(group, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => tracing::warn!(%error, "a task's process group could not be signalled"),
        }
    }
}

/// Ends the process group that an earlier stand-in left behind, if it still runs this very task.
pub(super) async fn end_leftover(group: i32, task: &str) {
    let mark = format!("BERTH_TASK_ID={task}");
    let runs_it = || {
        let environment = std::fs::read(format!("/proc/{group}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    if !runs_it() {
        return;
    }
    signal(group, Signal::KILL);
    for _ in 0..50 {
        if !runs_it() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tracing::warn!(group, task, "the process that an earlier stand-in left behind does not end");
}
