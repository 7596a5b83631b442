//! The data path, up to the request to the service: stage, resource, method, integration, VPC link, load balancer.
//! Whether the caller is admitted is in `admission`, what happens on the wire in `send`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};

use super::admission;
use super::gateway_response::GatewayResponse;
use super::integrations::mock_status;
use super::matching::{CONTEXT, Uri, find, literal, with_variables};
use super::model::{Integration, LinkStatus, Method, RestApi};
use super::send::{self, LARGEST_BODY, Outgoing};
use crate::stand_in::account::Account;
use crate::stand_in::{Cloud, elb};

/// API Gateway's limit for all headers of a request together, names and values.
const LARGEST_HEADERS: usize = 10_240;
/// Parts of the control plane's paths, which a stage of the same name must not hide.
const CONTROL_PLANE: [&str; 3] = ["resources", "deployments", "stages"];

/// The API and stage that a request is for, and the path behind the stage, if it is one for the data path:
/// `/restapis/{api}/{stage}/_user_request_/{path}`, or `/{stage}/{path}` at the host `{api}.execute-api.…`.
pub fn stage_of(request: &Request<Bytes>) -> Option<(String, String, String)> {
    let path = request.uri().path();
    if let Some(rest) = path.strip_prefix("/restapis/") {
        let (api, rest) = rest.split_once('/')?;
        let (stage, rest) = rest.split_once('/')?;
        let rest = rest.strip_prefix("_user_request_")?;
        let ours = (rest.is_empty() || rest.starts_with('/')) && !CONTROL_PLANE.contains(&stage);
        return ours.then(|| (api.to_owned(), stage.to_owned(), with_slash(rest)));
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().host())?;
    let host = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let (api, domain) = host.split_once('.')?;
    if domain != "execute-api.localhost" && domain != "execute-api.us-east-1.amazonaws.com" {
        return None;
    }
    let path = path.trim_start_matches('/');
    let (stage, rest) = path.find('/').map_or((path, ""), |slash| path.split_at(slash));
    Some((api.to_owned(), stage.to_owned(), with_slash(rest)))
}

fn with_slash(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// The data path: one request to a stage.
pub async fn invoke(cloud: &Cloud, api: &str, stage: &str, path: &str, request: Request<Bytes>) -> Response<Bytes> {
    let (ids, plan) = cloud.change(|account| {
        let ids = Ids::draw(account);
        let caller = Caller { ids: &ids, api, stage, request: &request };
        let plan = admission::throttle(account, api, stage).and_then(|()| plan(account, &caller, path));
        (ids, plan)
    });
    let answer = match plan {
        Ok(plan) => carry_out(cloud, plan).await,
        Err(failure) => Err(failure),
    };
    let mut response = answer.unwrap_or_else(GatewayResponse::into_response);
    for (name, id) in
        [("x-amzn-requestid", &ids.request), ("x-amz-apigw-id", &ids.gateway), ("x-amzn-trace-id", &ids.trace)]
    {
        if let Ok(value) = HeaderValue::from_str(id) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The ids that one request gets.
pub(super) struct Ids {
    pub(super) request: String,
    gateway: String,
    trace: String,
}

impl Ids {
    pub(super) fn draw(account: &mut Account) -> Self {
        let [a, b, c, d, e] = [8, 4, 4, 4, 12].map(|length| account.engine.hex(length));
        let trace = format!("Root=1-{:08x}-{}", account.engine.now().as_second(), account.engine.hex(24));
        Self { request: format!("{a}-{b}-{c}-{d}-{e}"), gateway: format!("{}=", account.engine.id(15)), trace }
    }
}

pub(super) async fn carry_out(cloud: &Cloud, plan: Plan) -> Result<Response<Bytes>, GatewayResponse> {
    match plan {
        Plan::Healthy => Ok(Response::new(Bytes::from_static(b"healthy"))),
        Plan::Mock(integration) => mock(&integration),
        Plan::Silent { timeout, clock } => {
            clock.sleep(timeout).await;
            Err(GatewayResponse::TIMED_OUT)
        }
        Plan::Send(outgoing) => send::send(cloud.net(), *outgoing).await,
    }
}

/// How a request is answered.
pub(super) enum Plan {
    /// The gateway's own health check; its path never reaches a service.
    Healthy,
    /// The gateway answers itself.
    Mock(Box<Integration>),
    /// The load balancer's security groups let nothing through: the request times out.
    Silent { timeout: Duration, clock: berth_domain::Clock },
    /// The request goes to the service.
    Send(Box<Outgoing>),
}

/// A caller's request, with the values that mappings can use.
pub(super) struct Caller<'a> {
    pub(super) ids: &'a Ids,
    pub(super) api: &'a str,
    pub(super) stage: &'a str,
    pub(super) request: &'a Request<Bytes>,
}

impl Caller<'_> {
    /// The value of a mapping's source.
    fn value(
        &self,
        source: &str,
        path: &BTreeMap<String, String>,
        variables: &BTreeMap<String, String>,
    ) -> Option<String> {
        if let Some(text) = literal(source) {
            return Some(text.to_owned());
        }
        if let Some(name) = source.strip_prefix("stageVariables.") {
            return variables.get(name).cloned();
        }
        if CONTEXT.contains(&source) {
            return Some(match source {
                "context.requestId" => self.ids.request.clone(),
                "context.apiId" => self.api.to_owned(),
                "context.stage" => self.stage.to_owned(),
                "context.httpMethod" => self.request.method().to_string(),
                _ => admission::source_ip(self.request).to_string(),
            });
        }
        match source.strip_prefix("method.request.")?.split_once('.')? {
            ("path", name) => path.get(name).cloned(),
            ("header", name) => Some(self.request.headers().get(name)?.to_str().ok()?.to_owned()),
            ("querystring", name) => {
                let query = self.request.uri().query().unwrap_or_default();
                form_urlencoded::parse(query.as_bytes())
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned())
            }
            _ => None,
        }
    }
}

fn plan(account: &Account, caller: &Caller<'_>, path: &str) -> Result<Plan, GatewayResponse> {
    if ["/ping", "/sping"].contains(&path) || (["ping", "sping"].contains(&caller.stage) && path == "/") {
        return Ok(Plan::Healthy);
    }
    let length = |(name, value): (&http::HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    if caller.request.headers().iter().map(length).sum::<usize>() > LARGEST_HEADERS {
        return Err(GatewayResponse::HEADERS_TOO_LARGE);
    }
    let api = account.apigateway.apis.get(caller.api).filter(|api| !api.disable_execute_api_endpoint);
    let api = api.ok_or(GatewayResponse::FORBIDDEN)?;
    let live = api.stages.get(caller.stage).and_then(|stage| stage.live.as_ref()).ok_or(GatewayResponse::FORBIDDEN)?;
    let deployment = api.deployments.get(&live.deployment).ok_or(GatewayResponse::FORBIDDEN)?;
    let (resource, values) = find(&deployment.resources, path).ok_or(GatewayResponse::NO_METHOD)?;
    let asked = caller.request.method().as_str();
    let method =
        resource.methods.get(asked).or_else(|| resource.methods.get("ANY")).ok_or(GatewayResponse::NO_METHOD)?;
    let place = (caller.api, caller.stage, path);
    admission::check(account, method, deployment.policy.as_deref(), caller.request, place)?;
    plan_method(account, api, method, caller, &values, &live.variables)
}

/// How a method answers a request with these path parameters, for a stage with these variables.
pub(super) fn plan_method(
    account: &Account,
    api: &RestApi,
    method: &Method,
    caller: &Caller<'_>,
    path_values: &BTreeMap<String, String>,
    variables: &BTreeMap<String, String>,
) -> Result<Plan, GatewayResponse> {
    let asked = caller.request.method().as_str();
    if caller.request.body().len() > LARGEST_BODY {
        return Err(GatewayResponse::TOO_LARGE);
    }
    let integration = method.method_integration.as_ref().ok_or(GatewayResponse::INTERNAL)?;
    if integration.r#type == "MOCK" {
        return Ok(Plan::Mock(Box::new(integration.clone())));
    }
    // The stand-in has no internet: only targets behind a VPC link can be reached.
    let link = integration.connection_id.as_deref().filter(|_| integration.connection_type == "VPC_LINK");
    let variable = |name: &str| variables.get(name).cloned();
    let link = link.and_then(|id| with_variables(id, variable)).ok_or(GatewayResponse::INTERNAL)?;
    let link = account.apigateway.vpc_links.get(&link).filter(|link| link.status == LinkStatus::Available);
    let load_balancer =
        link.and_then(|link| elb::load_balancer(account, &link.target)).ok_or(GatewayResponse::INTERNAL)?;
    let timeout = Duration::from_millis(integration.timeout_in_millis.into());
    if !load_balancer.security_groups.is_empty() && load_balancer.enforce_on_private_link {
        return Ok(Plan::Silent { timeout, clock: account.engine.clock.clone() });
    }

    let uri = integration.uri.as_deref().and_then(|uri| with_variables(uri, variable));
    let uri = uri.and_then(|uri| Uri::parse(&uri)).ok_or(GatewayResponse::INTERNAL)?;
    let mapped = Mapped::of(integration, |source| caller.value(source, path_values, variables));
    let target_path = uri.path_with(&mapped.path).ok_or(GatewayResponse::INTERNAL)?;
    let proxy = integration.r#type == "HTTP_PROXY";
    let passed = caller.request.uri().query().filter(|_| proxy);
    let query: Vec<&str> = [uri.query.as_deref(), passed, mapped.query.as_deref()]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    let target = if query.is_empty() { target_path } else { format!("{target_path}?{}", query.join("&")) };
    let mut headers = send::request_headers(caller.request.headers(), proxy);
    headers.extend(mapped.headers);
    for (name, value) in [
        ("x-amzn-apigateway-api-id", caller.api),
        ("x-amzn-trace-id", &caller.ids.trace),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-for", &forwarded_for(caller.request)),
        ("host", &uri.authority),
    ] {
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| GatewayResponse::INTERNAL)?);
    }
    let http_method = integration.http_method.as_deref().filter(|method| *method != "ANY").unwrap_or(asked);
    Ok(Plan::Send(Box::new(Outgoing {
        address: (load_balancer.dns_name.clone(), uri.port),
        method: http_method.parse().map_err(|_| GatewayResponse::INTERNAL)?,
        target,
        headers,
        body: caller.request.body().clone(),
        accept: caller.request.headers().get(header::ACCEPT).cloned(),
        timeout,
        clock: account.engine.clock.clone(),
        integration: integration.clone(),
        binary_media_types: api.binary_media_types.clone(),
    })))
}

fn forwarded_for(request: &Request<Bytes>) -> String {
    let source = admission::source_ip(request);
    match request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok()) {
        Some(before) => format!("{before}, {source}"),
        None => source.to_string(),
    }
}

/// The values of an integration's request parameters.
#[derive(Default)]
struct Mapped {
    path: BTreeMap<String, String>,
    query: Option<String>,
    headers: HeaderMap,
}

impl Mapped {
    fn of(integration: &Integration, value: impl Fn(&str) -> Option<String>) -> Self {
        let mut mapped = Self::default();
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (target, source) in &integration.request_parameters {
            let place = target.strip_prefix("integration.request.").and_then(|rest| rest.split_once('.'));
            let (Some((place, name)), Some(value)) = (place, value(source)) else { continue };
            match place {
                "path" => drop(mapped.path.insert(name.to_owned(), value)),
                "querystring" => drop(query.append_pair(name, &value)),
                _ => {
                    if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
                        mapped.headers.insert(name, value);
                    }
                }
            }
        }
        mapped.query = Some(query.finish());
        mapped
    }
}

/// A mock pretends to have the status of its template, and answers as its integration response says.
fn mock(integration: &Integration) -> Result<Response<Bytes>, GatewayResponse> {
    let status = integration.request_templates.values().find_map(|template| mock_status(template));
    send::by_integration_response(integration, &status.ok_or(GatewayResponse::INTERNAL)?, &HeaderMap::new(), None)
}
