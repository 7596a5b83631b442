//! What API Gateway does to the headers of a request and of a response: the tables of docs/aws.md#headers-on-the-way. Values
//! are never changed here; `invoke` adds the gateway's own headers.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::gateway_response::GatewayResponse;

/// Headers of the caller that no service gets. AWS documents none of the last three (docs/aws.md#not-confirmed); they concern
/// one connection, or a proxy on the way.
const DROPPED_FROM_REQUESTS: [&str; 19] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
    METHOD_OVERRIDE,
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
];
/// The header by which a caller names another method than that of its request; the service does not get it.
pub const METHOD_OVERRIDE: &str = "x-http-method-override";
/// Headers that a mapping of the integration may name, although no service gets them.
const DROPPED_FROM_MAPPINGS: [&str; 5] = ["connection", "expect", "proxy-authenticate", "te", "via"];
/// Headers that a mapping of the integration must not name: the gateway answers 500.
const ILLEGAL_IN_MAPPINGS: [&str; 2] = ["content-length", "transfer-encoding"];
/// Headers of the service that no caller gets. AWS documents none of the last three (docs/aws.md#not-confirmed).
const DROPPED_FROM_RESPONSES: [&str; 11] = [
    "expect",
    "host",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
];
/// Headers of the service that reach the caller as `x-amzn-remapped-…`, because the gateway has its own or needs none.
const REMAPPED_IN_RESPONSES: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "max-forwards",
    "server",
    "user-agent",
    "www-authenticate",
    "x-amzn-requestid",
];

/// Headers that a non-proxy integration may set in its response and that reach the caller as `x-amzn-remapped-…`.
const REMAPPED_FROM_MAPPINGS: [&str; 14] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "trailer",
    "upgrade",
    "user-agent",
    "www-authenticate",
];

/// The caller's headers that the service gets, line by line. A non-proxy integration passes only those that describe the
/// body. `signed`: the method uses AWS_IAM, whose `Authorization` is for the gateway alone.
pub fn to_service(from: &HeaderMap, proxy: bool, signed: bool) -> HeaderMap {
    let kept = |name: &HeaderName, value: &HeaderValue| match proxy {
        true if *name == header::AUTHORIZATION => !signed && !value.as_bytes().starts_with(b"AWS4-"),
        true => !DROPPED_FROM_REQUESTS.contains(&name.as_str()),
        false => [header::CONTENT_TYPE, header::ACCEPT].contains(name),
    };
    let kept = from.iter().filter(|(name, value)| kept(name, value));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Puts the headers that the integration maps in place of the caller's. A mapped header passes even where the caller's
/// would be dropped.
pub fn map(headers: &mut HeaderMap, mapped: HeaderMap) -> Result<(), GatewayResponse> {
    for (name, value) in mapped {
        let Some(name) = name else { continue };
        if ILLEGAL_IN_MAPPINGS.contains(&name.as_str()) {
            return Err(GatewayResponse::INTERNAL);
        }
        if !DROPPED_FROM_MAPPINGS.contains(&name.as_str()) {
            headers.insert(name, value);
        }
    }
    Ok(())
}

/// The service's headers as the caller of a proxy integration sees them, line by line. A header that is in neither table
/// passes, `x-amzn-ErrorType` too.
pub fn to_caller(from: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in from {
        let remapped = REMAPPED_IN_RESPONSES.contains(&name.as_str());
        match format!("x-amzn-remapped-{name}").parse::<HeaderName>() {
            Ok(other) if remapped => drop(headers.append(other, value.clone())),
            _ if remapped || DROPPED_FROM_RESPONSES.contains(&name.as_str()) => {}
            _ => drop(headers.append(name.clone(), value.clone())),
        }
    }
    let json = HeaderValue::from_static("application/json");
    headers.entry(header::CONTENT_TYPE).or_insert(json);
    headers
}

/// The name under which a header that a non-proxy integration sets reaches the caller, if it does.
pub fn set_for_caller(name: HeaderName) -> Option<HeaderName> {
    match name.as_str() {
        "transfer-encoding" => None,
        other if REMAPPED_FROM_MAPPINGS.contains(&other) => format!("x-amzn-remapped-{other}").parse().ok(),
        _ => Some(name),
    }
}
