//! Requests that arrive at every state: before, during and after the first call of each step, and after its last. The calls
//! between those are alike: the step waits. What is asked for at one moment of each step only, and what arrives in which
//! story, stands at each test; `random_histories` draws the rest.

use std::time::Duration;

use berth_domain::Environment;
use berth_janitor::{JanitorCall, ScheduledTask};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::faults::{Story, ended};
use tests::{Moment, Observer, Reply, World, edit_record};

/// What arrives.
#[derive(Clone, Copy, Debug)]
enum Arrival {
    Delete,
    TwoDeletes,
    Retry,
    Extend,
    Expiry,
}

impl Arrival {
    /// What is wrong with the answer.
    async fn arrives(self, world: &World, id: &str) -> Option<String> {
        let path = format!("/environments/{id}");
        let (reply, allowed): (Reply, &[u16]) = match self {
            Self::Delete => (world.call("demo", Method::DELETE, &path, &Value::Null).await, &[202]),
            Self::TwoDeletes => {
                world.call("demo", Method::DELETE, &path, &Value::Null).await.expect(202);
                (world.call("demo", Method::DELETE, &path, &Value::Null).await, &[202])
            }
            Self::Retry => {
                (world.call("demo", Method::POST, &format!("{path}/retry"), &Value::Null).await, &[202, 409])
            }
            Self::Extend => {
                lives_until(world, id, Duration::from_secs(7200)).await;
                let body = json!({"ttl": "5h"});
                (world.call("demo", Method::POST, &format!("{path}/extend"), &body).await, &[200, 409])
            }
            Self::Expiry => {
                lives_until(world, id, Duration::ZERO).await;
                let sweep = JanitorCall::Scheduled { task: ScheduledTask::Sweep };
                let swept = berth_janitor::run(&world.system.janitor, sweep).await;
                return swept.err().map(|error| error.cause().to_owned());
            }
        };
        (!allowed.contains(&reply.status)).then(|| format!("it was answered {}", reply.text))
    }
}

/// The lifetime of an environment ends in `left` from now.
async fn lives_until(world: &World, id: &str, left: Duration) {
    let (team, id) = ("demo".parse().expect("a team"), id.parse().expect("an id"));
    let end = world.system.clock.after(left);
    let change = |environment: &mut Environment, _| {
        edit_record(environment, "/expires_at", json!(end));
        Ok(())
    };
    world.system.store.environment_change(&team, &id, change).await.expect("a record");
}

/// The longest time from a delete to the first undo: a wait of 30 s, a call that looks for 25 s, and what calls take.
const STOP: SignedDuration = SignedDuration::from_secs(70);

/// What is wrong with when a provisioning stopped for a delete, by its history: the others must not go on to their end.
fn stopped_late(events: &[Value]) -> Option<String> {
    let at = |event: &Value| event["at"].as_str()?.parse::<Timestamp>().ok();
    let deleting = events.iter().find(|event| event["status"] == "deleting").and_then(at)?;
    let undo = |event: &&Value| event["step"].as_str().is_some_and(|step| step.starts_with("Undo"));
    let took = events.iter().find(undo).and_then(at)?.duration_since(deleting);
    (took > STOP).then(|| format!("the first undo came {took:#} after the delete"))
}

async fn arriving_at_every_state(story: Story, arrival: Arrival, ends: &[&str], which: impl Fn(Moment) -> bool) {
    let (world, id) = story.world().await;
    let journal = world.journal_of_calls();
    let id = story.begin(&world, id).await;
    assert_eq!(world.settled(&id).await["status"], story.end());
    let mut wrong = Vec::new();
    for (step, nth, moment) in journal.moments().into_iter().filter(|(_, _, moment)| which(*moment)) {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(60));
        let held = world.hold_call(&step, nth, moment);
        let id = story.begin(&world, id).await;
        let mut violations = Vec::new();
        if !held.reached().await {
            violations.push("was not reached".to_owned());
        }
        violations.extend(arrival.arrives(&world, &id).await);
        held.let_go();
        let environment = world.settled(&id).await;
        violations.extend(ended(&environment, ends));
        if story == Story::Provision && environment["status"] == "deleted" {
            violations.extend(stopped_late(&world.events("demo", &id).await));
        }
        violations.extend(world.check(Some(&observer)).await);
        let inventory = world.inventory().await;
        if environment["status"] == "deleted" && !inventory.is_empty() {
            violations.push(format!("there is still {inventory}"));
        }
        wrong.extend(violations.into_iter().map(|what| format!("{moment:?} {step} call {nth}: {what}")));
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
async fn a_delete_at_any_state_of_a_retried_provisioning_ends_deleted_with_nothing_left() {
    arriving_at_every_state(Story::Retry, Arrival::Delete, &["deleted"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_at_any_state_of_a_retried_removal_changes_nothing() {
    arriving_at_every_state(Story::Cleanup, Arrival::Delete, &["deleted"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_delete_at_any_state_of_a_delete_changes_nothing() {
    arriving_at_every_state(Story::Delete, Arrival::Delete, &["deleted"], |moment| moment != Moment::Before).await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_at_any_state_of_a_provisioning_changes_nothing() {
    arriving_at_every_state(Story::Provision, Arrival::Retry, &["ready"], |moment| moment == Moment::After).await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_at_any_state_of_a_failure_ends_failed_again() {
    arriving_at_every_state(Story::Failure, Arrival::Retry, &["failed"], |moment| moment == Moment::After).await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_at_any_state_of_a_delete_changes_nothing() {
    arriving_at_every_state(Story::Delete, Arrival::Retry, &["deleted"], |moment| moment == Moment::After).await;
}

#[tokio::test(start_paused = true)]
async fn an_extension_at_any_state_of_a_provisioning_changes_nothing_but_its_end() {
    arriving_at_every_state(Story::Provision, Arrival::Extend, &["ready"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn an_extension_at_any_state_of_a_failure_still_ends_failed() {
    arriving_at_every_state(Story::Failure, Arrival::Extend, &["failed"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn an_extension_at_any_state_of_a_delete_is_refused_and_changes_nothing() {
    arriving_at_every_state(Story::Delete, Arrival::Extend, &["deleted"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn an_expiry_at_any_state_of_a_provisioning_ends_deleted_with_nothing_left() {
    arriving_at_every_state(Story::Provision, Arrival::Expiry, &["deleted"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn an_expiry_at_any_state_of_a_failure_ends_deleted_with_nothing_left() {
    arriving_at_every_state(Story::Failure, Arrival::Expiry, &["deleted"], |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn an_expiry_at_any_state_of_a_delete_changes_nothing() {
    arriving_at_every_state(Story::Delete, Arrival::Expiry, &["deleted"], |moment| moment == Moment::During).await;
}
