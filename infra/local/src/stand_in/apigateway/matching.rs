//! Finds the resource for a path, and maps parts of the caller's request to parts of the request to the service.

use std::collections::BTreeMap;

use super::encoding;
use super::gateway_response::GatewayResponse;
use super::methods::is_http_method;
use super::model::{Method, Resource};

/// What answers a request.
pub struct Found<'a> {
    pub resource: &'a Resource,
    pub method: &'a Method,
    /// The values of the path parameters, encoded as in the path.
    pub values: BTreeMap<String, String>,
}

/// The resource and method for a path and a method. A static part has precedence over a variable, a variable over a
/// greedy one; a resource without the method does not match, so that the next one gets the request.
pub fn find<'a>(resources: &'a BTreeMap<String, Resource>, path: &str, method: &str) -> Option<Found<'a>> {
    let root = resources.values().find(|resource| resource.parent.is_none())?;
    // API Gateway treats `/a/` like `/a`, and `{proxy+}` does not include the last slash.
    let path = path.trim_matches('/');
    let parts: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
    let mut values = BTreeMap::new();
    let (resource, method) = descend(resources, root, &parts, method, &mut values)?;
    Some(Found { resource, method, values })
}

/// The method of a resource that answers this HTTP method. HEAD is never answered by GET.
fn answering<'a>(resource: &'a Resource, method: &str) -> Option<&'a Method> {
    // ANY is every method that API Gateway has (docs/aws.md#paths-and-queries), and none itself.
    let exists = is_http_method(method) && method != "ANY";
    resource.methods.get(method).or_else(|| resource.methods.get("ANY")).filter(|_| exists)
}

fn descend<'a>(
    resources: &'a BTreeMap<String, Resource>,
    at: &'a Resource,
    parts: &[&str],
    method: &str,
    parameters: &mut BTreeMap<String, String>,
) -> Option<(&'a Resource, &'a Method)> {
    let Some((first, rest)) = parts.split_first() else {
        return Some((at, answering(at, method)?));
    };
    let children = || resources.values().filter(|child| child.parent.as_ref() == Some(&at.id));
    let fixed = children().find(|child| child.part.as_deref() == Some(first));
    if let Some(found) = fixed.and_then(|child| descend(resources, child, rest, method, parameters)) {
        return Some(found);
    }
    // A resource has at most one variable child.
    let (child, name) = children().find_map(|child| {
        let name = child.part.as_deref()?.strip_prefix('{')?.strip_suffix('}')?;
        Some((child, name))
    })?;
    let (name, value, rest) = match name.strip_suffix('+') {
        Some(name) => (name, parts.join("/"), &[][..]),
        None => (name, (*first).to_owned(), rest),
    };
    let found = descend(resources, child, rest, method, parameters)?;
    parameters.insert(name.to_owned(), value);
    Some(found)
}

/// Whether `source` may be mapped to `target` for this method. The method must declare the request parameter that a
/// source names.
pub fn is_mapping(method: &Method, target: &str, source: &str) -> bool {
    let place = target.strip_prefix("integration.request.").and_then(|rest| rest.split_once('.'));
    let target_known =
        place.is_some_and(|(place, name)| ["path", "querystring", "header"].contains(&place) && !name.is_empty());
    let source_known = literal(source).is_some()
        || method.request_parameters.contains_key(source)
        || source.starts_with("stageVariables.")
        || CONTEXT.contains(&source);
    target_known && source_known
}

/// The parts of the context that can be mapped.
pub const CONTEXT: [&str; 5] =
    ["context.requestId", "context.apiId", "context.stage", "context.httpMethod", "context.identity.sourceIp"];

/// The text of a `'literal'`.
pub fn literal(source: &str) -> Option<&str> {
    source.strip_prefix('\'')?.strip_suffix('\'')
}

/// `text` with every `${stageVariables.x}` replaced; `None` when a variable is missing.
pub fn with_variables(text: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    const OPEN: &str = "${stageVariables.";
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, after) = after.split_once('}')?;
        written.push_str(before);
        written.push_str(&variable(name)?);
        rest = after;
    }
    written.push_str(rest);
    Some(written)
}

/// The parts of an integration's URI.
#[derive(Debug, PartialEq, Eq)]
pub struct Uri {
    /// `host:port` as in the URI; the service gets it as `Host`.
    pub authority: String,
    /// The port.
    pub port: u16,
    /// The path, with its `{variables}`.
    pub path: String,
    /// The query, if it has one.
    pub query: Option<String>,
}

impl Uri {
    /// Takes `http://host[:port][/path][?query]` apart. Stage variables that are not replaced yet count as digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = with_variables(text, |_| Some("1".to_owned()))?;
        let rest = text.strip_prefix("http://")?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, 80),
        };
        let well_formed = host.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_".contains(letter));
        (well_formed && !host.is_empty() && port != 0).then(|| Self {
            authority: authority.to_owned(),
            port,
            path: path.to_owned(),
            query,
        })
    }

    /// The path with its `{variables}` replaced. One without a value gives 500, because the address would be invalid.
    pub fn path_with(&self, values: &BTreeMap<String, String>) -> Result<String, GatewayResponse> {
        with_values(&self.path, values, encoding::in_path)
    }

    /// The query with its `{variables}` replaced, if the URI has one.
    pub fn query_with(&self, values: &BTreeMap<String, String>) -> Result<Option<String>, GatewayResponse> {
        self.query.as_deref().map(|query| with_values(query, values, encoding::in_query)).transpose()
    }
}

fn with_values(
    text: &str,
    values: &BTreeMap<String, String>,
    encode: impl Fn(&str) -> Result<String, GatewayResponse>,
) -> Result<String, GatewayResponse> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(GatewayResponse::INTERNAL)?;
        written.push_str(before);
        written.push_str(&encode(values.get(name).ok_or(GatewayResponse::INTERNAL)?)?);
        rest = after;
    }
    written.push_str(rest);
    Ok(written)
}
