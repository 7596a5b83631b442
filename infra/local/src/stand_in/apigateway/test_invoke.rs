//! TestInvokeMethod: one request to a method as it is now, deployed or not. Neither its authorization nor the resource policy
//! is asked, and the caller names the stage variables. AWS does not document the policy's part (docs/aws.md#who-may-invoke).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use super::gateway_response::GatewayResponse;
use super::invoke::{Caller, Ids, carry_out, plan_method};
use super::matching::find;
use super::wire::{api, bad, no_resource, not_found, read};
use crate::stand_in::Cloud;
use crate::stand_in::refusal::Refusal;
use crate::stand_in::service::{Answer, Reply};

/// What `context.stage` is in such a request.
const STAGE: &str = "test-invoke-stage";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    path_with_query_string: Option<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    stage_variables: BTreeMap<String, String>,
}

/// Answers the call: it waits for the service.
pub fn call(cloud: Cloud, input: Value) -> Answer {
    Box::pin(async move { test(&cloud, read(&input)?).await })
}

async fn test(cloud: &Cloud, input: Input) -> Result<Reply, Refusal> {
    let (ids, plan) = cloud.change(|account| {
        let ids = Ids::draw(account);
        let api = api(account, &input.rest_api_id)?;
        let resource = api.resources.get(&input.resource_id).ok_or_else(no_resource)?;
        let method = resource.methods.get(&input.http_method).or_else(|| resource.methods.get("ANY"));
        let method = method.ok_or_else(|| not_found("Invalid Method identifier specified"))?;
        let target = input.path_with_query_string.as_deref().unwrap_or(&resource.path);
        let request = request(&input, target)?;
        let caller = Caller { ids: &ids, api: &input.rest_api_id, stage: STAGE, request: &request };
        let found = find(&api.resources, request.uri().path(), &caller.method());
        // AWS takes any path, and reads no parameters from one that does not fit the resource.
        let values = found.filter(|found| found.resource.id == resource.id).map(|found| found.values);
        let values = values.unwrap_or_default();
        let plan = plan_method(account, &api.payloads(), method, &caller, &values, &input.stage_variables);
        Ok::<_, Refusal>((ids, plan))
    })?;
    let clock = cloud.read(|account| account.engine.clock.clone());
    let began = clock.now();
    let answer = match plan {
        Ok(plan) => carry_out(cloud, plan).await,
        Err(failure) => Err(failure),
    };
    Ok((200, described(&ids, answer, clock.since(began))))
}

fn request(input: &Input, target: &str) -> Result<Request<Bytes>, Refusal> {
    // A method that is called by the name ANY is invoked with GET, or with POST if there is a body.
    let method = match input.http_method.as_str() {
        "ANY" if input.body.is_empty() => "GET",
        "ANY" => "POST",
        method => method,
    };
    // "The test invocation of a method uses the default content type" (AWS's guide, api-gateway-known-issues).
    let mut request = Request::builder().method(method).uri(target).header("content-type", "application/json");
    for (name, value) in input.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")) {
        request = request.header(name, value);
    }
    request.body(Bytes::from(input.body.clone())).map_err(|error| bad(format!("Invalid request input: {error}")))
}

fn described(ids: &Ids, answer: Result<http::Response<Bytes>, GatewayResponse>, took: Duration) -> Value {
    let (status, headers, body) = match answer {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            (parts.status.as_u16(), lists(&parts.headers), String::from_utf8_lossy(&body).into_owned())
        }
        Err(failure) => {
            let (status, kind) = failure.parts();
            let headers = BTreeMap::from([("x-amzn-ErrorType".to_owned(), vec![kind.to_owned()])]);
            (status, headers, failure.body())
        }
    };
    let first: BTreeMap<&String, &String> =
        headers.iter().filter_map(|(name, values)| Some((name, values.first()?))).collect();
    json!({
        "status": status,
        "body": body,
        "headers": first,
        "multiValueHeaders": headers,
        "log": format!("Execution log for request {}\nMethod completed with status: {status}\n", ids.request),
        "latency": took.as_millis() as u64,
    })
}

fn lists(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.keys().map(|name| (name.to_string(), headers.get_all(name).iter().map(text).collect())).collect()
}
