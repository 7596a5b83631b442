//! The rules of the States Language that serde cannot express. The types are in `asl`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::asl::{Definition, Invalid, Retrier, State};
use super::jsonata;

/// The longest Wait, in seconds.
pub(super) const LONGEST_WAIT: u64 = 99_999_999;
/// The longest `MaxDelaySeconds`.
const LONGEST_DELAY: u32 = 31_622_400;
const LONGEST_NAME: usize = 80;

/// Checks a definition.
pub(super) fn definition(definition: &Definition) -> Result<(), Invalid> {
    let mut names = BTreeSet::new();
    for (name, state) in definition.states() {
        if !names.insert(name) {
            return Err(Invalid(format!("state '{name}': a state in another branch has the same name")));
        }
        check_state(name, state).map_err(|what| Invalid(format!("state '{name}': {what}")))?;
    }
    if definition.timeout_seconds == Some(0) {
        return Err(Invalid("TimeoutSeconds: must be at least 1".to_owned()));
    }
    level(&definition.start_at, &definition.states, &BTreeSet::new())
}

/// Checks the states of the machine or of one branch: they lead only to each other, and each can be reached.
fn level(start_at: &str, states: &BTreeMap<String, State>, outer: &BTreeSet<&str>) -> Result<(), Invalid> {
    if !states.contains_key(start_at) {
        return Err(Invalid(format!("StartAt: there is no state '{start_at}' beside it")));
    }
    let mut reached = BTreeSet::from([start_at]);
    let mut open = vec![start_at];
    while let Some(name) = open.pop() {
        for next in states.get(name).map(State::successors).unwrap_or_default() {
            if !states.contains_key(next) {
                return Err(Invalid(format!("state '{name}': leads to '{next}', which is not a state beside it")));
            }
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    if let Some(name) = states.keys().find(|name| !reached.contains(name.as_str())) {
        return Err(Invalid(format!("state '{name}': cannot be reached from '{start_at}'")));
    }
    let ends = |state: &State| match state {
        State::Succeed(_) | State::Fail(_) => true,
        other => other.next_and_end().is_some_and(|(_, end)| end),
    };
    if !states.values().any(ends) {
        return Err(Invalid(format!("StartAt: no state that follows '{start_at}' ends")));
    }
    scopes(states, outer)
}

/// A branch sees the variables around it and cannot assign them.
fn scopes(states: &BTreeMap<String, State>, outer: &BTreeSet<&str>) -> Result<(), Invalid> {
    let mut scope = outer.clone();
    for (name, state) in states {
        for variable in state.assigns().into_iter().flat_map(Map::keys) {
            if outer.contains(variable.as_str()) {
                return Err(Invalid(format!(
                    "state '{name}': Assign: '{variable}' belongs to the scope around this branch"
                )));
            }
            scope.insert(variable);
        }
    }
    for branch in states.values().flat_map(State::branches) {
        level(&branch.start_at, &branch.states, &scope)?;
    }
    Ok(())
}

fn check_state(name: &str, state: &State) -> Result<(), String> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(format!("a name has 1 to {LONGEST_NAME} characters"));
    }
    match state.next_and_end() {
        Some((Some(_), true)) => return Err("has both Next and End".to_owned()),
        Some((None, false)) => return Err("has neither Next nor End".to_owned()),
        _ => {}
    }
    for variable in state.assigns().into_iter().flat_map(Map::keys) {
        if !is_variable(variable) {
            return Err(format!("Assign: '{variable}' cannot name a variable"));
        }
    }
    let own = |assign: &Map<String, Value>| Value::Object(assign.clone());
    let text = |text: &str| Value::String(text.to_owned());
    match state {
        State::Task(task) => {
            if task.timeout_seconds == Some(0) {
                return Err("TimeoutSeconds: must be at least 1".to_owned());
            }
            template(&text(&task.arguments.function_name), "Arguments/FunctionName")?;
            template(&task.arguments.payload, "Arguments/Payload")?;
            optional(task.output.as_ref(), "Output")?;
            template(&own(&task.assign), "Assign")?;
        }
        State::Choice(choice) => {
            if choice.choices.is_empty() {
                return Err("Choices: is empty".to_owned());
            }
            for (index, rule) in choice.choices.iter().enumerate() {
                let field = format!("Choices[{index}]");
                if jsonata::expression(&rule.condition).is_none() {
                    return Err(format!("{field}/Condition: must be a JSONata string, {{% … %}}"));
                }
                template(&text(&rule.condition), &format!("{field}/Condition"))?;
                optional(rule.output.as_ref(), &format!("{field}/Output"))?;
                template(&own(&rule.assign), &format!("{field}/Assign"))?;
            }
        }
        State::Wait(wait) => {
            let whole = wait.seconds.as_u64().is_some_and(|seconds| seconds <= LONGEST_WAIT);
            if !whole && wait.seconds.as_str().and_then(jsonata::expression).is_none() {
                return Err(format!("Seconds: must be a whole number up to {LONGEST_WAIT} or a JSONata string"));
            }
            template(&wait.seconds, "Seconds")?;
        }
        State::Parallel(parallel) => {
            if parallel.branches.is_empty() {
                return Err("Branches: is empty".to_owned());
            }
            optional(parallel.arguments.as_ref(), "Arguments")?;
            optional(parallel.output.as_ref(), "Output")?;
            template(&own(&parallel.assign), "Assign")?;
        }
        State::Pass(pass) => {
            optional(pass.output.as_ref(), "Output")?;
            template(&own(&pass.assign), "Assign")?;
        }
        State::Succeed(succeed) => optional(succeed.output.as_ref(), "Output")?,
        State::Fail(fail) => {
            template(&text(&fail.error), "Error")?;
            template(&text(fail.cause.as_deref().unwrap_or_default()), "Cause")?;
        }
    }
    let retriers = state.retry();
    for (index, retrier) in retriers.iter().enumerate() {
        let last = index + 1 == retriers.len();
        errors(&retrier.error_equals, last)
            .and_then(|()| intervals(retrier))
            .map_err(|what| format!("Retry[{index}]: {what}"))?;
    }
    let catchers = state.catch();
    for (index, catcher) in catchers.iter().enumerate() {
        let field = format!("Catch[{index}]");
        let last = index + 1 == catchers.len();
        errors(&catcher.error_equals, last).map_err(|what| format!("{field}: {what}"))?;
        optional(catcher.output.as_ref(), &format!("{field}/Output"))?;
        template(&own(&catcher.assign), &format!("{field}/Assign"))?;
    }
    Ok(())
}

fn errors(names: &[String], last: bool) -> Result<(), String> {
    if names.is_empty() {
        return Err("ErrorEquals is empty".to_owned());
    }
    if names.iter().any(|name| name == "States.ALL") && (names.len() > 1 || !last) {
        return Err("States.ALL must stand alone, and last".to_owned());
    }
    Ok(())
}

fn intervals(retrier: &Retrier) -> Result<(), String> {
    if retrier.interval_seconds == 0 {
        return Err("IntervalSeconds must be at least 1".to_owned());
    }
    if !(retrier.backoff_rate.is_finite() && retrier.backoff_rate >= 1.0) {
        return Err("BackoffRate must be at least 1.0".to_owned());
    }
    match retrier.max_delay_seconds {
        Some(longest) if longest <= retrier.interval_seconds || longest > LONGEST_DELAY => {
            Err(format!("MaxDelaySeconds must be more than IntervalSeconds and at most {LONGEST_DELAY}"))
        }
        _ => Ok(()),
    }
}

fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|letter| letter.is_alphabetic() || letter == '_');
    begins && letters.all(|letter| letter.is_alphanumeric() || letter == '_') && name != "states" && name.len() <= 80
}

fn optional(value: Option<&Value>, field: &str) -> Result<(), String> {
    value.map_or(Ok(()), |value| template(value, field))
}

/// Checks that every JSONata string in the template is complete and parses.
fn template(value: &Value, field: &str) -> Result<(), String> {
    match value {
        Value::String(text) => match jsonata::expression(text) {
            Some(expression) => jsonata::parse(expression).map(drop).map_err(|error| format!("{field}: {error}")),
            None if text.trim_start().starts_with("{%") || text.trim_end().ends_with("%}") => {
                Err(format!("{field}: a JSONata string begins with {{% and ends with %}}, with nothing around them"))
            }
            None => Ok(()),
        },
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| template(item, &jsonata::at_index(field, index)))
        }
        Value::Object(members) => {
            members.iter().try_for_each(|(key, member)| template(member, &jsonata::at_key(field, key)))
        }
        _ => Ok(()),
    }
}
