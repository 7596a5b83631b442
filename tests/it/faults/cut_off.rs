//! Executions that are aborted at every state, and executions that run into the machine's time limit.

use std::time::Duration;

use tests::faults::{Story, ended};
use tests::{Journal, Moment, Observer, World};

/// The calls of the worker in a story that nothing disturbs.
async fn journal(story: Story) -> Journal {
    let (world, id) = story.world().await;
    let journal = world.journal_of_calls();
    let id = story.begin(&world, id).await;
    assert_eq!(world.settled(&id).await["status"], story.end());
    journal
}

/// The operation whose execution was cut off is taken up by the user's `DELETE`.
async fn taken_up_by_a_delete(world: &World, observer: &Observer, id: &str) -> Vec<String> {
    world.delete(id).await;
    let environment = world.settled(id).await;
    let mut wrong: Vec<String> = ended(&environment, &["deleted"]).into_iter().collect();
    let inventory = world.inventory().await;
    if !inventory.is_empty() {
        wrong.push(format!("there is still {inventory}"));
    }
    wrong.extend(world.check(Some(observer)).await);
    wrong
}

async fn aborted_at_every_state(story: Story) {
    let mut wrong = Vec::new();
    for (step, nth, moment) in journal(story).await.moments() {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(15));
        let gate = world.gate(&step, nth, moment);
        let id = story.begin(&world, id).await;
        let reached = gate.reached().await;
        world.abort_executions().await;
        // The call itself goes on: a Lambda does not end with the execution that invoked it.
        gate.open();
        let mut here = taken_up_by_a_delete(&world, &observer, &id).await;
        if !reached {
            here.push("was not reached".to_owned());
        }
        wrong.extend(here.into_iter().map(|what| format!("{moment:?} {step} call {nth}: {what}")));
    }
    assert!(wrong.is_empty(), "{story:?}:\n{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_aborted_at_any_state_is_taken_up_by_a_delete_and_leaves_nothing() {
    aborted_at_every_state(Story::Provision).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_aborted_at_any_state_is_taken_up_by_a_delete_and_leaves_nothing() {
    aborted_at_every_state(Story::Failure).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_aborted_at_any_state_is_taken_up_by_the_next_one() {
    aborted_at_every_state(Story::Delete).await;
}

/// Each step in turn is never done until the machine's time limit ends the execution.
async fn timed_out_at_every_step(story: Story) {
    let mut wrong = Vec::new();
    let mut steps: Vec<String> = journal(story).await.calls().into_iter().map(|(step, _)| step).collect();
    steps.sort();
    steps.dedup();
    // The steps that only touch the record never ask to wait.
    steps.retain(|step| step.starts_with("Ensure") || step.starts_with("Undo"));
    for step in steps {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(600));
        world.never_done(&step);
        let id = story.begin(&world, id).await;
        world.system.states.wait_until_idle().await;
        world.nothing_around_calls();
        let mut here = taken_up_by_a_delete(&world, &observer, &id).await;
        here.retain(|what| !what.is_empty());
        wrong.extend(here.into_iter().map(|what| format!("{step}: {what}")));
    }
    assert!(wrong.is_empty(), "{story:?}:\n{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_that_times_out_at_any_step_is_taken_up_by_a_delete_and_leaves_nothing() {
    timed_out_at_every_step(Story::Provision).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_times_out_at_any_step_is_taken_up_by_the_next_one() {
    timed_out_at_every_step(Story::Delete).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_held_before_it_begins_until_its_execution_is_taken_up_creates_nothing_afterwards() {
    // What an asynchronous network may do at its worst: the call arrives when another execution has long taken over.
    let (world, id) = Story::Provision.world().await;
    let observer = Observer::watch(&world, &["demo"], Duration::from_secs(5));
    let gate = world.gate("EnsureVpcLink", 1, Moment::Before);
    let id = Story::Provision.begin(&world, id).await;
    assert!(gate.reached().await);
    world.abort_executions().await;
    world.delete(&id).await;
    let environment = world.settled(&id).await;
    gate.open();
    world.system.clock.sleep(Duration::from_secs(300)).await;
    let mut wrong: Vec<String> = ended(&environment, &["deleted"]).into_iter().collect();
    wrong.extend(world.check(Some(&observer)).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
