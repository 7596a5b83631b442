//! The part of EventBridge that Berth uses: a rule that calls the janitor when an execution has ended. Delivery is best
//! effort, as in AWS (docs/aws.md#status-events): an event may be lost, delivered twice, or overtake another.

use std::sync::Arc;
use std::time::Duration;

use berth_app::App;
use berth_domain::Clock;
use berth_janitor::{ExecutionStatus, JanitorCall};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;

use super::lambda_functions::{Concurrency, call_janitor};
use crate::step_functions::{ExecutionChange, OnChange};

/// How events are delivered.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// The share of lost events, 0 to 1.
    pub lost: f64,
    /// The share of events that are delivered twice, 0 to 1.
    pub twice: f64,
    /// The longest delay of an event, in AWS time.
    pub longest: Duration,
}

impl Default for Delivery {
    /// Every event is delivered once, within a second.
    fn default() -> Self {
        Self { lost: 0.0, twice: 0.0, longest: Duration::from_secs(1) }
    }
}

/// Events that are not delivered yet.
pub(crate) struct Events(mpsc::UnboundedReceiver<ExecutionChange>);

/// The two ends of the rule: Step Functions calls the first, [`Events::deliver`] drains the second.
pub(crate) fn rule() -> (OnChange, Events) {
    let (sender, receiver) = mpsc::unbounded_channel();
    // Sending fails only when the receiver is dropped, at the end of the system.
    let tell = move |change: &ExecutionChange| drop(sender.send(change.clone()));
    (Arc::new(tell), Events(receiver))
}

impl Events {
    /// Delivers events to the janitor until the system ends.
    pub(super) async fn deliver(
        mut self,
        janitor: App,
        clock: Clock,
        concurrency: Concurrency,
        delivery: Delivery,
        seed: u64,
    ) {
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
                let (janitor, clock, concurrency) = (janitor.clone(), clock.clone(), concurrency.clone());
                tokio::spawn(async move {
                    clock.sleep(late).await;
                    call_janitor(&janitor, &concurrency, call).await;
                });
            }
        }
    }
}
