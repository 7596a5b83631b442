//! Executions that are aborted at every state, and executions that run into the machine's time limit: the janitor takes
//! the operation up, and it ends as if nothing had been.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_domain::Step;
use berth_local::lambda_functions::WORKER_TIMEOUT;
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

/// What is wrong with how the story ends.
async fn ends_as_ever(story: Story, world: &World, observer: &Observer, id: &str) -> Vec<String> {
    let environment = world.settled(id).await;
    let mut wrong: Vec<String> = ended(&environment, &[story.end()]).into_iter().collect();
    wrong.extend(world.check(Some(observer)).await);
    wrong
}

async fn aborted_at_every_state(story: Story, which: impl Fn(Moment) -> bool) {
    let mut wrong = Vec::new();
    for (step, nth, moment) in journal(story).await.moments().into_iter().filter(|(_, _, moment)| which(*moment)) {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(60));
        let held = world.hold_call(&step, nth, moment);
        let id = story.begin(&world, id).await;
        let reached = held.reached().await;
        world.abort_executions().await;
        // The call itself goes on: a Lambda does not end with the execution that invoked it.
        held.let_go();
        let mut violations = ends_as_ever(story, &world, &observer, &id).await;
        if !reached {
            violations.push("was not reached".to_owned());
        }
        wrong.extend(violations.into_iter().map(|what| format!("{moment:?} {step} call {nth}: {what}")));
    }
    assert!(wrong.is_empty(), "{story:?}:\n{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_aborted_at_any_state_is_recovered_and_ends_ready() {
    aborted_at_every_state(Story::Provision, |_| true).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_aborted_at_any_state_is_recovered_and_ends_failed() {
    aborted_at_every_state(Story::Failure, |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_provisioning_aborted_at_any_state_is_recovered_and_ends_ready() {
    aborted_at_every_state(Story::Retry, |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn a_retried_removal_aborted_at_any_state_is_recovered_and_ends_deleted() {
    aborted_at_every_state(Story::Cleanup, |moment| moment == Moment::During).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_aborted_at_any_state_is_recovered_and_ends_deleted() {
    aborted_at_every_state(Story::Delete, |_| true).await;
}

/// Each step in turn answers that it has to wait, until the machine's time limit ends the execution.
async fn timed_out_at_every_step(story: Story) {
    let mut wrong = Vec::new();
    let mut steps: Vec<String> = journal(story).await.calls().into_iter().map(|(step, _)| step).collect();
    steps.sort();
    steps.dedup();
    // The steps that only touch the record never ask to wait.
    steps.retain(|step| step.starts_with("Ensure") || step.starts_with("Undo"));
    for step in steps {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(3600));
        world.make_step_wait(&step);
        let id = story.begin(&world, id).await;
        world.system.states.wait_until_idle().await;
        world.stop_wrapping_calls();
        let violations = ends_as_ever(story, &world, &observer, &id).await;
        wrong.extend(violations.into_iter().map(|what| format!("{step}: {what}")));
    }
    assert!(wrong.is_empty(), "{story:?}:\n{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_provisioning_that_times_out_at_any_step_is_recovered_and_ends_ready() {
    timed_out_at_every_step(Story::Provision).await;
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_times_out_at_any_step_is_recovered_and_ends_deleted() {
    timed_out_at_every_step(Story::Delete).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_begins_when_its_operation_has_long_been_unwound_creates_nothing() {
    let (world, id) = Story::Provision.world().await;
    let observer = Observer::watch(&world, &["demo"], Duration::from_secs(5));
    let held = world.hold_call("EnsureVpcLink", 1, Moment::Before);
    let id = Story::Provision.begin(&world, id).await;
    assert!(held.reached().await);
    world.abort_executions().await;
    world.delete(&id).await;
    let environment = world.settled(&id).await;
    held.let_go();
    world.system.clock.sleep(Duration::from_secs(300)).await;
    let mut wrong: Vec<String> = ended(&environment, &["deleted"]).into_iter().collect();
    wrong.extend(world.check(Some(&observer)).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_recovered_operation_touches_nothing_while_a_call_of_its_old_execution_may_be_running() {
    let (world, id) = Story::Provision.world().await;
    let calls: Arc<Mutex<Vec<(String, String, jiff::Timestamp)>>> = Arc::default();
    let (kept, clock) = (Arc::clone(&calls), world.system.clock.clone());
    world.wrap_calls(move |call, worker| {
        let operation = call.invocation.payload["identity"]["operation"].to_string();
        kept.lock().expect("no test panics in here").push((call.step, operation, clock.now()));
        worker(call.invocation)
    });
    let id = Story::Provision.begin(&world, id).await;
    world.system.clock.sleep(Duration::from_secs(20)).await;
    let old = calls.lock().expect("no test panics in here").last().expect("a call").1.clone();
    let aborted = world.system.clock.now();
    world.abort_executions().await;
    assert_eq!(world.settled(&id).await["status"], "ready");
    let calls = calls.lock().expect("no test panics in here");
    let first = calls.iter().find(|(step, operation, _)| *operation != old && step != "Begin").expect("it is taken up");
    assert!(first.2.duration_since(aborted).unsigned_abs() >= WORKER_TIMEOUT, "aborted at {aborted}, then {first:?}");
}

#[tokio::test(start_paused = true)]
async fn a_begin_that_is_repeated_because_its_reply_was_lost_does_not_set_progress_back() {
    let (world, id) = Story::Provision.world().await;
    let observer = Observer::watch(&world, &["demo"], Duration::from_secs(10));
    let id = Story::Provision.begin(&world, id).await;
    // The link is coming up, and will still be when the next call is made.
    world.system.clock.sleep(Duration::from_secs(200)).await;
    // The first call has to wait until no call of the old execution can be running.
    let held = world.hold_call("Begin", 2, Moment::After);
    world.abort_executions().await;
    assert!(held.reached().await);
    // To just before the state machine waits for an answer no longer, and past the next call.
    world.system.clock.sleep(Duration::from_secs(70)).await;
    let before = world.get(&id).await["progress"].as_u64();
    world.system.clock.sleep(Duration::from_secs(30)).await;
    let after = world.get(&id).await["progress"].as_u64();
    assert!(after >= before, "{before:?} %, then {after:?} %");
    held.let_go();
    let violations = ends_as_ever(Story::Provision, &world, &observer, &id).await;
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_has_ended_is_not_unwound_when_the_reply_about_its_end_was_lost() {
    let mut wrong = Vec::new();
    for (story, last) in [(Story::Provision, Step::MarkReady), (Story::Delete, Step::MarkGone)] {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(60));
        world.fail_step(last.as_str(), u64::MAX, true);
        let id = story.begin(&world, id).await;
        world.system.states.wait_until_idle().await;
        world.stop_wrapping_calls();
        let violations = ends_as_ever(story, &world, &observer, &id).await;
        wrong.extend(violations.into_iter().map(|what| format!("{last}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
