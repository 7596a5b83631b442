//! EventBridge, as far as Berth uses it: a rule that calls the janitor when an execution has ended. Delivery is best
//! effort, as AWS's is (docs/aws.md#status-events): an event may be lost, come twice, and overtake another.

use std::sync::Arc;
use std::time::Duration;

use berth_app::App;
use berth_domain::Clock;
use berth_janitor::{ExecutionStatus, JanitorCall};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;

use super::embedded::call_janitor;
use crate::step_functions::{ExecutionChange, OnChange};

/// How events arrive.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// The share of events that is lost, 0 to 1.
    pub lost: f64,
    /// The share of events that comes twice, 0 to 1.
    pub twice: f64,
    /// The longest time an event is on its way, in AWS time.
    pub longest: Duration,
}

impl Default for Delivery {
    /// Every event comes once, within a second.
    fn default() -> Self {
        Self { lost: 0.0, twice: 0.0, longest: Duration::from_secs(1) }
    }
}

/// Events on their way.
pub(crate) struct Events(mpsc::UnboundedReceiver<ExecutionChange>);

/// The two ends of the rule: what Step Functions tells, and what [`Events::deliver`] hands on.
pub(crate) fn rule() -> (OnChange, Events) {
    let (sender, receiver) = mpsc::unbounded_channel();
    // Nobody listens any more only when the system is going down.
    let tell = move |change: &ExecutionChange| drop(sender.send(change.clone()));
    (Arc::new(tell), Events(receiver))
}

impl Events {
    /// Hands events on to the janitor until the system goes down.
    pub(crate) async fn deliver(mut self, janitor: App, clock: Clock, delivery: Delivery, seed: u64) {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        while let Some(change) = self.0.recv().await {
            let copies = if chance.random_bool(delivery.lost.clamp(0.0, 1.0)) {
                0
            } else if chance.random_bool(delivery.twice.clamp(0.0, 1.0)) {
                2
            } else {
                1
            };
            for _ in 0..copies {
                let late = delivery.longest.mul_f64(chance.random::<f64>());
                let call = JanitorCall::Event {
                    detail: ExecutionStatus { status: change.status.as_str().to_owned(), input: change.input.clone() },
                };
                let (janitor, clock) = (janitor.clone(), clock.clone());
                tokio::spawn(async move {
                    clock.sleep(late).await;
                    call_janitor(&janitor, call).await;
                });
            }
        }
    }
}
