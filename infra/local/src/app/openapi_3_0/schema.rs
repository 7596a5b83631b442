//! Schemas: JSON Schema 2020-12 in 3.1, a dialect of an old draft in 3.0. The rules, in the order of the functions:
//! references stand alone, there is no `null` type, `const`, exclusive bounds with a number, nor a list of examples, and
//! the keys of an object cannot be constrained.

use serde_json::{Map, Value, json};

use super::{At, Inexpressible};

/// The keywords with the same meaning in both versions. Their sub-schemas are converted before they are kept.
const KEPT: [&str; 27] = [
    "title",
    "description",
    "format",
    "default",
    "example",
    "enum",
    "multipleOf",
    "maximum",
    "minimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxProperties",
    "minProperties",
    "required",
    "readOnly",
    "writeOnly",
    "deprecated",
    "externalDocs",
    "discriminator",
    "xml",
    "type",
    "nullable",
    "$ref",
];

/// `schema` in 3.0.
pub(super) fn convert(schema: &Value, at: &At) -> Result<Value, Inexpressible> {
    let members = match schema {
        Value::Bool(true) => return Ok(json!({})),
        Value::Bool(false) => return Ok(json!({"not": {}})),
        Value::Object(members) => members,
        _ => return Err(at.inexpressible("this is no schema")),
    };
    let mut converted = Map::new();
    for (name, value) in members {
        let inside = at.inside(name);
        let value = match name.as_str() {
            "nullable" => return Err(inside.inexpressible("3.1 has no `nullable`; it would get a meaning here")),
            "items" | "not" => convert(value, &inside)?,
            // A Boolean has the same meaning in both versions here.
            "additionalProperties" if value.is_boolean() => value.clone(),
            "additionalProperties" => convert(value, &inside)?,
            "properties" => super::map(super::Kind::Schema, value, &inside)?,
            "allOf" | "anyOf" | "oneOf" if is_null_among(value) => continue, // see `null_alternative`
            "allOf" | "anyOf" | "oneOf" => super::each(super::Kind::Schema, value, &inside)?,
            "const" | "examples" | "exclusiveMinimum" | "exclusiveMaximum" | "propertyNames" => continue, // below
            name if name.starts_with("x-") || KEPT.contains(&name) => value.clone(),
            name => return Err(inside.inexpressible(format!("it has no `{name}` in a schema"))),
        };
        converted.insert(name.clone(), value);
    }
    null_type(&mut converted, at)?;
    null_alternative(&mut converted, members, at)?;
    constant(&mut converted, members, at)?;
    bound(&mut converted, members, ("minimum", "exclusiveMinimum"), |exclusive, inclusive| exclusive >= inclusive, at)?;
    bound(&mut converted, members, ("maximum", "exclusiveMaximum"), |exclusive, inclusive| exclusive <= inclusive, at)?;
    examples(&mut converted, members, at)?;
    keys(&mut converted, members);
    if converted.get("type") == Some(&json!("array")) && !converted.contains_key("items") {
        converted.insert("items".to_owned(), json!({}));
    }
    if converted.get("required") == Some(&json!([])) {
        converted.remove("required");
    }
    reference_alone(&mut converted);
    Ok(Value::Object(converted))
}

/// `type: [T, null]` is `type: T, nullable: true`.
fn null_type(schema: &mut Map<String, Value>, at: &At) -> Result<(), Inexpressible> {
    let at = at.inside("type");
    let types = match schema.get("type") {
        None => return Ok(()),
        Some(Value::Array(types)) => types.clone(),
        Some(one) => vec![one.clone()],
    };
    let (null, mut others): (Vec<_>, Vec<_>) = types.into_iter().partition(|one| one == "null");
    let (Some(only), true) = (others.pop(), others.is_empty()) else {
        return Err(at.inexpressible("a value has one type, and that cannot be `null`"));
    };
    schema.insert("type".to_owned(), only);
    if !null.is_empty() {
        schema.insert("nullable".to_owned(), json!(true));
    }
    Ok(())
}

/// Alternatives with `null` among them are the other ones with `nullable: true`, and with the `type` that all of them
/// have.
fn null_alternative(
    schema: &mut Map<String, Value>,
    original: &Map<String, Value>,
    at: &At,
) -> Result<(), Inexpressible> {
    for name in ["allOf", "anyOf", "oneOf"] {
        let Some(value) = original.get(name).filter(|value| is_null_among(value)) else { continue };
        let at = at.inside(name);
        let others: Vec<&Value> = value.as_array().into_iter().flatten().filter(|one| !is_null(one)).collect();
        let mut types = others.iter().map(|one| type_of(one, &at));
        let common = types.next().flatten().filter(|first| types.all(|other| other.as_ref() == Some(first)));
        let (Some(common), None) = (common.filter(|_| name != "allOf"), original.get("type")) else {
            return Err(at.inexpressible("beside `null` there have to be alternatives of one and the same type"));
        };
        let others = others.into_iter().enumerate().map(|(index, one)| convert(one, &at.inside(&index.to_string())));
        let mut others = others.collect::<Result<Vec<_>, _>>()?;
        match (others.pop(), others.is_empty()) {
            // The keywords of the only alternative move to the whole schema; an `allOf` of the schema itself stays.
            (Some(Value::Object(only)), true) if only.keys().all(|key| !schema.contains_key(key)) => {
                schema.extend(only);
            }
            (Some(last), _) => {
                others.push(last);
                schema.insert(name.to_owned(), Value::Array(others));
            }
            (None, _) => return Err(at.inexpressible("nothing is left beside `null`")),
        }
        schema.insert("type".to_owned(), common);
        schema.insert("nullable".to_owned(), json!(true));
    }
    Ok(())
}

/// `const: V` is `enum: [V]`.
fn constant(schema: &mut Map<String, Value>, original: &Map<String, Value>, at: &At) -> Result<(), Inexpressible> {
    let Some(value) = original.get("const") else { return Ok(()) };
    if value.is_null() || schema.contains_key("enum") {
        return Err(at.inside("const").inexpressible("it has neither a constant `null` nor one beside an `enum`"));
    }
    schema.insert("enum".to_owned(), json!([value]));
    Ok(())
}

/// An exclusive bound is a number in 3.1, and a flag of the inclusive bound in 3.0. Of two bounds, the narrower one is
/// kept.
fn bound(
    schema: &mut Map<String, Value>,
    original: &Map<String, Value>,
    (inclusive, exclusive): (&str, &str),
    narrower: fn(f64, f64) -> bool,
    at: &At,
) -> Result<(), Inexpressible> {
    let Some(value) = original.get(exclusive) else { return Ok(()) };
    let Some(number) = value.as_f64() else {
        return Err(at.inside(exclusive).inexpressible("this is no number"));
    };
    if schema.get(inclusive).and_then(Value::as_f64).is_none_or(|other| narrower(number, other)) {
        schema.insert(inclusive.to_owned(), value.clone());
        schema.insert(exclusive.to_owned(), json!(true));
    }
    Ok(())
}

/// `examples: [E]` is `example: E`; 3.0 has room for only one.
fn examples(schema: &mut Map<String, Value>, original: &Map<String, Value>, at: &At) -> Result<(), Inexpressible> {
    match original.get("examples").map(|examples| examples.as_array().map(Vec::as_slice)) {
        None | Some(Some([])) => Ok(()),
        Some(Some([only])) if !schema.contains_key("example") => {
            schema.insert("example".to_owned(), only.clone());
            Ok(())
        }
        Some(_) => Err(at.inside("examples").inexpressible("a schema has one example")),
    }
}

/// Keys are always strings. Other constraints on keys go into an extension, so that readers still see them.
fn keys(schema: &mut Map<String, Value>, original: &Map<String, Value>) {
    match original.get("propertyNames") {
        Some(names) if *names != json!({"type": "string"}) && *names != json!(true) => {
            schema.insert("x-propertyNames".to_owned(), names.clone());
        }
        _ => {}
    }
}

/// 3.0 ignores all keywords beside `$ref`, so the reference moves into an `allOf`.
fn reference_alone(schema: &mut Map<String, Value>) {
    if schema.len() == 1 {
        return;
    }
    if let Some(reference) = schema.remove("$ref") {
        let all = schema.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.insert(0, json!({"$ref": reference}));
        }
    }
}

/// The type of a schema, or of the schema that it refers to.
fn type_of(schema: &Value, at: &At) -> Option<Value> {
    let referred = schema["$ref"].as_str().and_then(|reference| at.document.pointer(reference.strip_prefix('#')?));
    let found = referred.unwrap_or(schema)["type"].clone();
    found.is_string().then_some(found)
}

fn is_null(schema: &Value) -> bool {
    *schema == json!({"type": "null"})
}

fn is_null_among(schemas: &Value) -> bool {
    schemas.as_array().is_some_and(|schemas| schemas.iter().any(is_null))
}
