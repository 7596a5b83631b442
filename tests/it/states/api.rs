//! Definitions that are refused or walked, and the API through the SDK.

use super::*;

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
