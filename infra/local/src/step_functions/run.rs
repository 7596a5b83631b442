//! One running execution: what all its states share. `interpreter` walks it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use berth_domain::Clock;
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::sync::watch;

use super::asl::Definition;
use super::function::Invoke;
use super::history::{Details, Full, History, MOST_EVENTS};
use super::jsonata::Variables;
use super::retry::{RUNTIME, StateError};

/// One running execution.
pub(super) struct Run {
    /// The machine's definition.
    pub definition: Arc<Definition>,
    /// The machine's ARN.
    pub machine_arn: String,
    /// The machine's name.
    pub machine: String,
    /// The execution's ARN.
    pub arn: String,
    /// The execution's name.
    pub name: String,
    /// The execution's input.
    pub input: Value,
    /// When the execution was started.
    pub start: Timestamp,
    /// Its time.
    pub clock: Clock,
    /// Its history.
    pub history: Arc<History>,
    /// Draws jitter.
    pub chance: Mutex<ChaCha8Rng>,
    /// The functions, once they are set.
    pub invoke: watch::Receiver<Option<Invoke>>,
}

/// A state being executed.
pub(super) struct Visit<'a> {
    pub name: &'a str,
    pub input: Value,
    pub entered: Timestamp,
    /// The id of the event of its entry.
    pub event: u64,
    pub retries: u32,
    /// The id of the branch's last event.
    pub last: &'a mut u64,
}

/// The result of a state: its output, its variables, and the next state.
pub(super) struct StateTransition<'a> {
    pub output: Value,
    pub assigned: Variables,
    pub next: Option<&'a str>,
}

/// The id of a walk's last event, and its output or error.
pub(super) type Walked = (u64, Result<Value, StateError>);
pub(super) type Walk<'a> = Pin<Box<dyn Future<Output = Walked> + Send + 'a>>;

impl Run {
    /// Adds an event to the history. A full history ends the execution.
    pub(super) fn note(
        &self,
        visit: &mut Visit<'_>,
        kind: impl Into<String>,
        details: Details,
    ) -> Result<(), StateError> {
        match self.history.add(self.clock.now(), *visit.last, kind, details) {
            Ok(event) => {
                *visit.last = event;
                Ok(())
            }
            Err(Full) => Err(StateError {
                error: RUNTIME.to_owned(),
                cause: Some(format!("The execution reached the maximum number of history events ({MOST_EVENTS}).")),
            }),
        }
    }
}
