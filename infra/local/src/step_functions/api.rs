//! The Step Functions API. Reached through the endpoint (awsJson1.0); what it starts is in `step_functions` itself.

use rand::Rng;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::arns::{ROLE, machine_arn};
use super::data::LARGEST_DATA;
use super::execution::{Execution, Status};
use super::history::seconds;
use super::{Ending, Inner, States, chance};
use crate::stand_in::refusal::Refusal;

const LONGEST_NAME: usize = 80;
/// The size of a page when the request names none.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StartExecution {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeExecution {
    execution_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StopExecution {
    execution_arn: String,
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListExecutions {
    state_machine_arn: String,
    status_filter: Option<Status>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GetExecutionHistory {
    execution_arn: String,
    #[serde(default)]
    reverse_order: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescribeStateMachine {
    state_machine_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListStateMachines {
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl States {
    /// One API call.
    ///
    /// # Errors
    /// Step Functions' own errors.
    pub fn call(&self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        match operation {
            "StartExecution" => self.start(read(input)?),
            "DescribeExecution" => {
                let DescribeExecution { execution_arn } = read(input)?;
                self.execution(&execution_arn)
                    .map(|execution| execution.described())
                    .ok_or_else(|| no_execution(&execution_arn))
            }
            "StopExecution" => self.stop(read(input)?),
            "ListExecutions" => self.0.list(read(input)?),
            "GetExecutionHistory" => self.0.history(read(input)?),
            "DescribeStateMachine" => self.0.machine(read(input)?),
            "ListStateMachines" => self.0.machines(&read(input)?),
            _ => Err(Refusal::bad(
                "UnknownOperationException",
                format!("berth-local does not play Step Functions' {operation}."),
            )),
        }
    }

    fn start(&self, call: StartExecution) -> Result<Value, Refusal> {
        let input = call.input.unwrap_or_else(|| "{}".to_owned());
        if let Some(name) = call.name.as_deref().filter(|name| !is_name(name)) {
            return Err(Refusal::bad("InvalidName", format!("Invalid Name: '{name}'")));
        }
        if input.len() > LARGEST_DATA {
            return Err(Refusal::bad(
                "ValidationException",
                "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length \
                 less than or equal to 262144",
            ));
        }
        if let Err(error) = serde_json::from_str::<IgnoredAny>(&input) {
            let message = format!("Invalid State StateMachine Execution Input: '{error}'");
            return Err(Refusal::bad("InvalidExecutionInput", message));
        }
        let inner = &self.0;
        let (machine, definition) = inner.find_machine(&call.state_machine_arn)?;
        let execution = {
            let mut book = inner.book();
            let now = inner.clock.now();
            book.executions.forget_old(now);
            let number = book.executions.started + 1;
            let name = call.name.unwrap_or_else(|| drawn_name(inner.seed, number));
            let execution = Execution {
                machine: machine.clone(),
                name,
                number,
                status: Status::Running,
                start: now,
                stop: None,
                input,
                output: None,
                error: None,
                cause: None,
            };
            let arn = execution.arn();
            if let Some(earlier) = book.executions.by_arn.get(&arn) {
                return if earlier.is_running() && earlier.input == execution.input {
                    Ok(started(earlier))
                } else {
                    let message = format!("Execution Already Exists: '{arn}'");
                    Err(Refusal::bad("ExecutionAlreadyExists", message))
                };
            }
            book.executions.started = number;
            book.executions.by_arn.insert(arn, execution.clone());
            inner.keep(&mut book);
            inner.running.send_modify(|running| *running += 1);
            inner.run(&mut book, definition, &execution);
            execution
        };
        inner.notify(&execution);
        Ok(started(&execution))
    }

    fn stop(&self, call: StopExecution) -> Result<Value, Refusal> {
        let arn = &call.execution_arn;
        let ending = Ending { error: call.error, cause: call.cause, ..Ending::of(Status::Aborted) };
        self.0.end(arn, 0, ending);
        let execution = self.execution(arn).ok_or_else(|| no_execution(arn))?;
        Ok(json!({"stopDate": execution.stop.map(seconds)}))
    }
}

impl Inner {
    fn find_machine(&self, arn: &str) -> Result<(&String, &std::sync::Arc<super::asl::Definition>), Refusal> {
        if !arn.starts_with("arn:") {
            return Err(Refusal::bad("InvalidArn", format!("Invalid Arn: 'Invalid ARN prefix: {arn}'")));
        }
        self.machines.iter().find(|(name, _)| machine_arn(name) == arn).ok_or_else(|| {
            Refusal::bad("StateMachineDoesNotExist", format!("State StateMachine Does Not Exist: '{arn}'"))
        })
    }

    fn list(&self, call: ListExecutions) -> Result<Value, Refusal> {
        let (machine, _) = self.find_machine(&call.state_machine_arn)?;
        let count = page(call.max_results)?;
        // The token is the number of the last execution on the page, so that new executions do not shift later pages.
        let before = token(call.next_token.as_deref())?.unwrap_or(u64::MAX);
        let book = self.book();
        let mut found: Vec<&Execution> = book
            .executions
            .by_arn
            .values()
            .filter(|execution| execution.machine == *machine && execution.number < before)
            .filter(|execution| call.status_filter.is_none_or(|status| execution.status == status))
            .collect();
        found.sort_by_key(|execution| std::cmp::Reverse(execution.number));
        let more = found.len() > count;
        found.truncate(count);
        let mut reply = json!({"executions": found.iter().map(|execution| execution.listed()).collect::<Vec<_>>()});
        if more && let Some(last) = found.last() {
            set_token(&mut reply, last.number);
        }
        Ok(reply)
    }

    /// An execution that ended long ago, or before the last restart, has no history any more: the reply is empty.
    fn history(&self, call: GetExecutionHistory) -> Result<Value, Refusal> {
        let count = page(call.max_results)?;
        let skip = token(call.next_token.as_deref())?.unwrap_or_default();
        let book = self.book();
        if !book.executions.by_arn.contains_key(&call.execution_arn) {
            return Err(no_execution(&call.execution_arn));
        }
        let Some(history) = book.histories.get(&call.execution_arn) else {
            return Ok(json!({"events": []}));
        };
        let from = usize::try_from(skip).unwrap_or(usize::MAX);
        let (events, more) = history.page(from, count, call.reverse_order);
        let mut reply = json!({"events": events});
        if more {
            set_token(&mut reply, skip + count as u64);
        }
        Ok(reply)
    }

    fn machine(&self, call: DescribeStateMachine) -> Result<Value, Refusal> {
        let (name, definition) = self.find_machine(&call.state_machine_arn)?;
        Ok(json!({
            "stateMachineArn": call.state_machine_arn,
            "name": name,
            "status": "ACTIVE",
            "definition": definition.text,
            "roleArn": ROLE,
            "type": "STANDARD",
            "creationDate": seconds(self.created),
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": false},
            "tracingConfiguration": {"enabled": false},
        }))
    }

    fn machines(&self, call: &ListStateMachines) -> Result<Value, Refusal> {
        let count = page(call.max_results)?;
        let skip = token(call.next_token.as_deref())?.unwrap_or_default();
        let from = usize::try_from(skip).unwrap_or(usize::MAX);
        let machines: Vec<Value> = self
            .machines
            .keys()
            .skip(from)
            .take(count)
            .map(|name| {
                json!({
                    "stateMachineArn": machine_arn(name),
                    "name": name,
                    "type": "STANDARD",
                    "creationDate": seconds(self.created),
                })
            })
            .collect();
        let more = self.machines.len() > from.saturating_add(count);
        let mut reply = json!({"stateMachines": machines});
        if more {
            set_token(&mut reply, skip + count as u64);
        }
        Ok(reply)
    }
}

fn read<T: DeserializeOwned>(input: &Value) -> Result<T, Refusal> {
    T::deserialize(input).map_err(|error| Refusal::bad("ValidationException", error.to_string()))
}

fn started(execution: &Execution) -> Value {
    json!({"executionArn": execution.arn(), "startDate": seconds(execution.start)})
}

fn no_execution(arn: &str) -> Refusal {
    Refusal::bad("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

fn page(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked {
        None | Some(0) => Ok(PAGE),
        Some(count) if count <= LARGEST_PAGE => Ok(count),
        Some(count) => Err(Refusal::bad(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{count}' at 'maxResults' failed to satisfy constraint: Member must \
                 have value less than or equal to {LARGEST_PAGE}"
            ),
        )),
    }
}

fn token(text: Option<&str>) -> Result<Option<u64>, Refusal> {
    let invalid = |text: &str| Refusal::bad("InvalidToken", format!("Invalid Token: '{text}'"));
    text.map(|text| text.parse().map_err(|_| invalid(text))).transpose()
}

fn set_token(reply: &mut Value, token: u64) {
    if let Some(reply) = reply.as_object_mut() {
        reply.insert("nextToken".to_owned(), token.to_string().into());
    }
}

fn is_name(name: &str) -> bool {
    let allowed =
        |letter: char| !letter.is_whitespace() && !letter.is_control() && !"<>{}[]?*\"#%\\^|~`$&,;:/".contains(letter);
    (1..=LONGEST_NAME).contains(&name.chars().count()) && name.chars().all(allowed)
}

/// A UUID.
fn drawn_name(seed: u64, number: u64) -> String {
    let mut chance = chance(seed, &number.to_string());
    let (high, low) = (chance.next_u64(), chance.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}
