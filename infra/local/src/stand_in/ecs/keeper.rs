//! The keeper of one task: a process between berth-local and a task's command. It runs the command, and it ends everything that
//! the command has started when the command ends or when berth-local ends, however that happens. A process that called `setsid`
//! or whose parent has ended is no exception on Linux; elsewhere only the command's process group is ended.
//!
//! `process` starts a keeper for each task and holds the other end of its standard input: when berth-local ends, the kernel
//! closes it.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::process::exit_code;

/// The environment variable that has the command.
pub const COMMAND: &str = "BERTH_TASK_COMMAND";

/// The name of the process.
#[cfg(target_os = "linux")]
const NAME: &std::ffi::CStr = c"berth-task";

/// What a task ends with when it is killed.
const KILLED: u8 = 137;

/// Runs the command in [`COMMAND`] until it ends, or until standard input is closed. Everything that it has started is ended
/// then. SIGTERM is passed on to the command's process group. The exit code to end with.
///
/// # Errors
/// One line when the command cannot be started.
pub async fn run() -> Result<u8, String> {
    let command = std::env::var_os(COMMAND).ok_or_else(|| {
        format!("{COMMAND} is not set; berth-local starts this command itself, so run berth-local instead")
    })?;
    take_name();
    adopt_orphans();
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).env_remove(COMMAND).stdin(Stdio::null()).process_group(0);
    let mut child = shell.spawn().map_err(|error| format!("sh cannot be started: {error}"))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let closed = closed_input();
    tokio::pin!(closed);
    let code = loop {
        tokio::select! {
            status = child.wait() => break status.ok().and_then(exit_code).and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            () = &mut closed => break KILLED,
            _ = terminate.recv() => send(group, Signal::TERM),
        }
    };
    send(group, Signal::KILL);
    end_descendants();
    Ok(code)
}

/// Done when standard input is closed.
async fn closed_input() {
    let (mut input, mut ignored) = (tokio::io::stdin(), [0; 64]);
    while input.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
}

/// Signals the command's process group, which may have ended.
fn send(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}

/// Takes another name than berth-local's, so that `killall -9 berth-local` leaves this process the time to end the command.
#[cfg(target_os = "linux")]
fn take_name() {
    if let Err(error) = rustix::thread::set_name(NAME) {
        eprintln!("berth-local: a task's keeper keeps berth-local's name ({error})");
    }
}

#[cfg(not(target_os = "linux"))]
fn take_name() {}

/// From now on a descendant whose parent ends becomes a child of this process.
#[cfg(target_os = "linux")]
fn adopt_orphans() {
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        eprintln!("berth-local: processes of this task that leave its group may survive it ({error})");
    }
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() {}

/// Kills every descendant, until there is none: one may start another meanwhile.
#[cfg(target_os = "linux")]
fn end_descendants() {
    let own = rustix::process::getpid();
    for _ in 0..1000 {
        let left = descendants::of(own);
        if left.is_empty() {
            return;
        }
        for process in left {
            let _ = rustix::process::kill_process(process, Signal::KILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

#[cfg(not(target_os = "linux"))]
fn end_descendants() {}

#[cfg(target_os = "linux")]
mod descendants {
    //! The processes below another, as /proc lists them.

    use std::collections::BTreeMap;

    use rustix::process::Pid;

    /// The descendants of `process` that have not ended.
    pub(super) fn of(process: Pid) -> Vec<Pid> {
        let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let id = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
            if let Some(id) = id
                && let Some(parent) = parent_of(id)
            {
                children.entry(parent).or_default().push(id);
            }
        }
        let (mut found, mut at) = (vec![process.as_raw_nonzero().get()], 0);
        while let Some(parent) = found.get(at) {
            found.extend(children.remove(parent).unwrap_or_default());
            at += 1;
        }
        found.into_iter().skip(1).filter_map(Pid::from_raw).collect()
    }

    /// The parent of a process that has not ended. A zombie has no part in this: its children are this process's already.
    fn parent_of(id: i32) -> Option<i32> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name before it is in parentheses, and may have any character.
        let (_, rest) = stat.rsplit_once(')')?;
        let mut words = rest.split_whitespace();
        let state = words.next()?;
        let parent = words.next()?.parse().ok()?;
        (!matches!(state, "Z" | "X")).then_some(parent)
    }
}
