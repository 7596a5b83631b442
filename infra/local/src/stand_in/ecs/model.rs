//! RegisterTaskDefinition's input by botocore's model: types, enums, required members, lengths and ranges. What the model
//! cannot say is in `rules`.
//!
//! The shapes are `register_task_definition.json`, which `infra/checks/ecs-model` prints. AWS's words for what does not
//! fit are at docs/aws.md#registering-a-task-definition.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::input::invalid;
use crate::stand_in::refusal::Refusal;

#[derive(Deserialize)]
struct Model {
    shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Shape {
    Structure {
        #[serde(default)]
        required: Vec<String>,
        /// The shape of each member.
        members: BTreeMap<String, String>,
    },
    List {
        member: String,
        max: Option<usize>,
    },
    /// From text to text; the model has no others here.
    Map,
    String {
        #[serde(default, rename = "enum")]
        values: Vec<String>,
        #[serde(default)]
        min: usize,
        max: Option<usize>,
    },
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Boolean,
}

/// The file, or why it is no model.
static MODEL: LazyLock<Result<Model, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("register_task_definition.json")).map_err(|error| error.to_string())
});

/// Refuses an input that does not fit the model. It has no null members (`input::without_nulls`).
pub(super) fn check(input: &Value) -> Result<(), Refusal> {
    fits("RegisterTaskDefinitionRequest", input, "")
}

fn shape(name: &str) -> Result<&'static Shape, Refusal> {
    let broken = |why: &str| Refusal::new(500, "ServerException", format!("register_task_definition.json: {why}"));
    let model = MODEL.as_ref().map_err(|why| broken(why))?;
    model.shapes.get(name).ok_or_else(|| broken(&format!("there is no shape {name}")))
}

/// Whether `value` fits the shape called `name`; `path` is its place in AWS's notation.
fn fits(name: &str, value: &Value, path: &str) -> Result<(), Refusal> {
    match (shape(name)?, value) {
        (Shape::Structure { required, members }, Value::Object(given)) => {
            if let Some(missing) = required.iter().find(|name| !given.contains_key(*name)) {
                return Err(violation("null", &joined(path, missing), "Member must not be null"));
            }
            for (name, value) in given {
                let member = members.get(name).ok_or_else(|| unknown(&joined(path, name)))?;
                fits(member, value, &joined(path, name))?;
            }
            Ok(())
        }
        (Shape::List { member, max }, Value::Array(given)) => {
            if let Some(max) = max.filter(|max| given.len() > *max) {
                let rule = format!("Member must have length less than or equal to {max}");
                return Err(violation(&format!("'{value}'"), path, &rule));
            }
            let mut numbered = given.iter().zip(1..);
            numbered.try_for_each(|(value, number)| fits(member, value, &format!("{path}.{number}.member")))
        }
        (Shape::Map, Value::Object(given)) => {
            given.iter().try_for_each(|(key, value)| fits("String", value, &format!("{path}.{key}.member")))
        }
        (Shape::String { values, min, max }, Value::String(text)) => {
            let length = text.chars().count();
            let rule = if !values.is_empty() && !values.contains(text) {
                format!("Member must satisfy enum value set: [{}]", values.join(", "))
            } else if length < *min {
                format!("Member must have length greater than or equal to {min}")
            } else if let Some(max) = max.filter(|max| length > *max) {
                format!("Member must have length less than or equal to {max}")
            } else {
                return Ok(());
            };
            Err(violation(&format!("'{text}'"), path, &rule))
        }
        (Shape::Integer { min, max }, Value::Number(number)) => {
            // AWS's integers have 32 bits.
            let Some(number) = number.as_i64().filter(|number| i32::try_from(*number).is_ok()) else {
                return Err(serialization(format!("{number} at '{path}' is no Integer")));
            };
            let rule = if let Some(min) = min.filter(|min| number < *min) {
                format!("Member must have value greater than or equal to {min}")
            } else if let Some(max) = max.filter(|max| number > *max) {
                format!("Member must have value less than or equal to {max}")
            } else {
                return Ok(());
            };
            Err(violation(&format!("'{number}'"), path, &rule))
        }
        (Shape::Boolean, Value::Bool(_)) => Ok(()),
        (expected, given) => Err(mismatch(expected, given)),
    }
}

fn joined(path: &str, member: &str) -> String {
    if path.is_empty() { member.to_owned() } else { format!("{path}.{member}") }
}

fn violation(value: &str, path: &str, rule: &str) -> Refusal {
    invalid(format!("1 validation error detected: Value {value} at '{path}' failed to satisfy constraint: {rule}"))
}

/// AWS may have a newer model. A member that is ignored without a word would be worse than one that is refused.
fn unknown(path: &str) -> Refusal {
    invalid(format!("berth-local knows no member '{path}' of RegisterTaskDefinition."))
}

fn serialization(message: impl Into<String>) -> Refusal {
    Refusal::bad("SerializationException", message)
}

/// A value of another JSON type than the shape's.
fn mismatch(expected: &Shape, given: &Value) -> Refusal {
    let scalar = match given {
        Value::Object(_) => return serialization("Start of structure or map found where not expected."),
        Value::Array(_) => return serialization("Start of list found where not expected"),
        Value::String(_) => "STRING_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Null => "NULL_VALUE",
    };
    serialization(match expected {
        Shape::String { .. } => format!("{scalar} cannot be converted to String"),
        Shape::Integer { .. } => format!("{scalar} cannot be converted to Integer"),
        Shape::Boolean => format!("{scalar} cannot be converted to Boolean"),
        Shape::List { .. } => "Expected list or null".to_owned(),
        Shape::Structure { .. } | Shape::Map => "Expected map or null".to_owned(),
    })
}
