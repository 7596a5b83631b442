//! JSONata as Step Functions uses it: `{% … %}` strings anywhere in a template, `$states` and the variables bound.
//!
//! The language itself is `jsonata-core`. Of the functions that AWS adds, only `$parse` is here. Two of JSONata's own
//! are refused: `$eval`, which AWS does not have, and `$random`, which would not come from the seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use jiff::Timestamp;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser;
use jsonata_core::value::JValue;
use serde_json::{Map, Value};

/// The time limit of one evaluation.
const LONGEST_EVALUATION_MILLISECONDS: u64 = 5_000;

/// A scope's variables.
pub(super) type Variables = BTreeMap<String, Value>;

/// Why a template could not be filled in: a `States.QueryEvaluationError`.
#[derive(Debug)]
pub(super) struct Failed {
    /// AWS's wording.
    pub cause: String,
    /// The field.
    pub location: String,
}

/// What the expressions of one state see.
pub(super) struct Scope<'a> {
    /// `$states`.
    pub states: Value,
    /// The variables.
    pub variables: &'a Variables,
    /// `$now()` and `$millis()`.
    pub now: Timestamp,
}

/// The expression within `{% … %}`; `None` of a plain string.
pub(super) fn expression(text: &str) -> Option<&str> {
    Some(text.strip_prefix("{%")?.strip_suffix("%}")?.trim())
}

/// The location of an object's member.
pub(super) fn at_key(field: &str, key: &str) -> String {
    format!("{field}/{key}")
}

/// The location of a list's item.
pub(super) fn at_index(field: &str, index: usize) -> String {
    format!("{field}[{index}]")
}

thread_local! {
    /// A machine's expressions are few and are evaluated over and over.
    static PARSED: RefCell<HashMap<String, Rc<AstNode>>> = RefCell::default();
}

/// Parses an expression once per thread.
pub(super) fn parse(expression: &str) -> Result<Rc<AstNode>, String> {
    if let Some(known) = PARSED.with_borrow(|parsed| parsed.get(expression).cloned()) {
        return Ok(known);
    }
    let ast = Rc::new(parser::parse(expression).map_err(|error| error.to_string())?);
    PARSED.with_borrow_mut(|parsed| parsed.insert(expression.to_owned(), Rc::clone(&ast)));
    Ok(ast)
}

impl Scope<'_> {
    /// Fills in a template; `field` is where it stands.
    pub(super) fn fill(&self, template: &Value, field: &str) -> Result<Value, Failed> {
        match template {
            Value::String(text) => match expression(text) {
                Some(expression) => self.evaluate(expression, field),
                None => Ok(template.clone()),
            },
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.fill(item, &at_index(field, index)))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            Value::Object(members) => self.fill_members(members, field).map(Value::Object),
            _ => Ok(template.clone()),
        }
    }

    /// Fills in each member.
    pub(super) fn fill_members(&self, members: &Map<String, Value>, field: &str) -> Result<Map<String, Value>, Failed> {
        members.iter().map(|(key, member)| Ok((key.clone(), self.fill(member, &at_key(field, key))?))).collect()
    }

    fn evaluate(&self, expression: &str, field: &str) -> Result<Value, Failed> {
        let failed = |what: String| Failed {
            cause: format!("The JSONata expression '{expression}' specified for the field '{field}' {what}"),
            location: field.to_owned(),
        };
        let ast = parse(expression).map_err(|error| failed(format!("is not valid: {error}")))?;
        let threw = |error: String| failed(format!("threw an error during evaluation: {error}"));
        let mut evaluator = self.evaluator().map_err(|error| threw(error.message().to_owned()))?;
        match evaluator.evaluate(&ast, &JValue::Undefined) {
            Err(error) => Err(threw(error.message().to_owned())),
            Ok(JValue::Undefined) => Err(failed("returned nothing (undefined).".to_owned())),
            Ok(result) if result.is_function() || result.is_regex() => {
                Err(failed("returned an unsupported result type: a function.".to_owned()))
            }
            // By way of serde: its conversion to `Value` would turn whole numbers into floating-point ones.
            Ok(result) => serde_json::to_value(&result).map_err(|error| threw(error.to_string())),
        }
    }

    fn evaluator(&self) -> Result<Evaluator, EvaluatorError> {
        let mut context = Context::new();
        context.bind("states".to_owned(), JValue::from(self.states.clone()));
        for (name, value) in self.variables {
            context.bind(name.clone(), JValue::from(value.clone()));
        }
        let options =
            EvaluatorOptions { timeout_ms: Some(LONGEST_EVALUATION_MILLISECONDS), ..EvaluatorOptions::default() };
        let mut evaluator = Evaluator::with_options(context, options);
        let now = self.now;
        evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(JValue::from_i64(now.as_millisecond())))?;
        evaluator.register_fn_override("now", move |arguments: &[JValue]| match arguments {
            [] => Ok(JValue::from(format!("{now:.3}"))),
            _ => Err(refused("$now takes no arguments here; use $fromMillis($millis(), …)")),
        })?;
        for absent in ["eval", "random"] {
            evaluator.register_fn_override(absent, move |_: &[JValue]| {
                Err::<JValue, _>(refused(&format!("${absent} is outside the subset")))
            })?;
        }
        evaluator.register_fn("parse", |arguments: &[JValue]| match arguments {
            [JValue::String(text)] => JValue::from_json_str(text).map_err(|error| refused(&error.to_string())),
            [JValue::Undefined] => Ok(JValue::Undefined),
            _ => Err(refused("$parse takes one string")),
        })?;
        Ok(evaluator)
    }
}

fn refused(why: &str) -> EvaluatorError {
    EvaluatorError::EvaluationError(why.to_owned())
}
