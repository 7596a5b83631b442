//! The interpreter and the Step Functions API follow AWS (docs/aws.md#step-functions), in virtual time: what its tests share.

mod api;
mod language;
mod running;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth_domain::Clock;
use berth_local::step_functions::asl::Definition;
use berth_local::step_functions::{
    Execution, ExecutionChange, Executions, FunctionError, Invocation, Invoke, Options, StateMachine, States, Status,
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

fn parsed(definition: &Value) -> StateMachine {
    StateMachine { name: "machine".to_owned(), definition: Definition::parse(&definition.to_string()).unwrap() }
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
