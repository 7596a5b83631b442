//! The awsQuery protocol (ELBv2, STS, EC2): form parameters to a JSON value, a JSON value to XML.
//!
//! `Subnets.member.1=a&Tags.member.1.Key=k` becomes `{"Subnets": ["a"], "Tags": [{"Key": "k"}]}`; all leaves are
//! strings. EC2 leaves `member` out (`SubnetId.1=a`), which the same rule covers: keys that are all numbers are a list.
//! In replies, the entries of a list are `<member>` elements (EC2: `<item>`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::stand_in::refusal::Refusal;
use crate::stand_in::service::Dialect;

/// No operation of these services nests deeper. Further dots of a key do not nest, so that a request cannot exhaust the
/// stack.
const DEEPEST: usize = 16;

/// The JSON value of a form body, without `Action` and `Version`.
#[must_use]
pub fn parse(body: &[u8]) -> (String, Value) {
    let mut tree = Tree::default();
    let mut action = String::new();
    for (key, value) in form_urlencoded::parse(body) {
        match key.as_ref() {
            "Action" => action = value.into_owned(),
            "Version" => {}
            key => tree.insert(key.splitn(DEEPEST, '.').filter(|part| *part != "member"), value.into_owned()),
        }
    }
    (action, tree.into_value())
}

#[derive(Default)]
struct Tree {
    leaf: Option<String>,
    children: BTreeMap<String, Tree>,
}

impl Tree {
    fn insert<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, value: String) {
        match path.next() {
            None => self.leaf = Some(value),
            Some(key) => self.children.entry(key.to_owned()).or_default().insert(path, value),
        }
    }

    fn into_value(self) -> Value {
        if let (Some(leaf), true) = (&self.leaf, self.children.is_empty()) {
            return Value::String(leaf.clone());
        }
        let numbered: Option<BTreeMap<u64, &String>> =
            self.children.keys().map(|key| key.parse().ok().map(|number| (number, key))).collect();
        match numbered.filter(|numbered| !numbered.is_empty()) {
            Some(order) => {
                let order: Vec<String> = order.into_values().cloned().collect();
                let mut children = self.children;
                Value::Array(order.iter().filter_map(|key| children.remove(key)).map(Self::into_value).collect())
            }
            None => Value::Object(self.children.into_iter().map(|(key, tree)| (key, tree.into_value())).collect()),
        }
    }
}

/// A successful reply.
#[must_use]
pub fn reply(dialect: Dialect, action: &str, result: &Value, request_id: &str) -> String {
    let mut xml = String::new();
    let Dialect { namespace, list, wrapped } = dialect;
    let body = |xml: &mut String| {
        if let Value::Object(fields) = result {
            write_fields(xml, fields, list);
        }
    };
    if wrapped {
        xml.push_str(&format!("<{action}Response xmlns=\"{namespace}\"><{action}Result>"));
        body(&mut xml);
        xml.push_str(&format!(
            "</{action}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
        ));
    } else {
        xml.push_str(&format!("<{action}Response xmlns=\"{namespace}\"><requestId>{request_id}</requestId>"));
        body(&mut xml);
        xml.push_str(&format!("</{action}Response>"));
    }
    xml
}

/// An error reply.
#[must_use]
pub fn refuse(dialect: Dialect, refusal: &Refusal, request_id: &str) -> String {
    let kind = if refusal.status >= 500 { "Receiver" } else { "Sender" };
    let (code, message) = (escape(&refusal.code), escape(&refusal.message));
    if dialect.wrapped {
        let namespace = dialect.namespace;
        format!(
            "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    } else {
        format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    }
}

fn write_fields(xml: &mut String, fields: &Map<String, Value>, list: &str) {
    for (name, value) in fields {
        write(xml, name, value, list);
    }
}

fn write(xml: &mut String, name: &str, value: &Value, list: &str) {
    if value.is_null() {
        return;
    }
    xml.push_str(&format!("<{name}>"));
    match value {
        Value::Null => {}
        Value::Bool(flag) => xml.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => xml.push_str(&number.to_string()),
        Value::String(text) => xml.push_str(&escape(text)),
        Value::Array(entries) => entries.iter().for_each(|entry| write(xml, list, entry, list)),
        Value::Object(fields) => write_fields(xml, fields, list),
    }
    xml.push_str(&format!("</{name}>"));
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\r' => escaped.push_str("&#xD;"),
            '\n' | '\t' => escaped.push(character),
            // XML 1.0 has no way to write the other control characters.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}
