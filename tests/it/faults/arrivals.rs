//! Requests that arrive at every state: around the first call of each step (not begun, at work, answered) and around its
//! last. The calls between those are alike: the step waits.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use tests::faults::{Story, ended};
use tests::{Moment, Observer, World};

/// What arrives.
#[derive(Clone, Copy, Debug)]
enum Arrival {
    Delete,
    TwoDeletes,
}

impl Arrival {
    async fn arrives(self, world: &World, id: &str) -> Vec<String> {
        let path = format!("/environments/{id}");
        let mut wrong = Vec::new();
        let times = match self {
            Self::Delete => 1,
            Self::TwoDeletes => 2,
        };
        for _ in 0..times {
            let reply = world.call("demo", Method::DELETE, &path, &Value::Null).await;
            if reply.status != 202 {
                wrong.push(format!("DELETE was answered {}", reply.text));
            }
        }
        wrong
    }
}

async fn arriving_at_every_state(story: Story, arrival: Arrival, ends: &[&str], which: impl Fn(Moment) -> bool) {
    let (world, id) = story.world().await;
    let journal = world.journal_of_calls();
    let id = story.begin(&world, id).await;
    assert_eq!(world.settled(&id).await["status"], story.end());
    let mut wrong = Vec::new();
    for (step, nth, moment) in journal.moments().into_iter().filter(|(_, _, moment)| which(*moment)) {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(15));
        let gate = world.gate(&step, nth, moment);
        let id = story.begin(&world, id).await;
        let mut here = Vec::new();
        if !gate.reached().await {
            here.push("was not reached".to_owned());
        }
        here.extend(arrival.arrives(&world, &id).await);
        gate.open();
        let environment = world.settled(&id).await;
        here.extend(ended(&environment, ends));
        here.extend(world.check(Some(&observer)).await);
        let inventory = world.inventory().await;
        if environment["status"] == "deleted" && !inventory.is_empty() {
            here.push(format!("there is still {inventory}"));
        }
        wrong.extend(here.into_iter().map(|what| format!("{moment:?} {step} call {nth}: {what}")));
    }
    assert!(wrong.is_empty(), "{story:?}, {arrival:?}:\n{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_delete_at_any_state_of_a_provisioning_ends_deleted_with_nothing_left() {
    arriving_at_every_state(Story::Provision, Arrival::Delete, &["deleted"], |_| true).await;
}

#[tokio::test(start_paused = true)]
async fn two_deletes_at_any_state_of_a_provisioning_are_as_good_as_one() {
    arriving_at_every_state(Story::Provision, Arrival::TwoDeletes, &["deleted"], |moment| moment == Moment::During)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_at_any_state_of_a_failure_ends_deleted_with_nothing_left() {
    arriving_at_every_state(Story::Failure, Arrival::Delete, &["deleted"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_delete_at_any_state_of_a_delete_changes_nothing() {
    arriving_at_every_state(Story::Delete, Arrival::Delete, &["deleted"], |_| true).await;
}
