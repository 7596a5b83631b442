//! What stands between Step Functions and the worker: every call is counted by its step, and a test may repeat it, hold
//! it, or answer in its place. What happens between the worker and AWS is in [`crate::faults`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_domain::Step;
use berth_domain::operation::{Identity, Outcome, StepInput};
use berth_local::step_functions::{FunctionError, FunctionReply, Invocation, Invoke};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::World;
use crate::world::PATIENCE;

/// The name of the worker's function.
const WORKER: &str = "berth-worker";
/// A step is at work for this long before [`Moment::During`] has come.
const INTO_THE_CALL: Duration = Duration::from_millis(60);

/// One call of the worker.
#[derive(Clone, Debug)]
pub struct Call {
    /// The step it is for.
    pub step: String,
    /// Its number among the calls of that step, counted from 1 since the calls were wrapped.
    pub nth: u64,
    /// What Step Functions sent.
    pub invocation: Invocation,
}

/// A moment of a call of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Step Functions has entered the state; the worker has not begun.
    Before,
    /// The worker is at it.
    During,
    /// The worker has answered; Step Functions does not know yet.
    After,
}

/// A call that is held at a moment until the test lets it go. At [`Moment::During`] it is not held, because it is at work.
pub struct HeldCall {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
    clock: berth_domain::Clock,
}

impl HeldCall {
    /// Waits for the moment; false when it does not come.
    pub async fn reached(&self) -> bool {
        tokio::select! {
            biased;
            () = self.reached.notified() => true,
            () = self.clock.sleep(PATIENCE) => false,
        }
    }

    /// Lets the call go on.
    pub fn let_go(&self) {
        self.opened.notify_one();
    }
}

/// The calls that were made, in order.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<(String, u64)>>>);

impl Journal {
    /// Each call so far: its step, and its number among the calls of that step.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, u64)> {
        self.0.lock().expect("no test panics in here").clone()
    }

    /// The moments of these calls at which another request can meet a different state: around the first call of each step,
    /// and around its last, if it was called more than once. The calls between those are alike: the step waits.
    #[must_use]
    pub fn moments(&self) -> Vec<(String, u64, Moment)> {
        let mut calls: BTreeMap<String, u64> = BTreeMap::new();
        let mut order = Vec::new();
        for (step, nth) in self.calls() {
            if nth == 1 {
                order.push(step.clone());
            }
            calls.insert(step, nth);
        }
        let mut moments = Vec::new();
        for step in order {
            for moment in [Moment::Before, Moment::During, Moment::After] {
                moments.push((step.clone(), 1, moment));
            }
            let last = calls[&step];
            if last > 1 {
                moments.push((step.clone(), last, Moment::Before));
                moments.push((step.clone(), last, Moment::After));
            }
        }
        moments
    }
}

impl World {
    /// From now on every call of the worker goes through `around`, which is given the worker. It replaces an earlier one.
    pub fn wrap_calls(&self, around: impl Fn(Call, Invoke) -> FunctionReply + Send + Sync + 'static) {
        let worker = Arc::clone(&self.worker);
        let counts: Mutex<BTreeMap<String, u64>> = Mutex::default();
        self.system.states.serve(Arc::new(move |invocation: Invocation| {
            let step = invocation.payload["step"].as_str().unwrap_or_default().to_owned();
            let nth = {
                let mut counts = counts.lock().expect("no test panics in here");
                let count = counts.entry(step.clone()).or_default();
                *count += 1;
                *count
            };
            around(Call { step, nth, invocation }, Arc::clone(&worker))
        }));
    }

    /// Calls the worker for `step` of the operation `identity`, as a late call of an execution would.
    pub async fn call_worker(&self, step: Step, identity: &Identity) -> Outcome {
        let input = StepInput { step, identity: identity.clone(), caught: None };
        let payload = serde_json::to_value(input).expect("a payload");
        let reply = (self.worker)(Invocation { function: WORKER.to_owned(), payload }).await;
        serde_json::from_value(reply.expect("an outcome")).expect("an outcome")
    }

    /// From now on Step Functions calls the worker itself.
    pub fn stop_wrapping_calls(&self) {
        self.system.states.serve(Arc::clone(&self.worker));
    }

    /// Notes every call from now on.
    #[must_use]
    pub fn journal_of_calls(&self) -> Journal {
        let journal = Journal::default();
        let kept = journal.clone();
        self.wrap_calls(move |call, worker| {
            kept.0.lock().expect("no test panics in here").push((call.step, call.nth));
            worker(call.invocation)
        });
        journal
    }

    /// Holds the `nth` call of `step` from now on at `moment`.
    #[must_use]
    pub fn hold_call(&self, step: &str, nth: u64, moment: Moment) -> HeldCall {
        let (reached, opened) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let held =
            HeldCall { reached: Arc::clone(&reached), opened: Arc::clone(&opened), clock: self.system.clock.clone() };
        let (step, clock) = (step.to_owned(), self.system.clock.clone());
        self.wrap_calls(move |call, worker| {
            if call.step != step || call.nth != nth {
                return worker(call.invocation);
            }
            let (reached, opened, clock) = (Arc::clone(&reached), Arc::clone(&opened), clock.clone());
            Box::pin(async move {
                match moment {
                    Moment::Before => {
                        reached.notify_one();
                        opened.notified().await;
                        worker(call.invocation).await
                    }
                    Moment::During => {
                        let notify = async {
                            clock.sleep(INTO_THE_CALL).await;
                            reached.notify_one();
                        };
                        tokio::join!(worker(call.invocation), notify).0
                    }
                    Moment::After => {
                        let answer = worker(call.invocation).await;
                        reached.notify_one();
                        opened.notified().await;
                        answer
                    }
                }
            })
        });
        held
    }

    /// From now on every call is repeated as soon as the first has ended. Step Functions gets the second answer when
    /// `second`, else the first.
    pub fn repeat_every_call(&self, second: bool) {
        self.wrap_calls(move |call, worker| {
            Box::pin(async move {
                let first = worker(call.invocation.clone()).await;
                let again = worker(call.invocation).await;
                if second { again } else { first }
            })
        });
    }

    /// From now on every call is made twice at the same time.
    pub fn double_every_call(&self) {
        self.wrap_calls(|call, worker| {
            Box::pin(async move {
                let (first, second) = tokio::join!(worker(call.invocation.clone()), worker(call.invocation));
                // One of the two may have been refused because of the other. Step Functions would retry it.
                if first.is_ok() { first } else { second }
            })
        });
    }

    /// From now on every call of `step` answers that it has to wait, and the worker is not called.
    pub fn make_step_wait(&self, step: &str) {
        let step = step.to_owned();
        self.wrap_calls(move |call, worker| {
            if call.step != step {
                return worker(call.invocation);
            }
            Box::pin(async { Ok::<Value, FunctionError>(json!({"outcome": "wait", "seconds": 1800})) })
        });
    }

    /// From now on the first `times` calls of `step` fail with a retryable error: before the worker has been called, or after.
    pub fn fail_step(&self, step: &str, times: u64, after: bool) {
        let step = step.to_owned();
        self.wrap_calls(move |call, worker| {
            if call.step != step || call.nth > times {
                return worker(call.invocation);
            }
            Box::pin(async move {
                if after {
                    drop(worker(call.invocation).await);
                }
                let message = json!({"code": "aws_unavailable", "message": "played by a test"}).to_string();
                Err(FunctionError { error_type: "Retryable".to_owned(), message })
            })
        });
    }
}
