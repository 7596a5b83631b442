//! Step Functions: an interpreter for the subset of the States Language that Berth's state machine uses.
//!
//! [`States`] starts, keeps and ends executions; `api` is the service's API over it; `interpreter` walks one execution;
//! `asl` is the definition. For local use and tests only: in AWS, Step Functions itself runs the machine.
//!
//! After a restart, running executions start again at their first state, with the same name and input, and with the
//! whole `TimeoutSeconds`. AWS would continue at the state that was reached; the difference is harmless, because every
//! step of Berth's machine may be repeated.

mod api;
mod arns;
pub mod asl;
mod asl_walk;
mod check;
mod data;
mod execution;
mod function;
mod history;
mod interpreter;
mod jsonata;
mod parallel;
mod parse;
mod retry;
mod run;
mod task;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use berth_domain::Clock;
use jiff::Timestamp;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::stand_in::service::{AwsService, Errors, Handler, OddsOf, Protocol};
use crate::stored::{Keep, Rows};
pub use arns::{execution_arn, machine_arn};
use asl::Definition;
pub use execution::{Execution, ExecutionChange, Executions, Included, Status};
pub use function::{FunctionError, FunctionReply, Invocation, Invoke};
use history::{Details, History, error_details};
use retry::{RUNTIME, StateError, TIMEOUT};
use run::Run;

/// Step Functions.
pub static SERVICE: AwsService = AwsService {
    prefix: "states",
    protocol: Protocol::Json { target: "AWSStepFunctions", content_type: "application/x-amz-json-1.0" },
    handler: Handler::StepFunctions,
    errors: Errors::JSON,
    odds: Some(OddsOf::Records),
    conflict: None,
    provisioned: None,
};

/// The number of closed executions whose history is kept.
const CLOSED_HISTORIES: usize = 200;

/// Receives every change of an execution's status.
pub type OnChange = Arc<dyn Fn(&ExecutionChange) + Send + Sync>;

/// A state machine.
#[derive(Clone, Debug)]
pub struct StateMachine {
    /// Its name.
    pub name: String,
    /// Its definition.
    pub definition: Definition,
}

/// What [`States`] needs.
pub struct Options {
    /// Its time.
    pub clock: Clock,
    /// Draws jitter, and the names of executions that are started without one.
    pub seed: u64,
    /// The state machines.
    pub machines: Vec<StateMachine>,
    /// The functions, if they are known at the start; see [`States::serve`].
    pub invoke: Option<Invoke>,
    /// Stores the executions: after each start, before its reply, and after each end. It must not call [`States`].
    pub keep: Option<Keep>,
    /// The executions stored earlier, to continue.
    pub kept: Option<Executions>,
    /// Receives changes.
    pub on_change: Option<OnChange>,
}

impl Options {
    /// No machine, nothing stored.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, seed: 1, machines: Vec::new(), invoke: None, keep: None, kept: None, on_change: None }
    }
}

/// The state machines and their executions; cheap to clone.
#[derive(Clone)]
pub struct States(Arc<Inner>);

struct Inner {
    clock: Clock,
    seed: u64,
    created: Timestamp,
    machines: BTreeMap<String, Arc<Definition>>,
    invoke: watch::Sender<Option<Invoke>>,
    keep: Option<Keep>,
    on_change: Option<OnChange>,
    book: Mutex<Book>,
    /// The number of running executions; it counts down after `on_change` has received the end.
    running: watch::Sender<usize>,
}

#[derive(Default)]
struct Book {
    executions: Executions,
    running: BTreeMap<String, AbortHandle>,
    histories: BTreeMap<String, Arc<History>>,
    /// The closed executions with a history, oldest first.
    closed: VecDeque<String>,
}

/// How an execution ends.
struct Ending {
    status: Status,
    output: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

impl States {
    /// The machines, on the current tokio runtime. Executions that are running in `options.kept` start again.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let machines = options.machines.into_iter().map(|machine| (machine.name, Arc::new(machine.definition)));
        let states = Self(Arc::new(Inner {
            created: options.clock.now(),
            clock: options.clock,
            seed: options.seed,
            machines: machines.collect(),
            invoke: watch::Sender::new(options.invoke),
            keep: options.keep,
            on_change: options.on_change,
            book: Mutex::new(Book { executions: options.kept.unwrap_or_default(), ..Book::default() }),
            running: watch::Sender::new(0),
        }));
        states.0.resume();
        states
    }

    /// Sets the functions. Tasks that were reached earlier wait for this.
    pub fn serve(&self, invoke: Invoke) {
        self.0.invoke.send_replace(Some(invoke));
    }

    /// The functions, once they are set. A test that intercepts calls sets functions of its own, which call these.
    #[must_use]
    pub fn served(&self) -> Option<Invoke> {
        self.0.invoke.borrow().clone()
    }

    /// How many executions run.
    #[must_use]
    pub fn running(&self) -> usize {
        *self.0.running.borrow()
    }

    /// Waits until no execution runs.
    pub async fn wait_until_idle(&self) {
        // An error would mean that the sender is gone, which `self` holds.
        let _ = self.0.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// The execution of this ARN.
    #[must_use]
    pub fn execution(&self, arn: &str) -> Option<Execution> {
        self.0.book().executions.by_arn.get(arn).cloned()
    }
}

impl Inner {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, book: &mut Book) {
        Rows::pass(self.keep.as_ref(), |rows| book.executions.take_rows(rows));
    }

    fn notify(&self, execution: &Execution) {
        if let Some(on_change) = &self.on_change {
            on_change(&ExecutionChange::from(execution));
        }
    }

    fn resume(self: &Arc<Self>) {
        let running: Vec<Execution> =
            self.book().executions.by_arn.values().filter(|execution| execution.is_running()).cloned().collect();
        for execution in running {
            self.running.send_modify(|running| *running += 1);
            match self.machines.get(&execution.machine) {
                Some(definition) => self.run(&mut self.book(), definition, &execution),
                None => {
                    let cause = format!("The state machine '{}' is gone", execution.machine);
                    let failure = StateError { error: RUNTIME.to_owned(), cause: Some(cause) };
                    self.end(&execution.arn(), 0, Ending::failed(failure));
                }
            }
        }
    }

    /// Starts an execution that is in the book.
    fn run(self: &Arc<Self>, book: &mut Book, definition: &Arc<Definition>, execution: &Execution) {
        let arn = execution.arn();
        let history = Arc::new(History::default());
        book.histories.insert(arn.clone(), Arc::clone(&history));
        let run = Run {
            definition: Arc::clone(definition),
            machine_arn: machine_arn(&execution.machine),
            machine: execution.machine.clone(),
            arn: arn.clone(),
            name: execution.name.clone(),
            input: serde_json::from_str(&execution.input).unwrap_or_default(),
            start: execution.start,
            clock: self.clock.clone(),
            history,
            chance: Mutex::new(chance(self.seed, &arn)),
            invoke: self.invoke.subscribe(),
        };
        let task = tokio::spawn(Arc::clone(self).drive(run));
        book.running.insert(arn, task.abort_handle());
    }

    async fn drive(self: Arc<Self>, run: Run) {
        let (last, ending) = match run.definition.timeout_seconds {
            None => ended(run.execute().await),
            Some(seconds) => tokio::select! {
                biased;
                walked = run.execute() => ended(walked),
                () = self.clock.sleep_limit(Duration::from_secs(seconds.into())) => (0, Ending::of(Status::TimedOut)),
            },
        };
        self.end(&run.arn, last, ending);
    }

    /// Ends a running execution; an execution that has ended stays as it is.
    fn end(&self, arn: &str, last: u64, ending: Ending) {
        let execution = {
            let mut book = self.book();
            let now = self.clock.now();
            let Some(execution) = book.executions.by_arn.get_mut(arn).filter(|execution| execution.is_running()) else {
                return;
            };
            let (kind, details) = ending.event();
            execution.status = ending.status;
            execution.stop = Some(now);
            execution.output = ending.output;
            execution.error = ending.error;
            execution.cause = ending.cause;
            let execution = execution.clone();
            if let Some(history) = book.histories.get(arn) {
                history.end(now, last, kind, details);
                book.closed.push_back(arn.to_owned());
            }
            if book.closed.len() > CLOSED_HISTORIES
                && let Some(oldest) = book.closed.pop_front()
            {
                book.histories.remove(&oldest);
            }
            if let Some(task) = book.running.remove(arn) {
                task.abort();
            }
            self.keep(&mut book);
            execution
        };
        self.notify(&execution);
        self.running.send_modify(|running| *running -= 1);
    }
}

fn ended((last, result): (u64, Result<Value, StateError>)) -> (u64, Ending) {
    match result {
        Ok(output) => (last, Ending { output: Some(output.to_string()), ..Ending::of(Status::Succeeded) }),
        Err(failure) => (last, Ending::failed(failure)),
    }
}

impl Ending {
    fn of(status: Status) -> Self {
        Self { status, output: None, error: None, cause: None }
    }

    fn failed(failure: StateError) -> Self {
        Self { error: Some(failure.error), cause: failure.cause, ..Self::of(Status::Failed) }
    }

    fn event(&self) -> (&'static str, Details) {
        let error = || error_details(self.error.as_deref(), self.cause.as_deref());
        match self.status {
            Status::Running | Status::Succeeded => {
                let details = json!({"output": self.output, "outputDetails": {"truncated": false}});
                ("ExecutionSucceeded", Some(("executionSucceededEventDetails", details)))
            }
            Status::Failed => ("ExecutionFailed", Some(("executionFailedEventDetails", error()))),
            Status::Aborted => ("ExecutionAborted", Some(("executionAbortedEventDetails", error()))),
            Status::TimedOut => {
                ("ExecutionTimedOut", Some(("executionTimedOutEventDetails", json!({"error": TIMEOUT}))))
            }
        }
    }
}

/// A generator that depends only on the seed and the name, not on what else runs.
fn chance(seed: u64, name: &str) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(
        name.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
    )
}
