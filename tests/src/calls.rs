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

/// A step is at work for this long before [`Moment::During`] has come.
const INTO_THE_CALL: Duration = Duration::from_millis(60);

/// One call of the worker.
#[derive(Clone, Debug)]
pub struct Call {
    /// The step it is for.
    pub step: String,
    /// The how manieth call of that step it is, counted from 1 since something was put in between.
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

/// Says when a moment has come, and holds the call there until it is opened; a call is not held in its midst.
pub struct Gate {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
    clock: berth_domain::Clock,
}

impl Gate {
    /// Waits for the moment; false when it does not come.
    pub async fn reached(&self) -> bool {
        tokio::select! {
            biased;
            () = self.reached.notified() => true,
            () = self.clock.sleep(PATIENCE) => false,
        }
    }

    /// Lets the call go on.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

/// The calls that were made, in order.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<(String, u64)>>>);

impl Journal {
    /// Each call so far: its step, and the how manieth of that step it is.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, u64)> {
        self.0.lock().expect("no test panics in here").clone()
    }

    /// The moments of these calls that differ for whoever comes in between: around the first call of each step, and
    /// around its last, if it was called more than once. The calls between those are alike: the step waits.
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
    /// From now on every call of the worker goes through `around`, which is given the worker. What was put in between
    /// earlier is there no more.
    pub fn around_calls(&self, around: impl Fn(Call, Invoke) -> FunctionReply + Send + Sync + 'static) {
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
        let reply = (self.worker)(Invocation { function: "worker".to_owned(), payload }).await;
        serde_json::from_value(reply.expect("an outcome")).expect("an outcome")
    }

    /// From now on nothing is between Step Functions and the worker.
    pub fn nothing_around_calls(&self) {
        self.system.states.serve(Arc::clone(&self.worker));
    }

    /// Notes every call from now on.
    #[must_use]
    pub fn journal_of_calls(&self) -> Journal {
        let journal = Journal::default();
        let kept = journal.clone();
        self.around_calls(move |call, worker| {
            kept.0.lock().expect("no test panics in here").push((call.step, call.nth));
            worker(call.invocation)
        });
        journal
    }

    /// A gate at one moment of the `nth` call of `step` from now on.
    #[must_use]
    pub fn gate(&self, step: &str, nth: u64, moment: Moment) -> Gate {
        let (reached, opened) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let gate =
            Gate { reached: Arc::clone(&reached), opened: Arc::clone(&opened), clock: self.system.clock.clone() };
        let (step, clock) = (step.to_owned(), self.system.clock.clone());
        self.around_calls(move |call, worker| {
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
                        let tell = async {
                            clock.sleep(INTO_THE_CALL).await;
                            reached.notify_one();
                        };
                        tokio::join!(worker(call.invocation), tell).0
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
        gate
    }

    /// From now on every call is made a second time as soon as the first has ended, and the `second` answer, or else the
    /// first, is what Step Functions gets.
    pub fn every_call_twice(&self, second: bool) {
        self.around_calls(move |call, worker| {
            Box::pin(async move {
                let first = worker(call.invocation.clone()).await;
                let again = worker(call.invocation).await;
                if second { again } else { first }
            })
        });
    }

    /// From now on every call is made twice at the same time.
    pub fn every_call_doubled(&self) {
        self.around_calls(|call, worker| {
            Box::pin(async move {
                let (first, second) = tokio::join!(worker(call.invocation.clone()), worker(call.invocation));
                // One of the two may have been sent away by the other; it is tried again, as Step Functions would.
                if first.is_ok() { first } else { second }
            })
        });
    }

    /// From now on `step` is never done: whenever it is called it says to wait, and the worker is not asked.
    pub fn never_done(&self, step: &str) {
        let step = step.to_owned();
        self.around_calls(move |call, worker| {
            if call.step != step {
                return worker(call.invocation);
            }
            Box::pin(async { Ok::<Value, FunctionError>(json!({"outcome": "wait", "seconds": 1800})) })
        });
    }

    /// From now on the first `times` calls of `step` fail in a way that may pass: before the worker has done anything, or
    /// after.
    pub fn fails(&self, step: &str, times: u64, after: bool) {
        let step = step.to_owned();
        self.around_calls(move |call, worker| {
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
