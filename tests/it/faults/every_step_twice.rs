//! Every call of the worker is made twice: one after the other, whichever answer counts, and both at once.

use std::time::Duration;

use tests::faults::{Story, ended};
use tests::{Observer, World};

/// Tells each story in a world that `prepare` has changed; every one must end as if nothing had been changed.
async fn ends_as_ever(prepare: impl Fn(&World)) {
    let mut wrong = Vec::new();
    for story in [Story::Provision, Story::Failure, Story::Retry, Story::Delete, Story::Cleanup] {
        let (world, id) = story.world().await;
        let observer = Observer::watch(&world, &["demo"], Duration::from_secs(1));
        prepare(&world);
        let id = story.begin(&world, id).await;
        let environment = world.settled(&id).await;
        let mut violations: Vec<String> = ended(&environment, &[story.end()]).into_iter().collect();
        violations.extend(world.check(Some(&observer)).await);
        violations.extend(world.deleted_with_nothing_left(&id).await);
        wrong.extend(violations.into_iter().map(|what| format!("{story:?}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn every_step_made_again_right_after_it_ended_changes_nothing() {
    ends_as_ever(|world| world.repeat_every_call(false)).await;
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_step_made_again_is_as_good_as_the_first() {
    ends_as_ever(|world| world.repeat_every_call(true)).await;
}

#[tokio::test(start_paused = true)]
async fn every_step_made_twice_at_the_same_time_makes_one_of_each() {
    ends_as_ever(World::double_every_call).await;
}
