//! What runs side by side, too long, for ever, or beyond a restart.

use tests::Stash;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_branch_that_fails_ends_the_others_but_not_their_invocations() {
    let catch = json!({"Catch": [{"ErrorEquals": ["Broken"], "Next": "Caught"}]});
    let bench = Bench::new(&side_by_side(catch));
    assert_eq!(output(&bench.run(json!({})).await), json!("Broken"));
    assert_eq!(bench.seconds(), 10);
    bench.clock.sleep(Duration::from_secs(200)).await;
    assert_eq!(bench.ended.times(), [8, 10, 16, 100]);
    assert!(bench.calls.payloads().iter().all(|payload| payload["name"] != "three"));
    // The same with nothing to catch it.
    let uncaught = json!({"Catch": [{"ErrorEquals": ["Other"], "Next": "Caught"}]});
    let bench = Bench::new(&side_by_side(uncaught));
    let arn = bench.start(&json!({}));
    bench.states.wait_until_idle().await;
    assert_eq!(error(&bench.states.execution(&arn).unwrap()).0, "Broken");
    let history = bench.history(&arn);
    let entries = history.iter().filter(|event| event["type"] == "TaskStateEntered");
    assert_eq!(entries.clone().count(), 4);
    let started = history.iter().find(|event| event["type"] == "ParallelStateStarted").unwrap();
    assert_eq!(entries.filter(|event| event["previousEventId"] == started["id"]).count(), 3);
    assert_eq!(history.last().unwrap()["executionFailedEventDetails"]["error"], "Broken");
}

#[tokio::test(start_paused = true)]
async fn a_parallel_can_be_tried_again_as_a_whole() {
    let retry = json!([{"ErrorEquals": ["Broken"], "IntervalSeconds": 5, "MaxAttempts": 1}]);
    let parallel = json!({"Type": "Parallel", "End": true, "Retry": retry, "Branches": [
        {"StartAt": "A", "States": {"A": with(
            task(json!({"fail": "Broken", "times": 1, "answer": "a"})), json!({"Output": "{% $states.result.Payload %}"})
        )}},
        {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true, "Output": "b"}}},
    ]});
    let bench = Bench::new(&only(parallel));
    assert_eq!(output(&bench.run(json!({})).await), json!(["a", "b"]));
    assert_eq!(bench.calls.times(), [0, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_times_out_leaves_its_invocation_running() {
    let bench = Bench::new(&only(with(task(json!({"sleep": 60})), json!({"TimeoutSeconds": 20}))));
    let failed = bench.run(json!({})).await;
    assert_eq!(error(&failed), ("States.Timeout", ""));
    assert_eq!((bench.seconds(), bench.ended.times()), (20, vec![]));
    bench.clock.sleep(Duration::from_secs(100)).await;
    assert_eq!(bench.ended.times(), [60]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_times_out_or_is_stopped_leaves_invocations_running_and_tells_eventbridge() {
    let mut definition = only(task(json!({"sleep": 60})));
    definition["TimeoutSeconds"] = 30.into();
    let bench = Bench::new(&definition);
    let timed_out = bench.run(json!({})).await;
    assert_eq!((timed_out.status, bench.seconds()), (Status::TimedOut, 30));
    assert_eq!((&timed_out.error, &timed_out.cause, &timed_out.output), (&None, &None, &None));
    let arn = bench.start(&json!({}));
    bench.clock.sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.states.running(), 1);
    let stop = json!({"executionArn": arn, "error": "Enough", "cause": "a person said so"});
    let stopped = bench.states.call("StopExecution", &stop).unwrap();
    assert_eq!(stopped, json!({"stopDate": 35.0}));
    assert_eq!(bench.states.running(), 0);
    assert_eq!(bench.states.call("StopExecution", &stop).unwrap(), stopped);
    let aborted = bench.states.execution(&arn).unwrap();
    assert_eq!((aborted.status, aborted.error.as_deref()), (Status::Aborted, Some("Enough")));
    bench.clock.sleep(Duration::from_secs(200)).await;
    assert_eq!(bench.ended.times(), [60, 90]);
    let changes = bench.changes.lock().unwrap().clone();
    let statuses: Vec<_> = changes.iter().map(|change| change["status"].clone()).collect();
    assert_eq!(statuses, ["RUNNING", "TIMED_OUT", "RUNNING", "ABORTED"]);
    assert_eq!(changes[0]["stopDate"], Value::Null);
    assert_eq!((&changes[3]["stopDate"], &changes[3]["cause"]), (&json!(35000), &json!("a person said so")));
}

#[tokio::test(start_paused = true)]
async fn an_endless_loop_ends_at_the_limit_of_events() {
    let definition = machine(
        json!({
            "Again": {"Type": "Pass", "Next": "Which"},
            "Which": {"Type": "Choice", "Default": "Again", "Choices": [{"Condition": "{% false %}", "Next": "End"}]},
            "End": {"Type": "Succeed"},
        }),
        "Again",
    );
    let bench = Bench::new(&definition);
    let arn = bench.start(&json!({}));
    bench.states.wait_until_idle().await;
    let failed = bench.states.execution(&arn).unwrap();
    assert_eq!(
        error(&failed),
        ("States.Runtime", "The execution reached the maximum number of history events (25000).")
    );
    let newest = json!({"executionArn": arn, "reverseOrder": true, "maxResults": 1});
    let newest = bench.states.call("GetExecutionHistory", &newest).unwrap();
    assert_eq!((&newest["events"][0]["id"], &newest["events"][0]["type"]), (&json!(25000), &json!("ExecutionFailed")));
}

#[tokio::test(start_paused = true)]
async fn executions_that_were_running_begin_again_after_a_restart() {
    let definition = machine(
        json!({
            "First": with(task(json!({"sleep": 10, "step": 1})), json!({"End": null, "Next": "Second"})),
            "Second": task(json!({"sleep": 10, "step": 2})),
        }),
        "First",
    );
    let stash = Stash::default();
    let clock = Clock::following_tokio(Timestamp::UNIX_EPOCH);
    let before = States::new(Options {
        machines: vec![parsed(&definition)],
        keep: Some(stash.keep()),
        ..Options::new(clock.clone())
    });
    before.serve(functions(clock.clone(), Calls::default(), Calls::default()));
    let start = json!({"stateMachineArn": machine_arn("machine"), "name": "one", "input": r#"{"id": 7}"#});
    let started = before.call("StartExecution", &start).unwrap();
    assert_eq!(stash.writes(), 1, "it is stored before it is answered");
    clock.sleep(Duration::from_secs(15)).await;
    let last = Executions::read_rows(&mut stash.rows()).unwrap();

    let bench = Bench::resumed(&definition, Some(last));
    assert_eq!(bench.states.running(), 1);
    assert_eq!(bench.states.call("StartExecution", &start).unwrap(), started, "its name and input are known");
    bench.states.wait_until_idle().await;
    let steps: Vec<_> = bench.calls.payloads().iter().map(|payload| payload["step"].clone()).collect();
    assert_eq!(steps, [1, 2]);
    let execution = bench.states.execution(started["executionArn"].as_str().unwrap()).unwrap();
    assert_eq!((execution.status, execution.input.as_str()), (Status::Succeeded, r#"{"id": 7}"#));
    assert_eq!(stash.writes(), 2, "each end is stored too");
}

#[tokio::test(start_paused = true)]
async fn a_task_reached_before_the_functions_are_there_waits_for_them() {
    let clock = Clock::following_tokio(Timestamp::UNIX_EPOCH);
    let machines = vec![parsed(&only(with(task(json!({"answer": 1})), json!({"TimeoutSeconds": 5}))))];
    let states = States::new(Options { machines, ..Options::new(clock.clone()) });
    states.call("StartExecution", &json!({"stateMachineArn": machine_arn("machine")})).unwrap();
    clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(states.running(), 1);
    let calls = Calls::default();
    states.serve(functions(clock.clone(), calls.clone(), Calls::default()));
    states.wait_until_idle().await;
    assert_eq!(calls.payloads().len(), 1);
}
