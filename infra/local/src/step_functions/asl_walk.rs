//! Access to a definition's states, those in branches too: where each leads, and what it retries, catches and assigns.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::asl::{Branch, Catcher, Definition, ParallelState, PassState, Retrier, State, TaskState, WaitState};

impl Definition {
    /// Every state, those in branches too, each with its name (unique in the whole definition).
    pub fn states(&self) -> impl Iterator<Item = (&str, &State)> {
        let mut found = Vec::new();
        collect(&self.states, &mut found);
        found.into_iter()
    }
}

fn collect<'a>(states: &'a BTreeMap<String, State>, found: &mut Vec<(&'a str, &'a State)>) {
    for (name, state) in states {
        found.push((name, state));
        for branch in state.branches() {
            collect(&branch.states, found);
        }
    }
}

impl State {
    /// The value of the state's `Type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Task(_) => "Task",
            Self::Choice(_) => "Choice",
            Self::Wait(_) => "Wait",
            Self::Parallel(_) => "Parallel",
            Self::Pass(_) => "Pass",
            Self::Succeed(_) => "Succeed",
            Self::Fail(_) => "Fail",
        }
    }

    /// The branches of a Parallel state; empty for the others.
    #[must_use]
    pub fn branches(&self) -> &[Branch] {
        match self {
            Self::Parallel(parallel) => &parallel.branches,
            _ => &[],
        }
    }

    /// The retriers of a Task or Parallel; empty for the others.
    #[must_use]
    pub fn retry(&self) -> &[Retrier] {
        match self {
            Self::Task(task) => &task.retry,
            Self::Parallel(parallel) => &parallel.retry,
            _ => &[],
        }
    }

    /// The catchers of a Task or Parallel; empty for the others.
    #[must_use]
    pub fn catch(&self) -> &[Catcher] {
        match self {
            Self::Task(task) => &task.catch,
            Self::Parallel(parallel) => &parallel.catch,
            _ => &[],
        }
    }

    /// `Next` and `End`; `None` for states that have neither.
    #[must_use]
    pub fn next_and_end(&self) -> Option<(Option<&str>, bool)> {
        match self {
            Self::Task(TaskState { next, end, .. })
            | Self::Wait(WaitState { next, end, .. })
            | Self::Parallel(ParallelState { next, end, .. })
            | Self::Pass(PassState { next, end, .. }) => Some((next.as_deref(), *end)),
            Self::Choice(_) | Self::Succeed(_) | Self::Fail(_) => None,
        }
    }

    /// Every state that can come next: `Next`, then the rules', `Default` and the catchers'.
    #[must_use]
    pub fn successors(&self) -> Vec<&str> {
        let mut successors: Vec<&str> = self.next_and_end().and_then(|(next, _)| next).into_iter().collect();
        if let Self::Choice(choice) = self {
            successors.extend(choice.choices.iter().map(|rule| rule.next.as_str()));
            successors.extend(choice.default.as_deref());
        }
        successors.extend(self.catch().iter().map(|catcher| catcher.next.as_str()));
        successors
    }

    /// Every `Assign` of the state: its own, its rules', its catchers'.
    #[must_use]
    pub fn assigns(&self) -> Vec<&Map<String, Value>> {
        let mut assigns = match self {
            Self::Task(TaskState { assign, .. })
            | Self::Parallel(ParallelState { assign, .. })
            | Self::Pass(PassState { assign, .. }) => vec![assign],
            Self::Choice(choice) => choice.choices.iter().map(|rule| &rule.assign).collect(),
            Self::Wait(_) | Self::Succeed(_) | Self::Fail(_) => Vec::new(),
        };
        assigns.extend(self.catch().iter().map(|catcher| &catcher.assign));
        assigns
    }
}
