//! The state machine, the code and the documents agree. What the parser refuses (unknown fields, states that cannot be
//! reached, `Next` without a state, JSONata that does not parse) needs no test here: `machine()` would fail.

use std::collections::{BTreeMap, BTreeSet};

use berth_domain::Step;
use berth_domain::failure::RETRY;
use berth_domain::failure::causes::CAUSES;
use berth_domain::operation::{CALL_LIMIT, Kind};
use berth_domain::plan::{Part, for_topology};
use berth_domain::spec::Topology;
use berth_domain::step::Direction;
use berth_local::embedded::MACHINE;
use berth_local::lambda_functions::WORKER_TIMEOUT;
use berth_local::step_functions::asl::{Definition, Jitter, State, TaskState};
use berth_worker::StepError;
use serde_json::Value;
use tests::{provision_steps, removal_steps};

/// Errors of Lambda and of Step Functions themselves that the machine names (docs/aws.md#errors-and-retries).
const AWS_ERRORS: [&str; 11] = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
    "States.Timeout",
    "States.ALL",
];

fn machine() -> Definition {
    Definition::parse(MACHINE).expect("the machine is in the subset that the interpreter knows")
}

/// Every Task state: its name, its step, and itself.
fn tasks(machine: &Definition) -> BTreeMap<String, (Step, &TaskState)> {
    machine
        .states()
        .filter_map(|(name, state)| if let State::Task(task) = state { Some((name, task)) } else { None })
        .map(|(name, task)| {
            let step = task.arguments.payload["step"].as_str().expect("a step").parse().expect("a step of the code");
            (name.to_owned(), (step, task))
        })
        .collect()
}

/// The state after `name` on the way forward: past the Choice that every step is followed by.
fn default_after(machine: &Definition, name: &str) -> String {
    let states: BTreeMap<&str, &State> = machine.states().collect();
    let State::Task(task) = states[name] else { panic!("{name} is no Task") };
    let next = task.next.as_deref().expect("a next state");
    match states[next] {
        State::Choice(choice) => choice.default.clone().expect("a default"),
        _ => next.to_owned(),
    }
}

#[test]
fn every_step_of_the_code_is_a_task_of_the_same_name_and_the_other_way_round() {
    let machine = machine();
    let tasks = tasks(&machine);
    let used: BTreeSet<Step> = tasks.values().map(|(step, _)| *step).collect();
    assert_eq!(used, Step::ALL.iter().copied().collect());
    for (name, (step, _)) in &tasks {
        let of_a_branch = *step == Step::RecordFailure && name.starts_with("RecordFailureIn");
        assert!(name == step.as_str() || of_a_branch, "{name} runs {step}");
    }
}

#[test]
fn every_error_that_is_named_exists() {
    let machine = machine();
    for (name, state) in machine.states() {
        let named = state.retry().iter().map(|retrier| &retrier.error_equals);
        for error in named.chain(state.catch().iter().map(|catcher| &catcher.error_equals)).flatten() {
            let known = StepError::NAMES.contains(&error.as_str()) || AWS_ERRORS.contains(&error.as_str());
            assert!(known, "{name} names {error}");
        }
    }
}

#[test]
fn every_task_retries_alike_and_catches_everything() {
    let machine = machine();
    let tasks = tasks(&machine);
    let first = format!("{:?}", tasks["Begin"].1.retry);
    for (name, (_, task)) in &tasks {
        assert_eq!(format!("{:?}", task.retry), first, "{name}");
        assert!(task.retry.iter().any(|retrier| retrier.error_equals == ["Retryable"]), "{name}");
        assert!(task.retry.iter().all(|retrier| !retrier.error_equals.contains(&"Fatal".to_owned())), "{name}");
        let caught: Vec<&String> = task.catch.iter().flat_map(|catcher| &catcher.error_equals).collect();
        assert_eq!(caught, ["States.ALL"], "{name}");
    }
}

#[test]
fn a_call_has_always_ended_before_the_machine_tries_it_again() {
    for (name, (_, task)) in tasks(&machine()) {
        let limit = u64::from(task.timeout_seconds.expect("a time limit"));
        assert!(limit > WORKER_TIMEOUT.as_secs(), "{name}: {limit} s is not more than the function's own limit");
        assert_eq!(limit, CALL_LIMIT.as_secs(), "{name}");
    }
}

#[test]
fn every_forward_step_fails_into_the_record_and_stops_into_the_removal() {
    let machine = machine();
    for (name, (step, task)) in tasks(&machine) {
        if step.direction() != Direction::Forward {
            continue;
        }
        let catcher = &task.catch[0];
        assert!(catcher.next.starts_with("RecordFailure"), "{name} fails into {}", catcher.next);
        assert_eq!(catcher.output.as_ref().map(|output| &output["step"]), Some(&Value::from(step.as_str())), "{name}");
    }
    let main: Vec<&str> = machine.states["RecordFailure"].successors();
    assert_eq!(BTreeSet::from_iter(main), BTreeSet::from(["BeginRemoval"]));
    for (name, state) in machine.states() {
        if let State::Choice(choice) = state {
            for rule in choice.choices.iter().filter(|rule| rule.condition.contains("'stop'")) {
                let stops = rule.next == "BeginRemoval" || rule.next.ends_with("BranchLeft");
                assert!(stops, "{name} stops into {}", rule.next);
            }
        }
    }
}

#[test]
fn no_branch_can_fail_its_parallel() {
    let machine = machine();
    let parallels: Vec<_> = machine
        .states()
        .filter_map(|(_, state)| if let State::Parallel(parallel) = state { Some(parallel) } else { None })
        .collect();
    assert_eq!(parallels.len(), 2, "one for each plan");
    for (name, state) in parallels.iter().flat_map(|parallel| &parallel.branches).flat_map(|branch| &branch.states) {
        assert!(!matches!(state, State::Fail(_)), "{name}");
        if let State::Task(_) = state {
            assert!(!state.catch().is_empty(), "{name} catches nothing");
        }
    }
}

#[test]
fn the_checked_in_state_machine_is_what_the_steps_and_plans_generate() {
    let generated = berth_local::state_machine::document().expect("a document");
    assert!(
        MACHINE == generated,
        "statemachine/environment.asl.json is out of date; renew it with: cargo -q local state-machine > statemachine/environment.asl.json"
    );
}

#[test]
fn the_removal_undoes_everything_that_is_created_each_after_what_it_waits_for() {
    // The stage goes with its REST API, so it has no undo.
    let created: BTreeSet<_> =
        provision_steps().filter(|step| *step != Step::EnsureStage).filter_map(Step::resource).collect();
    assert_eq!(created, removal_steps().filter_map(Step::resource).collect());
    let Part::SideBySide(branches) = for_topology(Kind::Delete, Topology::Dedicated).parts()[0] else {
        panic!("the removal runs side by side")
    };
    for branch in branches {
        for (index, step) in branch.steps.iter().enumerate() {
            let before: Vec<_> = branch.steps[..index].iter().filter_map(|step| step.resource()).collect();
            assert!(step.waits_for().iter().all(|kind| before.contains(kind)), "{step} in {}", branch.name);
        }
    }
}

#[test]
fn an_undo_that_fails_goes_on_to_the_next_and_the_removal_ends_in_mark_gone() {
    let machine = machine();
    for (name, (step, task)) in tasks(&machine) {
        if step.direction() == Direction::Backward {
            assert_eq!(task.catch[0].next, default_after(&machine, &name), "{name} gives up into another state");
        }
    }
    let choice = |name: &str| match &machine.states[name] {
        State::Choice(choice) => (choice.choices[0].next.clone(), choice.default.clone()),
        _ => panic!("{name} is no Choice"),
    };
    // An operation that has ended must not be unwound.
    assert_eq!(choice("BeginRemovalOutcome"), ("RemovalBranches".to_owned(), Some("Done".to_owned())));
    assert_eq!(choice("RemovalJoin"), ("MarkGone".to_owned(), Some("Done".to_owned())));
    assert_eq!(choice("ProvisionJoin"), ("EnsureStage".to_owned(), Some("BeginRemoval".to_owned())));
}

#[test]
fn the_time_limits_of_all_steps_fit_into_the_machine_s() {
    let all: u64 = Step::ALL.iter().copied().map(|step| step.limit().as_secs()).sum();
    let limit = u64::from(machine().timeout_seconds.expect("a time limit"));
    assert!(all < limit, "the steps may take {all} s, the machine {limit} s");
}

#[test]
fn an_operation_that_lambda_throttles_waits_for_more_than_an_hour_and_its_history_has_room_for_that() {
    let machine = machine();
    let tasks = tasks(&machine);
    let throttled = "Lambda.TooManyRequestsException".to_owned();
    let retrier = tasks["Begin"].1.retry.iter().find(|retrier| retrier.error_equals == [throttled.clone()]);
    let retrier = retrier.expect("a separate retrier");
    // With full jitter a delay is half of its bound, on average.
    let delay = u64::from(retrier.max_delay_seconds.expect("a bound")) / 2;
    assert_eq!(retrier.jitter_strategy, Jitter::Full);
    assert!(u64::from(retrier.max_attempts) * delay > 3600);
    // Three events for each try, in as many branches as there are at once, for as long as the machine may run.
    let branches = 3;
    let throttles = 3 * branches * u64::from(machine.timeout_seconds.expect("a limit")) / delay;
    // All steps at their limits, and the longest queue (docs/aws.md#executions).
    let looks = 10_000 + 1_600;
    assert!(throttles + looks < 25_000, "{throttles} events of throttling, {looks} of looking");
}

#[test]
fn the_machine_ends_in_a_pass_and_has_one_placeholder() {
    // MiniStack ignores the Output of a JSONata Succeed (docs/testing.md#what-ministack-lacks).
    assert!(machine().states().all(|(_, state)| !matches!(state, State::Succeed(_))));
    let placeholders: BTreeSet<&str> =
        MACHINE.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
    assert_eq!(placeholders, BTreeSet::from(["WorkerFunction"]));
}

#[test]
fn the_checked_in_openapi_document_is_what_the_router_renders() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == berth_api::openapi::document(),
        "openapi/openapi.json is out of date; renew it with: cargo -q local openapi > openapi/openapi.json"
    );
}

#[test]
fn the_checked_in_openapi_3_0_document_is_the_other_one_converted() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi-3.0.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == berth_local::openapi_3_0::document().expect("3.0 can express the document"),
        "openapi/openapi-3.0.json is out of date; renew it with: cargo -q local openapi --version 3.0 > openapi/openapi-3.0.json"
    );
}

#[test]
fn every_reference_in_the_openapi_documents_leads_somewhere_and_every_component_is_referred_to() {
    for text in [berth_api::openapi::document(), berth_local::openapi_3_0::document().expect("3.0")] {
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let mut referred = BTreeSet::new();
        references(&document, &mut referred);
        for reference in &referred {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
        }
        // Two types of one name overwrite each other: nothing then refers to what only the lost one referred to.
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().expect("components").keys() {
                assert!(referred.contains(&format!("#/components/{kind}/{name}")), "nothing refers to {kind}/{name}");
            }
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_response_in_the_openapi_document_has_a_description() {
    // Without one the document is invalid (OpenAPI Specification, "Response Object") and generators refuse it.
    let document: Value = serde_json::from_str(&berth_api::openapi::document()).expect("JSON");
    let description = |response: &Value| match response["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).map(|shared| shared["description"].clone()),
        None => Some(response["description"].clone()),
    };
    let paths = document["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            assert!(operation["operationId"].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let description = description(response).expect("a response");
                assert!(description.as_str().is_some_and(|text| !text.is_empty()), "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn the_table_of_causes_in_the_docs_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/failures.md");
    let document = std::fs::read_to_string(path).expect("docs/failures.md");
    let (_, table) = document.split_once("## Known causes").expect("the heading");
    let documented: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |cause: &berth_domain::failure::causes::Cause| {
        format!(
            "| `{}` | {} | {} | {} |",
            cause.name,
            cause.meaning,
            cause.what_to_do.replace("{retry}", RETRY),
            cause.who
        )
    };
    let rows: Vec<String> = CAUSES.iter().map(row).collect();
    assert!(documented == rows, "docs/failures.md is out of date; its rows are to be:\n{}", rows.join("\n"));
    let words: BTreeSet<&str> = CAUSES.iter().map(|cause| cause.name).collect();
    assert_eq!(words.len(), CAUSES.len(), "a word stands for one cause");
}
