//! OpenAPI 3.1 to 3.0, for tools that read no newer version: API Gateway's import, progenitor. What 3.0 cannot express is
//! an error that names the place; nothing is left out silently. `openapi/openapi-3.0.json` is [`document`], checked in.
//!
//! Here: the document as a tree of objects. Which members each kind of object may have is in `objects`, schemas (where
//! nearly all the differences are) in `schema`.

mod objects;
mod schema;

use std::fmt;

use serde_json::{Map, Value, json};

use objects::{Kind, Rule};

/// The version that is written. 3.0.3 restricts `nullable` beside `allOf` so much that an optional object could not be
/// expressed.
const VERSION: &str = "3.0.2";

/// Something that OpenAPI 3.0 cannot express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inexpressible {
    /// The place: a JSON pointer into the 3.1 document.
    pub pointer: String,
    /// What is there, and why 3.0 cannot express it.
    pub what: String,
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenAPI 3.0 cannot express {:?}: {}", self.pointer, self.what)
    }
}

impl std::error::Error for Inexpressible {}

/// The API's document in OpenAPI 3.0, as it is checked in.
///
/// # Errors
/// What 3.0 cannot express.
pub fn document() -> Result<String, String> {
    let document = serde_json::from_str(&berth_api::openapi::document()).map_err(|error| error.to_string())?;
    let converted = convert(&document).map_err(|error| error.to_string())?;
    let text = serde_json::to_string_pretty(&converted).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

/// `document`, a whole OpenAPI 3.1 document, in 3.0.
///
/// # Errors
/// The first place that 3.0 cannot express.
pub fn convert(document: &Value) -> Result<Value, Inexpressible> {
    let at = At { document, pointer: String::new() };
    if !document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")) {
        return Err(at.inexpressible("this is no OpenAPI 3.1 document"));
    }
    let mut converted = object(Kind::Document, document, &at)?;
    converted["openapi"] = json!(VERSION);
    // Optional in 3.1, required in 3.0.
    if converted["paths"].is_null() {
        converted["paths"] = json!({});
    }
    Ok(converted)
}

/// A place in the document that is converted.
struct At<'a> {
    document: &'a Value,
    pointer: String,
}

impl At<'_> {
    fn inside(&self, segment: &str) -> Self {
        let segment = segment.replace('~', "~0").replace('/', "~1");
        Self { document: self.document, pointer: format!("{}/{segment}", self.pointer) }
    }

    fn inexpressible(&self, what: impl Into<String>) -> Inexpressible {
        Inexpressible { pointer: self.pointer.clone(), what: what.into() }
    }
}

/// An object of this kind.
fn object(kind: Kind, value: &Value, at: &At) -> Result<Value, Inexpressible> {
    if kind == Kind::Schema {
        return schema::convert(value, at);
    }
    let members = value.as_object().ok_or_else(|| at.inexpressible("this is no object"))?;
    if members.contains_key("$ref") {
        return reference(members, at);
    }
    let mut converted = Map::new();
    for (name, value) in members {
        let inside = at.inside(name);
        let rule = if name.starts_with("x-") { Some(Rule::Keep) } else { kind.rule(name) };
        let value = match rule {
            Some(Rule::Keep) => value.clone(),
            Some(Rule::Requirements) => objects::requirements(value, &inside)?,
            Some(Rule::One(kind)) => object(kind, value, &inside)?,
            Some(Rule::Each(kind)) => each(kind, value, &inside)?,
            Some(Rule::Map(kind)) => map(kind, value, &inside)?,
            Some(Rule::OnlyEmpty) if is_empty(value) => continue,
            Some(Rule::OnlyEmpty) | None => {
                return Err(inside.inexpressible(format!("it has no `{name}` in {}", kind.name())));
            }
        };
        converted.insert(name.clone(), value);
    }
    kind.finish(&mut converted, at)?;
    Ok(Value::Object(converted))
}

/// A reference that is no schema. 3.1 allows a summary and a description beside `$ref`, 3.0 allows nothing.
fn reference(members: &Map<String, Value>, at: &At) -> Result<Value, Inexpressible> {
    match members.keys().find(|name| *name != "$ref") {
        None => Ok(Value::Object(members.clone())),
        Some(beside) => Err(at.inside(beside).inexpressible("nothing may stand beside `$ref`")),
    }
}

fn each(kind: Kind, value: &Value, at: &At) -> Result<Value, Inexpressible> {
    let values = value.as_array().ok_or_else(|| at.inexpressible("this is no array"))?;
    values.iter().enumerate().map(|(index, value)| object(kind, value, &at.inside(&index.to_string()))).collect()
}

fn map(kind: Kind, value: &Value, at: &At) -> Result<Value, Inexpressible> {
    let values = value.as_object().ok_or_else(|| at.inexpressible("this is no object"))?;
    let converted = values.iter().map(|(name, value)| {
        // In other maps, the author chooses the names, so that one may look like an extension.
        let value = if kind == Kind::PathItem && name.starts_with("x-") {
            value.clone()
        } else {
            object(kind, value, &at.inside(name))?
        };
        Ok((name.clone(), value))
    });
    converted.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
