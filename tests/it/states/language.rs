//! The states of the language, one execution each.

use super::*;

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
