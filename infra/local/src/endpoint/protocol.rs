//! The wire protocols: which call a request is, and how its result is written. The form encoding and the XML of the query
//! protocols are in `query`.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::query;
use super::services::SERVICES;
use crate::stand_in::refusal::Refusal;
use crate::stand_in::service::{AwsService, Dialect, Protocol, Reply};

/// One API call, as read from its request.
pub(super) struct AwsCall {
    pub service: &'static AwsService,
    pub operation: String,
    /// The members; `Null` if the body is no JSON object, which is refused when the call is answered.
    pub input: Value,
}

/// How errors of a query service that is not played look.
const UNKNOWN: Dialect =
    Dialect { namespace: "http://webservices.amazon.com/AWSFault/2005-15-09", list: "member", wrapped: true };

/// Reads the call from a request; `None` when no service has such a call.
pub(super) fn read(request: &Request<Bytes>) -> Option<AwsCall> {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    let target = target.filter(|_| request.uri().path() == "/");
    if let Some((name, operation)) = target.and_then(|target| target.split_once('.')) {
        let service = SERVICES
            .into_iter()
            .find(|service| matches!(service.protocol, Protocol::Json { target, .. } if target == name))?;
        let input = serde_json::from_slice(request.body()).unwrap_or_default();
        return Some(AwsCall { service, operation: operation.to_owned(), input });
    }
    for service in SERVICES {
        if let Protocol::Rest { route } = service.protocol
            && let Some((operation, input)) = route(request)
        {
            return Some(AwsCall { service, operation: operation.to_owned(), input });
        }
    }
    if request.uri().path() != "/" || request.method() != http::Method::POST {
        return None;
    }
    let asked = form_urlencoded::parse(request.body()).find(|(key, _)| key == "Version")?.1;
    let service = SERVICES
        .into_iter()
        .find(|service| matches!(service.protocol, Protocol::Query { version, .. } if version == asked))?;
    let (operation, input) = query::parse(request.body());
    Some(AwsCall { service, operation, input })
}

/// Writes the response to a call.
pub(super) fn write(call: &AwsCall, result: Result<Reply, Refusal>, request_id: &str) -> Response<Bytes> {
    let mut response = match call.service.protocol {
        Protocol::Query { dialect, .. } => xml(dialect, &call.operation, result, request_id),
        Protocol::Json { content_type, .. } => aws_json(content_type, result),
        Protocol::Rest { .. } => rest_json(result),
    };
    if let Ok(value) = request_id.parse() {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
    response
}

/// The response to a call of a service that is not played, in the form of its protocol.
pub(super) fn unknown(request: &Request<Bytes>) -> Response<Bytes> {
    const PLAYED: &str =
        "It plays ELBv2, ECS, API Gateway v1, DynamoDB, Step Functions and a little of CloudWatch Logs, STS and EC2";
    let headers = request.headers();
    let refusal = |code: &str, what: &str| Refusal::bad(code, format!("berth-local does not play {what}. {PLAYED}."));
    if let Some(target) = headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        let content_type = match headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) {
            Some(b"application/x-amz-json-1.0") => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        };
        return aws_json(content_type, Err(refusal("UnknownOperationException", target)));
    }
    let member =
        |name: &str| form_urlencoded::parse(request.body()).find(|(key, _)| key == name).map(|(_, value)| value);
    if let (Some(action), Some(version)) = (member("Action"), member("Version")) {
        let refusal = refusal("InvalidAction", &format!("{action} of version {version}"));
        return respond(refusal.status, "text/xml", query::refuse(UNKNOWN, &refusal, "unknown").into());
    }
    let called = format!("{} {}", request.method(), request.uri().path());
    match service_name(request) {
        Some(name) if REST_XML.contains(&name) => {
            let refusal = refusal("NotImplemented", &format!("{called} of {name}"));
            respond(refusal.status, "application/xml", query::refuse(UNKNOWN, &refusal, "unknown").into())
        }
        name => {
            let of = name.map(|name| format!(" of {name}")).unwrap_or_default();
            rest_json(Err(refusal("UnknownOperationException", &format!("{called}{of}"))))
        }
    }
}

/// The services whose REST protocol has errors in XML.
const REST_XML: [&str; 4] = ["s3", "route53", "cloudfront", "s3-control"];

/// The service that a signature is for: `Credential=ID/DATE/REGION/SERVICE/aws4_request`.
fn service_name(request: &Request<Bytes>) -> Option<&str> {
    let authorization = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    authorization.split_once("Credential=")?.1.split([',', ' ']).next()?.split('/').nth(3)
}

fn xml(dialect: Dialect, operation: &str, result: Result<Reply, Refusal>, request_id: &str) -> Response<Bytes> {
    let (status, xml) = match result {
        Ok((status, reply)) => (status, query::reply(dialect, operation, &reply, request_id)),
        Err(refusal) => (refusal.status, query::refuse(dialect, &refusal, request_id)),
    };
    respond(status, "text/xml", xml.into())
}

fn aws_json(content_type: &'static str, result: Result<Reply, Refusal>) -> Response<Bytes> {
    match result {
        Ok((status, reply)) => respond(status, content_type, reply.to_string().into()),
        Err(refusal) => respond(
            refusal.status,
            content_type,
            refusal
                .body
                .map_or_else(|| json!({"__type": refusal.code, "message": refusal.message}), |body| *body)
                .to_string()
                .into(),
        ),
    }
}

fn rest_json(result: Result<Reply, Refusal>) -> Response<Bytes> {
    match result {
        Ok((status, Value::Null)) => respond(status, "application/json", Bytes::new()),
        Ok((status, reply)) => respond(status, "application/json", reply.to_string().into()),
        Err(refusal) => {
            let mut response =
                respond(refusal.status, "application/json", json!({"message": refusal.message}).to_string().into());
            if let Ok(value) = refusal.code.parse() {
                response.headers_mut().insert("x-amzn-errortype", value);
            }
            response
        }
    }
}

fn respond(status: u16, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
