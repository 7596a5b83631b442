//! The lines that tasks' programs write, and the log streams to which their containers' `awslogs` configuration sends
//! them. `logs` reads them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::task::{EcsTask, Status};
use super::{Ecs, definition, lifecycle};
use crate::stand_in::account::Account;

/// The number of last lines that are kept for each task.
const KEPT: usize = 50;

/// One line that a program wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written.
    pub at: Timestamp,
    /// The text, without its line end.
    pub text: String,
}

/// Records lines that the task's program wrote.
pub(super) fn wrote(account: &mut Account, id: &str, lines: Vec<String>) {
    let at = account.engine.now();
    let Some(task) = account.ecs.tasks.get_mut(id) else { return };
    task.lines.extend(lines.into_iter().map(|text| Line { at, text }));
    let surplus = task.lines.len().saturating_sub(KEPT);
    task.lines.drain(..surplus);
}

/// Whether a task definition writes to this log group.
pub(crate) fn group_exists(ecs: &Ecs, group: &str) -> bool {
    let containers = ecs.families.values().flat_map(|revisions| revisions.values()).flat_map(|one| &one.containers);
    containers.filter_map(definition::Container::awslogs).any(|(name, _)| name == group)
}

/// The lines of the stream `prefix/container/task` in this group, once its task has started. A task has one program here;
/// its other containers write nothing.
pub(crate) fn stream<'a>(ecs: &'a Ecs, group: &str, stream: &str) -> Option<&'a [Line]> {
    let (rest, id) = stream.rsplit_once('/')?;
    let (prefix, name) = rest.rsplit_once('/')?;
    let task = ecs.tasks.get(id).filter(|task| has_started(task))?;
    let definition = definition::find(ecs, &task.task_definition)?;
    let container = definition.container(name).filter(|container| container.awslogs() == Some((group, prefix)))?;
    let writes = lifecycle::main_container(definition, task).is_some_and(|main| main.name == container.name);
    Some(if writes { &task.lines } else { &[] })
}

fn has_started(task: &EcsTask) -> bool {
    task.times.started.is_some() && task.status >= Status::Running
}
