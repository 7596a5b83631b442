//! Stale calls: a call of the worker that begins when its operation has ended or been superseded. It may neither act in
//! AWS nor write the record, whatever it would do for the current operation.

use berth_domain::operation::{Identity, Outcome};
use berth_domain::{Environment, Step};
use http::Method;
use serde_json::Value;
use tests::{Moment, World, provision_steps, removal_steps};

/// The record of environment `id` of team `demo`.
async fn record(world: &World, id: &str) -> Environment {
    let mut records = world.records().await;
    records.remove(id).expect("a record")
}

/// What is wrong after calls for `steps` of the operation `identity`, which must all answer `outcome`: they may only read
/// and write the table, and the record must stay as it is.
async fn touched(
    world: &World,
    identity: &Identity,
    steps: impl Iterator<Item = Step>,
    outcome: &Outcome,
) -> Vec<String> {
    let before = record(world, &identity.environment.to_string()).await;
    let inventory = world.inventory().await;
    let mut wrong = Vec::new();
    for step in steps {
        world.faults().record();
        let answer = world.call_worker(step, identity).await;
        if answer != *outcome {
            wrong.push(format!("{step} answers {answer:?}"));
        }
        let calls = world.faults().journal().into_iter().map(|(operation, _)| operation);
        wrong.extend(calls.filter(|call| !call.starts_with("dynamodb:")).map(|call| format!("{step} calls {call}")));
    }
    let after = record(world, &identity.environment.to_string()).await;
    if after != before {
        wrong.push(format!("the record was {before:#?}, and is {after:#?}"));
    }
    let left = world.inventory().await;
    if left != inventory {
        wrong.push(format!("there was {inventory}, and is {left}"));
    }
    wrong
}

#[tokio::test(start_paused = true)]
async fn an_undo_of_an_old_operation_removes_nothing_while_the_environment_is_deleting_under_another() {
    let world = World::new().await;
    let id = world.create("stale", "hello").await;
    world.settled(&id).await;
    let old = record(&world, &id).await.identity();
    let held = world.hold_call("Begin", 1, Moment::Before);
    world.delete(&id).await;
    assert!(held.reached().await);
    assert_ne!(record(&world, &id).await.identity(), old, "the delete is another operation");
    let wrong = touched(&world, &old, removal_steps(), &Outcome::Ended).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    held.let_go();
    assert_eq!(world.settled(&id).await["status"], "deleted");
    assert_eq!(world.check(None).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_undo_removes_nothing_of_an_environment_that_its_own_operation_made_ready() {
    let world = World::new().await;
    let id = world.create("stale", "hello").await;
    world.settled(&id).await;
    let own = record(&world, &id).await.identity();
    let wrong = touched(&world, &own, removal_steps(), &Outcome::Ended).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.get(&id).await["status"], "ready");
    assert_eq!(world.check(None).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_undo_removes_nothing_when_its_own_operation_has_ended_with_something_left() {
    let world = World::new().await;
    let id = world.create("stale", "hello").await;
    world.settled(&id).await;
    world.deny("apigateway:DeleteRestApi");
    world.delete(&id).await;
    assert_eq!(world.settled(&id).await["status"], "cleanup_failed");
    let own = record(&world, &id).await.identity();
    let wrong = touched(&world, &own, removal_steps(), &Outcome::Ended).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.deleted_with_nothing_left(&id).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_step_of_an_old_operation_creates_nothing_while_another_operation_provisions() {
    let world = World::new().await;
    world.deny("apigateway:CreateRestApi");
    let id = world.create("stale", "hello").await;
    assert_eq!(world.settled(&id).await["status"], "failed");
    let old = record(&world, &id).await.identity();
    let held = world.hold_call("EnsureLoadBalancer", 1, Moment::Before);
    let path = format!("/environments/{id}/retry");
    world.call("demo", Method::POST, &path, &Value::Null).await.expect(202);
    assert!(held.reached().await);
    let wrong = touched(&world, &old, provision_steps(), &Outcome::Stop).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    held.let_go();
    assert_eq!(world.settled(&id).await["status"], "ready");
    assert_eq!(world.check(None).await, Vec::<String>::new());
}
