//! The interpreter and the Step Functions API follow AWS (aws-facts §4), in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_domain::Clock;
use berth_local::states::asl::Definition;
use berth_local::states::{
    Execution, ExecutionChange, Executions, FunctionError, Invocation, Invoke, Machine, Options, States, Status,
    machine_arn,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Account, AccountOptions};

/// The calls that the functions got: seconds since the start, and the payload.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<(u64, Value)>>>);

impl Calls {
    fn times(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    fn payloads(&self) -> Vec<Value> {
        self.0.lock().unwrap().iter().map(|(_, payload)| payload.clone()).collect()
    }
}

/// A machine in virtual time, with functions that do what the payload says: `{"sleep": seconds, "fail": error,
/// "times": how often, "answer": value}`.
struct Bench {
    states: States,
    clock: Clock,
    calls: Calls,
    ended: Calls,
    changes: Arc<Mutex<Vec<Value>>>,
}

fn machine(states: Value, start_at: &str) -> Value {
    json!({"StartAt": start_at, "QueryLanguage": "JSONata", "States": states})
}

fn parsed(definition: &Value) -> Machine {
    Machine { name: "machine".to_owned(), definition: Definition::parse(&definition.to_string()).unwrap() }
}

fn refusal(definition: &Value) -> String {
    Definition::parse(&definition.to_string()).unwrap_err().to_string()
}

/// A machine of one state.
fn only(state: Value) -> Value {
    machine(json!({"Only": state}), "Only")
}

fn task(payload: Value) -> Value {
    json!({
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
        "Arguments": {"FunctionName": "worker", "Payload": payload},
    })
}

/// `state` with further fields; null takes one away.
fn with(mut state: Value, fields: Value) -> Value {
    for (key, value) in fields.as_object().unwrap() {
        if value.is_null() {
            state.as_object_mut().unwrap().remove(key);
        } else {
            state[key] = value.clone();
        }
    }
    state
}

fn functions(clock: Clock, calls: Calls, ended: Calls) -> Invoke {
    let origin = clock.now();
    Arc::new(move |Invocation { payload, .. }| {
        let (clock, calls, ended) = (clock.clone(), calls.clone(), ended.clone());
        Box::pin(async move {
            let earlier = calls.payloads().iter().filter(|earlier| **earlier == payload).count() as u64;
            calls.0.lock().unwrap().push((clock.since(origin).as_secs(), payload.clone()));
            if let Some(seconds) = payload["sleep"].as_u64() {
                clock.sleep(Duration::from_secs(seconds)).await;
            }
            ended.0.lock().unwrap().push((clock.since(origin).as_secs(), payload.clone()));
            match payload["fail"].as_str() {
                Some(error) if earlier < payload["times"].as_u64().unwrap_or(u64::MAX) => {
                    Err(FunctionError { error_type: error.to_owned(), message: "it did not work".to_owned() })
                }
                _ => Ok(payload["answer"].clone()),
            }
        })
    })
}

impl Bench {
    fn new(definition: &Value) -> Self {
        Self::resumed(definition, None)
    }

    fn resumed(definition: &Value, kept: Option<Executions>) -> Self {
        let clock = Clock::following_tokio(Timestamp::UNIX_EPOCH);
        let changes = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&changes);
        let states = States::new(Options {
            machines: vec![parsed(definition)],
            kept,
            on_change: Some(Arc::new(move |change: &ExecutionChange| {
                told.lock().unwrap().push(serde_json::to_value(change).unwrap());
            })),
            ..Options::new(clock.clone())
        });
        let (calls, ended) = (Calls::default(), Calls::default());
        states.serve(functions(clock.clone(), calls.clone(), ended.clone()));
        Self { states, clock, calls, ended, changes }
    }

    fn start(&self, input: &Value) -> String {
        let call = json!({"stateMachineArn": machine_arn("machine"), "input": input.to_string()});
        self.states.call("StartExecution", &call).unwrap()["executionArn"].as_str().unwrap().to_owned()
    }

    async fn run(&self, input: Value) -> Execution {
        let arn = self.start(&input);
        self.states.wait_until_idle().await;
        self.states.execution(&arn).unwrap()
    }

    fn seconds(&self) -> u64 {
        self.clock.since(Timestamp::UNIX_EPOCH).as_secs()
    }

    fn history(&self, arn: &str) -> Vec<Value> {
        let reply = self.states.call("GetExecutionHistory", &json!({"executionArn": arn, "maxResults": 1000}));
        reply.unwrap()["events"].as_array().unwrap().clone()
    }
}

async fn run(definition: Value, input: Value) -> Execution {
    Bench::new(&definition).run(input).await
}

fn output(execution: &Execution) -> Value {
    assert_eq!(execution.status, Status::Succeeded, "{execution:?}");
    serde_json::from_str(execution.output.as_ref().unwrap()).unwrap()
}

fn error(execution: &Execution) -> (&str, &str) {
    assert_eq!(execution.status, Status::Failed, "{execution:?}");
    (execution.error.as_deref().unwrap(), execution.cause.as_deref().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn pass_fills_in_templates_and_keeps_its_input_without_output() {
    let pass = json!({"Type": "Pass", "End": true});
    assert_eq!(output(&run(only(pass.clone()), json!({"a": [1]})).await), json!({"a": [1]}));
    let shaped = with(
        pass,
        json!({"Output": {
            "sum": "{% $states.input.a + 1 %}", "plain": "a {% b", "nested": [{"name": "{% $states.context.State.Name %}"}],
            "none": "{% null %}", "half": "{% $states.input.a / 2 %}", "when": "{% $now() %}",
            "parsed": "{% $parse('{\"x\":[1]}').x[0] %}", "machine": "{% $states.context.StateMachine.Name %}",
        }}),
    );
    assert_eq!(
        output(&run(only(shaped), json!({"a": 1})).await),
        json!({
            "sum": 2, "plain": "a {% b", "nested": [{"name": "Only"}], "none": null, "half": 0.5,
            "when": "1970-01-01T00:00:00.000Z", "parsed": 1, "machine": "machine",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn task_gives_the_result_of_lambda_invoke_and_choice_takes_the_first_rule_that_holds() {
    let definition = machine(
        json!({
            "Ask": with(task(json!({"answer": "{% $states.input.wanted %}"})), json!({
                "End": null, "Next": "Which", "Assign": {"got": "{% $states.result.Payload %}"},
            })),
            "Which": {"Type": "Choice", "Default": "Other", "Choices": [
                {"Condition": "{% $got = 'no' %}", "Next": "No"},
                {"Condition": "{% $got = 'yes' %}", "Next": "Yes", "Output": {"said": "{% $got %}"}, "Assign": {"got": 1}},
                {"Condition": "{% $absent %}", "Next": "No"},
            ]},
            "Yes": {"Type": "Pass", "End": true, "Output": {"input": "{% $states.input %}", "got": "{% $got %}"}},
            "Other": {"Type": "Succeed"},
            "No": {"Type": "Fail", "Error": "SaidNo", "Cause": "{% 'it said ' & $got %}"},
        }),
        "Ask",
    );
    let yes = run(definition.clone(), json!({"wanted": "yes"})).await;
    assert_eq!(output(&yes), json!({"input": {"said": "yes"}, "got": 1}));
    let no = run(definition.clone(), json!({"wanted": "no"})).await;
    assert_eq!(error(&no), ("SaidNo", "it said no"));
    let other = run(definition.clone(), json!({"wanted": "perhaps"})).await;
    let (name, cause) = error(&other);
    assert_eq!(name, "States.QueryEvaluationError");
    assert!(cause.ends_with("for the field 'Choices[2]/Condition' returned nothing (undefined)."), "{cause}");
    let result = output(&run(only(task(json!({"answer": 7}))), json!({})).await);
    assert_eq!(result, json!({"ExecutedVersion": "$LATEST", "Payload": 7, "StatusCode": 200}));
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_leads_nowhere_fails_the_execution() {
    let definition = machine(
        json!({
            "Which": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.x %}", "Next": "End"}]},
            "End": {"Type": "Succeed", "Output": "{% $states.input.x %}"},
        }),
        "Which",
    );
    assert_eq!(output(&run(definition.clone(), json!({"x": true})).await), json!(true));
    assert_eq!(error(&run(definition.clone(), json!({"x": false})).await).0, "States.Runtime");
    let text = run(definition, json!({"x": "yes"})).await;
    let (name, cause) = error(&text);
    assert_eq!(name, "States.QueryEvaluationError");
    assert!(cause.contains("Expected 'boolean', but was 'string' for value: \"yes\""), "{cause}");
}

#[tokio::test(start_paused = true)]
async fn wait_takes_the_seconds_it_says() {
    let definition = machine(
        json!({
            "Fixed": {"Type": "Wait", "Seconds": 40, "Next": "Asked"},
            "Asked": {"Type": "Wait", "Seconds": "{% $states.input.seconds * 2 %}", "End": true},
        }),
        "Fixed",
    );
    let bench = Bench::new(&definition);
    assert_eq!(output(&bench.run(json!({"seconds": 100})).await), json!({"seconds": 100}));
    assert_eq!(bench.seconds(), 240);
    assert_eq!(error(&bench.run(json!({"seconds": -1})).await).0, "States.QueryEvaluationError");
    assert_eq!(error(&bench.run(json!({"seconds": 0.25})).await).0, "States.QueryEvaluationError");
}

#[tokio::test(start_paused = true)]
async fn assignments_see_the_values_before_and_branches_keep_theirs_to_themselves() {
    let definition = machine(
        json!({
            "Begin": {"Type": "Pass", "Next": "Swap", "Assign": {"a": 1, "b": 2}},
            "Swap": {"Type": "Pass", "Next": "Both", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Output": "{% $a %}"},
            "Both": {"Type": "Parallel", "Next": "End", "Assign": {"list": "{% $states.result %}"},
                "Arguments": {"from": "{% $states.input %}"},
                "Branches": [
                    {"StartAt": "Own", "States": {
                        "Own": {"Type": "Pass", "Next": "Read", "Assign": {"own": "{% $a * 10 %}"}},
                        "Read": {"Type": "Pass", "End": true, "Output": "{% $own + $states.input.from %}"},
                    }},
                    {"StartAt": "Other", "States": {"Other": {"Type": "Pass", "End": true, "Output": "{% $exists($own) %}"}}},
                ]},
            "End": {"Type": "Pass", "End": true, "Output": {
                "a": "{% $a %}", "b": "{% $b %}", "list": "{% $list %}", "own": "{% $exists($own) %}",
            }},
        }),
        "Begin",
    );
    assert_eq!(output(&run(definition, json!({})).await), json!({"a": 2, "b": 1, "list": [21, false], "own": false}));
}

#[tokio::test(start_paused = true)]
async fn retries_wait_longer_and_longer_and_each_retrier_counts_for_itself() {
    let retry = json!([
        {"ErrorEquals": ["Throttled"], "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 3.0, "MaxDelaySeconds": 10,
            "JitterStrategy": "NONE"},
        {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 100, "MaxAttempts": 1},
    ]);
    // Throttled: after 2, 6, 10 and 10 seconds; then the first retrier has none left, and the second is not asked.
    let bench = Bench::new(&only(with(task(json!({"fail": "Throttled"})), json!({"Retry": retry}))));
    let failed = bench.run(json!({})).await;
    assert_eq!(error(&failed).0, "Throttled");
    let cause: Value = serde_json::from_str(error(&failed).1).unwrap();
    assert_eq!(cause, json!({"errorType": "Throttled", "errorMessage": "it did not work"}));
    assert_eq!(bench.calls.times(), [0, 2, 8, 18, 28]);
    let bench = Bench::new(&only(with(task(json!({"fail": "Other", "times": 1})), json!({"Retry": retry}))));
    output(&bench.run(json!({})).await);
    assert_eq!(bench.calls.times(), [0, 100]);
    // The payload sees the count of repetitions.
    let counted = task(json!({"n": "{% $states.context.State.RetryCount %}", "fail": "Throttled"}));
    let bench = Bench::new(&only(with(counted, json!({"Retry": retry}))));
    bench.run(json!({})).await;
    let counts: Vec<_> = bench.calls.payloads().iter().map(|payload| payload["n"].clone()).collect();
    assert_eq!(counts, [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn full_jitter_stays_within_the_interval_and_is_repeatable() {
    let retry = json!([
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1000, "BackoffRate": 1.0, "MaxAttempts": 5, "JitterStrategy": "FULL"},
    ]);
    let definition = only(with(task(json!({"fail": "Any"})), json!({"Retry": retry})));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let bench = Bench::new(&definition);
        bench.run(json!({})).await;
        seen.push(bench.calls.times());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].len(), 6);
    assert!(seen[0].windows(2).all(|pair| pair[1] - pair[0] <= 1000), "{seen:?}");
    assert!(seen[0][5] < 4500 && seen[0][5] > 500, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_catcher_gets_the_error_as_its_output_and_can_shape_it() {
    let catch = |shape: Value| {
        machine(
            json!({
                "Try": with(task(json!({"fail": "Broken"})), json!({"Catch": [
                    {"ErrorEquals": ["Other"], "Next": "Caught"},
                    with(json!({"ErrorEquals": ["States.ALL"], "Next": "Caught"}), shape),
                ]})),
                "Caught": {"Type": "Pass", "End": true, "Output": {
                    "input": "{% $states.input %}", "error": "{% $exists($problem) ? $problem : 'unset' %}",
                }},
            }),
            "Try",
        )
    };
    let plain = output(&run(catch(json!({})), json!({"id": 1})).await);
    assert_eq!(plain["input"]["Error"], "Broken");
    assert!(plain["input"]["Cause"].as_str().unwrap().contains("it did not work"));
    assert_eq!(plain["error"], "unset");
    let shape =
        json!({"Output": {"id": "{% $states.input.id %}"}, "Assign": {"problem": "{% $states.errorOutput.Error %}"}});
    assert_eq!(output(&run(catch(shape), json!({"id": 1})).await), json!({"input": {"id": 1}, "error": "Broken"}));
    let wrong = json!({"Output": "{% $states.errorOutput.Reason %}"});
    let wrong = run(catch(wrong), json!({"id": 1})).await;
    assert!(error(&wrong).1.contains("'Catch[1]/Output' returned nothing"), "{wrong:?}");
}

#[tokio::test(start_paused = true)]
async fn wildcards_leave_out_what_aws_leaves_out() {
    let caught = |payload: Value, fields: Value, errors: Value| {
        let catch = json!({"Catch": [{"ErrorEquals": errors, "Next": "Caught", "Output": "caught"}]});
        machine(json!({"Try": with(with(task(payload), fields), catch), "Caught": {"Type": "Succeed"}}), "Try")
    };
    let slow = json!({"sleep": 100});
    let limit = json!({"TimeoutSeconds": 10});
    let timeout = run(caught(slow.clone(), limit.clone(), json!(["States.TaskFailed"])), json!({})).await;
    assert_eq!(error(&timeout), ("States.Timeout", ""));
    let mut definition = caught(slow, limit, json!(["States.ALL"]));
    definition["States"]["Try"]["Catch"][0]["Output"] = json!("{% $states.errorOutput %}");
    assert_eq!(output(&run(definition, json!({})).await), json!({"Error": "States.Timeout", "Cause": ""}));
    let large = json!({"answer": "x".repeat(300_000)});
    let half = "x".repeat(150_000);
    let sum = json!({"Output": {"one": half, "two": half}});
    let limited = run(caught(json!({}), sum, json!(["States.ALL"])), json!({})).await;
    assert_eq!(error(&limited).0, "States.DataLimitExceeded");
    let limited = run(caught(large.clone(), json!({}), json!(["States.ALL"])), json!({})).await;
    assert_eq!(error(&limited).0, "States.DataLimitExceeded");
    let undefined =
        run(caught(json!("{% $states.input.none %}"), json!({}), json!(["States.TaskFailed"])), json!({})).await;
    assert_eq!(output(&undefined), json!("caught"));
}

#[tokio::test(start_paused = true)]
async fn an_undefined_expression_fails_the_state_and_says_where() {
    let bench = Bench::new(&only(json!({"Type": "Pass", "End": true, "Output": {"a": ["{% $states.input.none %}"]}})));
    let arn = bench.start(&json!({}));
    bench.states.wait_until_idle().await;
    let failed = bench.states.execution(&arn).unwrap();
    assert_eq!(
        error(&failed),
        (
            "States.QueryEvaluationError",
            "An error occurred while executing the state 'Only' (entered at the event id #2). The JSONata expression \
             '$states.input.none' specified for the field 'Output/a[0]' returned nothing (undefined)."
        )
    );
    let kinds: Vec<_> = bench.history(&arn).iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["ExecutionStarted", "PassStateEntered", "EvaluationFailed", "ExecutionFailed"]);
    for wrong in ["{% 1 + 'a' %}", "{% $random() %}", "{% $eval('1') %}", "{% $nosuch(1) %}", "{% function($x){$x} %}"]
    {
        let failed = run(only(json!({"Type": "Pass", "End": true, "Output": wrong})), json!({})).await;
        assert_eq!(error(&failed).0, "States.QueryEvaluationError", "{wrong}");
    }
}

/// One branch fails after 10 s, one works for 100 s in one call, one in three calls.
fn side_by_side(fields: Value) -> Value {
    let branch = |name: &str, state: Value| json!({"StartAt": name, "States": {name: state}});
    let steps = json!({
        "StartAt": "One", "States": {
            "One": with(task(json!({"sleep": 8, "name": "one"})), json!({"End": null, "Next": "Two"})),
            "Two": with(task(json!({"sleep": 8, "name": "two"})), json!({"End": null, "Next": "Three"})),
            "Three": task(json!({"sleep": 8, "name": "three"})),
        },
    });
    let parallel = json!({"Type": "Parallel", "End": true, "Branches": [
        branch("Fails", task(json!({"sleep": 10, "fail": "Broken"}))),
        branch("Long", task(json!({"sleep": 100, "name": "long"}))),
        steps,
    ]});
    machine(
        json!({"Both": with(parallel, fields), "Caught": {"Type": "Succeed", "Output": "{% $states.input.Error %}"}}),
        "Both",
    )
}

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
    let kept: Arc<Mutex<Vec<String>>> = Arc::default();
    let keeper = Arc::clone(&kept);
    let clock = Clock::following_tokio(Timestamp::UNIX_EPOCH);
    let before = States::new(Options {
        machines: vec![parsed(&definition)],
        keep: Some(Box::new(move |executions| keeper.lock().unwrap().push(serde_json::to_string(executions).unwrap()))),
        ..Options::new(clock.clone())
    });
    before.serve(functions(clock.clone(), Calls::default(), Calls::default()));
    let start = json!({"stateMachineArn": machine_arn("machine"), "name": "one", "input": r#"{"id": 7}"#});
    let started = before.call("StartExecution", &start).unwrap();
    assert_eq!(kept.lock().unwrap().len(), 1, "it is kept before it is answered");
    clock.sleep(Duration::from_secs(15)).await;
    let last = serde_json::from_str(kept.lock().unwrap().last().unwrap()).unwrap();

    let bench = Bench::resumed(&definition, Some(last));
    assert_eq!(bench.states.running(), 1);
    assert_eq!(bench.states.call("StartExecution", &start).unwrap(), started, "its name and input are known");
    bench.states.wait_until_idle().await;
    let steps: Vec<_> = bench.calls.payloads().iter().map(|payload| payload["step"].clone()).collect();
    assert_eq!(steps, [1, 2]);
    let execution = bench.states.execution(started["executionArn"].as_str().unwrap()).unwrap();
    assert_eq!((execution.status, execution.input.as_str()), (Status::Succeeded, r#"{"id": 7}"#));
    assert_eq!(kept.lock().unwrap().len(), 2, "each end is kept too");
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

#[tokio::test]
async fn what_is_outside_the_subset_is_refused_with_state_and_field() {
    let pass = json!({"Type": "Pass", "End": true});
    let choice = |rule: Value| only(json!({"Type": "Choice", "Choices": [rule]}));
    let retry = |retrier: Value| only(with(task(json!({})), json!({"Retry": [retrier]})));
    let inner = |state: Value| {
        only(json!({"Type": "Parallel", "End": true, "Branches": [{"StartAt": "In", "States": {"In": state}}]}))
    };
    let outer = json!({
        "Set": {"Type": "Pass", "Next": "Both", "Assign": {"a": 1}},
        "Both": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "In", "States": {"In": with(pass.clone(), json!({"Assign": {"a": 2}}))}},
        ]},
    });
    let cases = [
        (only(with(pass.clone(), json!({"ResultPath": "$.x"}))), "States.Only: ResultPath: unknown field `ResultPath`"),
        (
            inner(with(pass.clone(), json!({"Result": 1}))),
            "States.Only: Branches[0].States.In: Result: unknown field `Result`",
        ),
        (only(json!({"Type": "Map", "End": true})), "\"Map\" is outside the subset"),
        (
            only(with(task(json!({})), json!({"Resource": "arn:aws:states:::sqs:sendMessage"}))),
            "Resource: unknown variant",
        ),
        (only(with(task(json!({})), json!({"HeartbeatSeconds": 3}))), "unknown field `HeartbeatSeconds`"),
        (retry(json!({"ErrorEquals": ["A"], "Interval": 1})), "Retry[0].Interval: unknown field `Interval`"),
        (retry(json!({"ErrorEquals": ["States.ALL", "A"]})), "'Only': Retry[0]: States.ALL must stand alone"),
        (retry(json!({"ErrorEquals": ["A"], "MaxDelaySeconds": 1})), "'Only': Retry[0]: MaxDelaySeconds must be more"),
        (json!({"StartAt": "Only", "States": {"Only": pass}}), "missing field `QueryLanguage`"),
        (
            json!({"StartAt": "Only", "QueryLanguage": "JSONPath", "States": {"Only": pass}}),
            "unknown variant `JSONPath`",
        ),
        (machine(json!({"Only": pass}), "Other"), "StartAt: there is no state 'Other'"),
        (machine(json!({"Only": pass, "Lost": pass}), "Only"), "'Lost': cannot be reached"),
        (only(json!({"Type": "Pass"})), "'Only': has neither Next nor End"),
        (only(with(pass.clone(), json!({"Next": "Only"}))), "'Only': has both Next and End"),
        (only(json!({"Type": "Pass", "Next": "None"})), "'Only': leads to 'None'"),
        (only(json!({"Type": "Pass", "Next": "Only"})), "no state that follows 'Only' ends"),
        (inner(json!({"Type": "Pass", "Next": "Only"})), "'In': leads to 'Only', which is not a state beside it"),
        (choice(json!({"Condition": "true", "Next": "Only"})), "Choices[0]/Condition: must be a JSONata string"),
        (only(with(pass.clone(), json!({"Output": {"a": "{% 1 + %}"}}))), "'Only': Output/a: "),
        (only(with(pass.clone(), json!({"Output": " {% 1 %}"}))), "begins with {% and ends with %}"),
        (only(with(pass.clone(), json!({"Assign": {"states": 1}}))), "'states' cannot name a variable"),
        (machine(outer, "Set"), "'In': Assign: 'a' belongs to the scope around this branch"),
        (inner(inner(pass.clone())["States"]["Only"].clone()), "'In': a state in another branch has the same name"),
        (only(json!({"Type": "Wait", "Seconds": -1, "End": true})), "'Only': Seconds: must be a whole number"),
    ];
    for (definition, message) in cases {
        let said = refusal(&definition);
        assert!(said.contains(message), "wanted {message:?}, got {said:?}");
    }
    let twice = r#"{"StartAt":"A","QueryLanguage":"JSONata","States":{"A":{"Type":"Succeed"},"A":{"Type":"Succeed"}}}"#;
    assert!(Definition::parse(twice).unwrap_err().to_string().contains("'A' stands twice"));
}

#[tokio::test]
async fn a_definition_can_be_walked() {
    let definition = Definition::parse(&side_by_side(json!({})).to_string());
    assert!(definition.unwrap_err().to_string().contains("'Caught': cannot be reached"));
    let catch = json!({"Catch": [{"ErrorEquals": ["Broken"], "Next": "Caught"}]});
    let definition = Definition::parse(&side_by_side(catch).to_string()).unwrap();
    let names: Vec<_> = definition.states().map(|(name, state)| format!("{name} {}", state.kind())).collect();
    assert_eq!(
        names,
        ["Both Parallel", "Fails Task", "Long Task", "One Task", "Three Task", "Two Task", "Caught Succeed"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_api_through_the_sdk_is_that_of_step_functions() {
    let definition = only(with(
        task(json!({"sleep": 50, "answer": {"ok": true}})),
        json!({"Output": "{% $states.result.Payload %}"}),
    ));
    let account = Account::with(AccountOptions { machines: vec![parsed(&definition)], ..AccountOptions::default() });
    account.states.serve(functions(account.clock.clone(), Calls::default(), Calls::default()));
    let sfn = &account.clients.sfn;
    let arn = machine_arn("machine");
    let start = |name: &str, input: &str| sfn.start_execution().state_machine_arn(&arn).name(name).input(input).send();

    let first = start("one", r#"{"id":1}"#).await.unwrap();
    account.clock.sleep(Duration::from_secs(3)).await;
    let again = start("one", r#"{"id":1}"#).await.unwrap();
    assert_eq!((again.execution_arn(), again.start_date()), (first.execution_arn(), first.start_date()));
    let other = start("one", r#"{"id":2}"#).await.unwrap_err().into_service_error();
    assert!(other.is_execution_already_exists());
    assert_eq!(other.meta().message().unwrap(), format!("Execution Already Exists: '{}'", first.execution_arn()));
    let running = sfn.describe_execution().execution_arn(first.execution_arn()).send().await.unwrap();
    assert_eq!(
        (running.status().as_str(), running.input(), running.stop_date()),
        ("RUNNING", Some(r#"{"id":1}"#), None)
    );
    account.states.wait_until_idle().await;
    let done = sfn.describe_execution().execution_arn(first.execution_arn()).send().await.unwrap();
    assert_eq!((done.status().as_str(), done.output()), ("SUCCEEDED", Some(r#"{"ok":true}"#)));
    assert_eq!(done.stop_date().unwrap().secs(), 50);
    assert!(start("one", r#"{"id":1}"#).await.unwrap_err().into_service_error().is_execution_already_exists());

    for name in ["", "a b", "a/b", "a*", "a:b", "ab#", &"x".repeat(81)] {
        assert!(start(name, "{}").await.unwrap_err().into_service_error().is_invalid_name(), "{name}");
    }
    assert!(start("two", "{").await.unwrap_err().into_service_error().is_invalid_execution_input());
    let absent = sfn.start_execution().state_machine_arn(machine_arn("absent")).send().await.unwrap_err();
    assert!(absent.into_service_error().is_state_machine_does_not_exist());
    let absent = sfn.describe_execution().execution_arn("arn:aws:states:us-east-1:000000000000:execution:machine:no");
    assert!(absent.send().await.unwrap_err().into_service_error().is_execution_does_not_exist());

    for name in [&"x".repeat(80), "two", "three"] {
        start(name, "{}").await.unwrap();
    }
    let unnamed = sfn.start_execution().state_machine_arn(&arn).send().await.unwrap();
    sfn.stop_execution().execution_arn(unnamed.execution_arn()).error("Enough").send().await.unwrap();
    let page = sfn.list_executions().state_machine_arn(&arn).max_results(2).send().await.unwrap();
    let names: Vec<_> = page.executions().iter().map(|execution| execution.name().to_owned()).collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[1], "three");
    let page =
        sfn.list_executions().state_machine_arn(&arn).next_token(page.next_token().unwrap()).send().await.unwrap();
    assert_eq!((page.executions().len(), page.next_token()), (3, None));
    let aborted = sfn.list_executions().state_machine_arn(&arn).status_filter("ABORTED".into()).send().await.unwrap();
    assert_eq!(aborted.executions().len(), 1);

    let history = sfn.get_execution_history().execution_arn(first.execution_arn()).send().await.unwrap();
    let kinds: Vec<_> = history.events().iter().map(|event| (event.id(), event.r#type().as_str())).collect();
    assert_eq!(
        kinds,
        [
            (1, "ExecutionStarted"),
            (2, "TaskStateEntered"),
            (3, "TaskScheduled"),
            (4, "TaskStarted"),
            (5, "TaskSucceeded"),
            (6, "TaskStateExited"),
            (7, "ExecutionSucceeded"),
        ]
    );
    assert!(history.events().iter().all(|event| event.previous_event_id() + 1 == event.id()));
    assert_eq!(history.events()[1].state_entered_event_details().unwrap().input(), Some(r#"{"id":1}"#));
    assert_eq!(history.events()[5].state_exited_event_details().unwrap().output(), Some(r#"{"ok":true}"#));
    let page = sfn.get_execution_history().execution_arn(first.execution_arn()).reverse_order(true).max_results(5);
    let page = page.send().await.unwrap();
    let rest = sfn.get_execution_history().execution_arn(first.execution_arn()).reverse_order(true);
    let rest = rest.next_token(page.next_token().unwrap()).send().await.unwrap();
    let ids: Vec<_> = page.events().iter().chain(rest.events()).map(|event| event.id()).collect();
    assert_eq!(ids, [7, 6, 5, 4, 3, 2, 1]);

    let machines = sfn.list_state_machines().send().await.unwrap();
    assert_eq!(machines.state_machines()[0].state_machine_arn(), arn);
    let described = sfn.describe_state_machine().state_machine_arn(&arn).send().await.unwrap();
    assert_eq!(described.definition(), definition.to_string());
    assert!(sfn.redrive_execution().execution_arn(first.execution_arn()).send().await.is_err());
}
