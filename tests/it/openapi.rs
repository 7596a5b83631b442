//! OpenAPI 3.1 to 3.0, rule by rule: what becomes of a schema or document, and what is refused because 3.0 cannot say it. And
//! where the document repeats a rule of the code in its own words: that both say the same.

use berth_domain::request::EnvironmentRequest;
use berth_local::openapi_3_0::convert;
use regex::Regex;
use serde_json::{Value, json};

/// A document with this one schema, and schemas to refer to.
fn document(schema: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "components": {"schemas": {
            "Tested": schema,
            "Object": {"type": "object"},
            "Other": {"type": "object"},
            "Word": {"type": "string"},
        }},
    })
}

/// What becomes of `schema`.
fn schema(schema: &Value) -> Value {
    let converted = convert(&document(schema)).unwrap_or_else(|error| panic!("{schema}: {error}"));
    converted["components"]["schemas"]["Tested"].clone()
}

/// Where `document` is refused.
fn refused(document: &Value) -> String {
    convert(document).expect_err(&format!("{document} is expressible")).pointer
}

#[test]
fn every_difference_between_the_schemas_of_the_two_versions_is_bridged() {
    let word = "#/components/schemas/Word";
    let object = "#/components/schemas/Object";
    let other = "#/components/schemas/Other";
    for (given, expected) in [
        // The null type.
        (
            json!({"type": ["string", "null"], "maxLength": 3}),
            json!({"type": "string", "nullable": true, "maxLength": 3}),
        ),
        (json!({"type": ["integer"]}), json!({"type": "integer"})),
        (
            json!({"oneOf": [{"$ref": object}, {"type": "null"}]}),
            json!({"allOf": [{"$ref": object}], "type": "object", "nullable": true}),
        ),
        (
            json!({"oneOf": [{"$ref": word, "description": "D"}, {"type": "null"}]}),
            json!({"allOf": [{"$ref": word}], "description": "D", "type": "string", "nullable": true}),
        ),
        (
            json!({"description": "D", "anyOf": [{"type": "null"}, {"type": "string", "description": "E"}]}),
            json!({"description": "D", "anyOf": [{"type": "string", "description": "E"}], "type": "string", "nullable": true}),
        ),
        (
            json!({"oneOf": [{"$ref": object}, {"$ref": other}, {"type": "null"}]}),
            json!({"oneOf": [{"$ref": object}, {"$ref": other}], "type": "object", "nullable": true}),
        ),
        // References stand alone.
        (json!({"$ref": word}), json!({"$ref": word})),
        (
            json!({"$ref": word, "description": "D", "default": "d"}),
            json!({"allOf": [{"$ref": word}], "description": "D", "default": "d"}),
        ),
        (json!({"$ref": word, "allOf": [{"minLength": 1}]}), json!({"allOf": [{"$ref": word}, {"minLength": 1}]})),
        // Exclusive bounds; of two the narrower one.
        (json!({"exclusiveMinimum": 1}), json!({"minimum": 1, "exclusiveMinimum": true})),
        (json!({"exclusiveMaximum": 1.5}), json!({"maximum": 1.5, "exclusiveMaximum": true})),
        (json!({"minimum": 1, "exclusiveMinimum": 1}), json!({"minimum": 1, "exclusiveMinimum": true})),
        (json!({"minimum": 2, "exclusiveMinimum": 1}), json!({"minimum": 2})),
        (json!({"maximum": 2, "exclusiveMaximum": 1}), json!({"maximum": 1, "exclusiveMaximum": true})),
        (json!({"maximum": 1, "exclusiveMaximum": 2}), json!({"maximum": 1})),
        // One value, one example.
        (json!({"const": "v"}), json!({"enum": ["v"]})),
        (json!({"type": "string", "examples": ["e"]}), json!({"type": "string", "example": "e"})),
        // Objects and arrays.
        (json!({"propertyNames": {"type": "string"}}), json!({})),
        (json!({"propertyNames": {"maxLength": 3}}), json!({"x-propertyNames": {"maxLength": 3}})),
        (json!({"type": "object", "required": []}), json!({"type": "object"})),
        (json!({"type": "array"}), json!({"type": "array", "items": {}})),
        (json!({"additionalProperties": false}), json!({"additionalProperties": false})),
        (json!({"items": false}), json!({"items": {"not": {}}})),
        (json!(true), json!({})),
        // All the way down; and a property may be called like a keyword.
        (
            json!({"properties": {"const": {"type": ["array", "null"], "items": {"allOf": [{"not": {"const": 1}}]}}}}),
            json!({"properties": {"const": {"type": "array", "nullable": true, "items": {"allOf": [{"not": {"enum": [1]}}]}}}}),
        ),
    ] {
        assert_eq!(schema(&given), expected, "{given}");
    }
}

#[test]
fn what_3_0_cannot_say_of_a_value_is_refused_at_its_place() {
    for (given, place) in [
        (json!({"type": ["string", "integer"]}), "/type"),
        (json!({"type": "null"}), "/type"),
        (json!({"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}), "/oneOf"),
        (json!({"oneOf": [{"minimum": 1}, {"type": "null"}]}), "/oneOf"),
        (json!({"allOf": [{"type": "string"}, {"type": "null"}]}), "/allOf"),
        (json!({"anyOf": [{"type": "null"}]}), "/anyOf"),
        (json!({"const": null}), "/const"),
        (json!({"const": 1, "enum": [1, 2]}), "/const"),
        (json!({"examples": [1, 2]}), "/examples"),
        (json!({"nullable": true}), "/nullable"),
        (json!({"prefixItems": [{}]}), "/prefixItems"),
        (json!({"if": {}, "then": {}}), "/if"),
        (json!({"unevaluatedProperties": false}), "/unevaluatedProperties"),
        (json!({"properties": {"a/b": {"patternProperties": {}}}}), "/properties/a~1b/patternProperties"),
        (json!("a text"), ""),
    ] {
        assert_eq!(refused(&document(&given)), format!("/components/schemas/Tested{place}"), "{given}");
    }
}

#[test]
fn what_stands_around_the_schemas_is_converted_too() {
    let text = json!({"schema": {"type": ["string", "null"]}});
    let converted_text = json!({"schema": {"type": "string", "nullable": true}});
    let with = |text: &Value| {
        json!({"/x": {"x-mine": {"any": ["thing"]}, "post": {
            "parameters": [{"name": "p", "in": "query", "schema": text["schema"]}],
            "requestBody": {"content": {"x/y": text}},
            "responses": {"200": {"description": "D", "headers": {"X-H": text}, "content": {"x/y": text}}},
            "callbacks": {"called": {"{$request.body}": {"get": {"responses": {"200": {"description": "D", "content": {"x/y": text}}}}}}},
        }}})
    };
    let mut given = document(&json!({}));
    given["paths"] = with(&text);
    given["webhooks"] = json!({});
    given["info"]["license"] = json!({"name": "Apache", "identifier": "Apache-2.0"});
    let converted = convert(&given).expect("expressible");
    assert_eq!(converted["openapi"], "3.0.2");
    assert_eq!(converted["paths"], with(&converted_text));
    assert_eq!(converted.get("webhooks"), None);
    let license = json!({"name": "Apache", "url": "https://spdx.org/licenses/Apache-2.0.html"});
    assert_eq!(converted["info"]["license"], license);
    assert_eq!(convert(&document(&json!({}))).expect("expressible")["paths"], json!({}), "3.0 has to have paths");
}

#[test]
fn what_3_0_does_not_have_around_the_schemas_is_refused_at_its_place() {
    let answered = json!({"200": {"description": "D"}});
    for (pointer, value, place) in [
        ("", json!({"openapi": "3.0.3"}), ""),
        ("", json!({"jsonSchemaDialect": "urn:x"}), "/jsonSchemaDialect"),
        ("", json!({"webhooks": {"w": {}}}), "/webhooks"),
        ("", json!({"security": [{"token": ["a role"]}]}), "/security"),
        ("/info", json!({"summary": "S"}), "/info/summary"),
        ("/info", json!({"license": {"name": "N", "identifier": "MIT OR Apache-2.0"}}), "/info/license/identifier"),
        ("/info", json!({"license": {"name": "N", "identifier": "MIT", "url": "u"}}), "/info/license/identifier"),
        ("/components", json!({"pathItems": {"p": {}}}), "/components/pathItems"),
        ("/components", json!({"responses": {"r": {}}}), "/components/responses/r"),
        ("/components", json!({"responses": {"r": {"$ref": "#", "summary": "S"}}}), "/components/responses/r/summary"),
        ("/components", json!({"securitySchemes": {"s": {"type": "mutualTLS"}}}), "/components/securitySchemes/s/type"),
        ("", json!({"paths": {"/x": {"get": {}}}}), "/paths/~1x/get"),
        ("", json!({"paths": {"/x": {"query": {"responses": answered}}}}), "/paths/~1x/query"),
        (
            "",
            json!({"paths": {"/x": {"get": {"responses": answered, "requestBody": {}}}}}),
            "/paths/~1x/get/requestBody",
        ),
        ("", json!({"paths": {"/x": {"post": {"responses": {"200": {}}}}}}), "/paths/~1x/post/responses/200"),
    ] {
        let mut given = document(&json!({}));
        let target = given.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
        target.extend(value.as_object().expect("an object").clone());
        assert_eq!(refused(&given), place, "{value}");
    }
}

#[test]
fn a_lifetime_is_accepted_exactly_if_it_matches_the_pattern_and_is_a_minute_to_a_year() {
    let document: Value = serde_json::from_str(&berth_api::openapi::document()).expect("JSON");
    let pattern = document["components"]["schemas"]["Lifetime"]["pattern"].as_str().expect("a pattern");
    let pattern = Regex::new(pattern).expect("a regular expression");
    let year = 365 * 24 * 3600;
    for (unit, seconds) in [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 7 * 86_400), ("", 1)] {
        for around in [0, 60u64.div_ceil(seconds), year / seconds, 100_000_000, u64::MAX / seconds] {
            for number in around.saturating_sub(2)..around.saturating_add(3) {
                let in_bounds = (60..=year).contains(&number.saturating_mul(seconds));
                for text in [format!("{number}{unit}"), format!("0{number}{unit}"), format!("+{number}{unit}")] {
                    let accepted = text.parse::<berth_domain::Lifetime>().is_ok();
                    assert_eq!(accepted, pattern.is_match(&text) && in_bounds, "{text}");
                }
            }
        }
    }
}

#[test]
fn a_path_is_accepted_exactly_if_it_matches_the_pattern_and_is_no_path_of_api_gateways() {
    let document: Value = serde_json::from_str(&berth_api::openapi::document()).expect("JSON");
    let path = &document["components"]["schemas"]["HealthCheckPath"];
    let pattern = path["pattern"].as_str().expect("a pattern");
    let pattern = Regex::new(pattern).expect("a regular expression");
    let parts = ["", "/", ".", "..", "a", "%", "%00", "%0", "%2e", "%2F", "%zz", "?", "~", " "];
    for first in parts {
        for second in parts {
            for third in parts {
                for text in [format!("/{first}{second}{third}"), format!("{first}/{second}/{third}/{first}{second}")] {
                    let body = json!({"name": "a", "task_definition": "a", "health_check": {"path": text}});
                    let accepted = EnvironmentRequest::read(body.to_string().as_bytes()).is_ok();
                    assert_eq!(accepted, pattern.is_match(&text), "{text:?}");
                }
            }
        }
    }
}
