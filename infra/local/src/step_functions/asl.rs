//! The subset of the Amazon States Language that Berth's state machine uses, as types.
//!
//! A definition with anything else is refused when it is loaded, so that it cannot mean one thing here and another in
//! AWS. `parse` reads a text, `check` has the rules that serde cannot express; what the states do is in `interpreter`.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Why a definition is refused: it is outside the subset, or breaks a rule of the language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// A state machine's definition.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Definition {
    /// For the reader.
    pub comment: Option<String>,
    /// The first state.
    pub start_at: String,
    /// Always JSONata.
    pub query_language: QueryLanguage,
    /// How long an execution may take.
    pub timeout_seconds: Option<u32>,
    /// The states by name, without those in branches.
    pub states: BTreeMap<String, State>,
    /// The text that this was parsed from.
    #[serde(skip)]
    pub text: String,
}

/// The query languages of the subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum QueryLanguage {
    /// JSONata.
    #[serde(rename = "JSONata")]
    JsonAta,
}

/// One branch of a Parallel state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Branch {
    /// For the reader.
    pub comment: Option<String>,
    /// The branch's first state.
    pub start_at: String,
    /// The branch's states by name.
    pub states: BTreeMap<String, State>,
}

/// A state.
#[derive(Clone, Debug)]
pub enum State {
    /// Invokes a function.
    Task(TaskState),
    /// Chooses the next state.
    Choice(ChoiceState),
    /// Waits.
    Wait(WaitState),
    /// Runs branches side by side.
    Parallel(ParallelState),
    /// Changes data.
    Pass(PassState),
    /// Ends with success.
    Succeed(SucceedState),
    /// Ends with an error.
    Fail(FailState),
}

/// A Task state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TaskState {
    /// For the reader.
    pub comment: Option<String>,
    /// What it calls.
    pub resource: Resource,
    /// The function and its payload.
    pub arguments: Arguments,
    /// The state's output; the task's result when absent.
    #[serde(default, deserialize_with = "present")]
    pub output: Option<Value>,
    /// The variables that it sets.
    #[serde(default)]
    pub assign: Map<String, Value>,
    /// How long one attempt may take.
    pub timeout_seconds: Option<u32>,
    /// The errors that are retried.
    #[serde(default)]
    pub retry: Vec<Retrier>,
    /// The errors that are caught.
    #[serde(default)]
    pub catch: Vec<Catcher>,
    /// The next state.
    pub next: Option<String>,
    /// Whether this is the last state.
    #[serde(default)]
    pub end: bool,
}

/// The service integrations of the subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Resource {
    /// Lambda's, request and response.
    #[serde(rename = "arn:aws:states:::lambda:invoke")]
    LambdaInvoke,
}

/// The arguments of `lambda:invoke`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Arguments {
    /// The function's name or ARN.
    pub function_name: String,
    /// What the function is given.
    pub payload: Value,
}

/// A Choice state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ChoiceState {
    /// For the reader.
    pub comment: Option<String>,
    /// The rules; the first that holds decides.
    pub choices: Vec<Rule>,
    /// The next state when no rule holds.
    pub default: Option<String>,
}

/// One rule of a Choice state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Rule {
    /// For the reader.
    pub comment: Option<String>,
    /// A JSONata string that gives a boolean.
    pub condition: String,
    /// The next state when it holds.
    pub next: String,
    /// The state's output when it holds; its input when absent.
    #[serde(default, deserialize_with = "present")]
    pub output: Option<Value>,
    /// The variables that are set when it holds.
    #[serde(default)]
    pub assign: Map<String, Value>,
}

/// A Wait state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct WaitState {
    /// For the reader.
    pub comment: Option<String>,
    /// How long: a whole number, or a JSONata string that gives one.
    pub seconds: Value,
    /// The next state.
    pub next: Option<String>,
    /// Whether this is the last state.
    #[serde(default)]
    pub end: bool,
}

/// A Parallel state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ParallelState {
    /// For the reader.
    pub comment: Option<String>,
    /// What runs side by side.
    pub branches: Vec<Branch>,
    /// Each branch's input; the state's input when absent.
    #[serde(default, deserialize_with = "present")]
    pub arguments: Option<Value>,
    /// The state's output; the list of the branches' outputs when absent.
    #[serde(default, deserialize_with = "present")]
    pub output: Option<Value>,
    /// The variables that it sets.
    #[serde(default)]
    pub assign: Map<String, Value>,
    /// The errors that are retried.
    #[serde(default)]
    pub retry: Vec<Retrier>,
    /// The errors that are caught.
    #[serde(default)]
    pub catch: Vec<Catcher>,
    /// The next state.
    pub next: Option<String>,
    /// Whether this is the last state.
    #[serde(default)]
    pub end: bool,
}

/// A Pass state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PassState {
    /// For the reader.
    pub comment: Option<String>,
    /// The state's output; its input when absent.
    #[serde(default, deserialize_with = "present")]
    pub output: Option<Value>,
    /// The variables that it sets.
    #[serde(default)]
    pub assign: Map<String, Value>,
    /// The next state.
    pub next: Option<String>,
    /// Whether this is the last state.
    #[serde(default)]
    pub end: bool,
}

/// A Succeed state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SucceedState {
    /// For the reader.
    pub comment: Option<String>,
    /// The state's output; its input when absent.
    #[serde(default, deserialize_with = "present")]
    pub output: Option<Value>,
}

/// A Fail state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct FailState {
    /// For the reader.
    pub comment: Option<String>,
    /// The error's name: a text or a JSONata string.
    pub error: String,
    /// The error's cause: a text or a JSONata string.
    pub cause: Option<String>,
}

/// Which errors are retried, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Retrier {
    /// For the reader.
    pub comment: Option<String>,
    /// The errors' names.
    pub error_equals: Vec<String>,
    /// Seconds before the first retry.
    #[serde(default = "one")]
    pub interval_seconds: u32,
    /// The number of retries.
    #[serde(default = "three")]
    pub max_attempts: u32,
    /// The factor of the interval after each retry.
    #[serde(default = "two")]
    pub backoff_rate: f64,
    /// The longest interval.
    pub max_delay_seconds: Option<u32>,
    /// Whether the delay is drawn from the interval.
    #[serde(default)]
    pub jitter_strategy: Jitter,
}

/// How a retrier's delay is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Jitter {
    /// The delay is the interval.
    #[default]
    None,
    /// The delay is drawn between zero and the interval.
    Full,
}

/// Which errors lead to which state.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Catcher {
    /// For the reader.
    pub comment: Option<String>,
    /// The errors' names.
    pub error_equals: Vec<String>,
    /// The next state.
    pub next: String,
    /// The state's output; `{Error, Cause}` when absent.
    #[serde(default, deserialize_with = "present")]
    pub output: Option<Value>,
    /// The variables that are set.
    #[serde(default)]
    pub assign: Map<String, Value>,
}

impl<'de> Deserialize<'de> for State {
    /// Not serde's tagged enum, which would lose the path to the invalid field.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let kind = fields.remove("Type").ok_or_else(|| D::Error::missing_field("Type"))?;
        match kind.as_str() {
            Some("Task") => fields_of(fields).map(Self::Task),
            Some("Choice") => fields_of(fields).map(Self::Choice),
            Some("Wait") => fields_of(fields).map(Self::Wait),
            Some("Parallel") => fields_of(fields).map(Self::Parallel),
            Some("Pass") => fields_of(fields).map(Self::Pass),
            Some("Succeed") => fields_of(fields).map(Self::Succeed),
            Some("Fail") => fields_of(fields).map(Self::Fail),
            _ => Err(format!("Type: {kind} is outside the subset (Task, Choice, Wait, Parallel, Pass, Succeed, Fail)")),
        }
        .map_err(D::Error::custom)
    }
}

fn fields_of<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| error.to_string())
}

/// Distinguishes `null` from an absent field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn one() -> u32 {
    1
}

fn three() -> u32 {
    3
}

fn two() -> f64 {
    2.0
}
