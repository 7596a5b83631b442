//! The data path, up to the request to the service: stage, resource, method, integration, VPC link, load balancer.
//! Whether the caller is admitted is in `admission`, what happens on the wire in `send`.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};

use super::gateway_response::GatewayResponse;
use super::integrations::mock_status;
use super::matching::{CONTEXT, Uri, find, literal, with_variables};
use super::method_settings::key as settings_key;
use super::model::{Integration, LinkStatus, Method, Payloads};
use super::send::{self, LARGEST_BODY, Outgoing};
use super::{admission, encoding, headers};
use crate::stand_in::account::Account;
use crate::stand_in::{Cloud, elb};

/// API Gateway's limit for all header lines of a request together (docs/aws.md#the-gateways-own-answers).
const LARGEST_HEADERS: usize = 10_240;
/// What a header line has besides name and value: a colon, a space and the line's end.
const LINE: usize = ": \r\n".len();
/// The paths of the host that API Gateway answers itself, as health checks of the service. They are not below a stage.
const HEALTH_CHECKS: [&str; 2] = ["ping", "sping"];

/// The part of a path that marks a request to a stage. No resource of the control plane has this name: ids have no
/// underscores, and such a stage is refused (`stages`).
pub const USER_REQUEST: &str = "_user_request_";

/// The API and stage that a request is for, and the path behind the stage, if it is one for the data path:
/// `/restapis/{api}/{stage}/_user_request_/{path}`, or `/{stage}/{path}` at the host `{api}.execute-api.…`.
pub fn stage_of(request: &Request<Bytes>) -> Option<(String, String, String)> {
    let path = request.uri().path();
    if let Some(rest) = path.strip_prefix("/restapis/") {
        let (api, rest) = rest.split_once('/')?;
        let (stage, rest) = rest.split_once('/')?;
        let rest = rest.strip_prefix(USER_REQUEST)?;
        let ours = rest.is_empty() || rest.starts_with('/');
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
        let throttled = method_key(account, &caller, path);
        let plan = admission::throttle(account, api, stage, throttled.as_deref());
        let plan = plan.and_then(|()| plan_request(account, &caller, path));
        (ids, plan)
    });
    // A proxy integration, a mock and the gateway's own answers show no trace id (docs/aws.md#headers-on-the-way).
    let traced = matches!(&plan, Ok(Plan::Send(outgoing)) if outgoing.integration.r#type == "HTTP");
    let trace = traced.then(|| trace_id(&request, &ids));
    let answer = match plan {
        Ok(plan) => carry_out(cloud, plan).await,
        Err(failure) => Err(failure),
    };
    let mut response = match answer {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    };
    let own = [("x-amzn-requestid", Some(&ids.request)), ("x-amz-apigw-id", Some(&ids.gateway))];
    for (name, id) in own.into_iter().chain([("x-amzn-trace-id", trace.as_ref())]) {
        if let Some(value) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The trace id for the service: the caller's, if it has a root; otherwise a new root.
fn trace_id(request: &Request<Bytes>, ids: &Ids) -> String {
    let sent = request.headers().get("x-amzn-trace-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let field = |name: &str| {
        let fields = sent.split(';').filter_map(|field| field.trim().split_once('='));
        let mut fields = fields.filter(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty());
        fields.next().map(|(_, value)| format!("{name}={value}"))
    };
    match field("Root") {
        Some(root) => {
            [Some(root), field("Parent"), field("Sampled")].into_iter().flatten().collect::<Vec<_>>().join(";")
        }
        None => ids.trace.clone(),
    }
}

/// The name of the method in a stage's method settings, when the request fits one: `path/METHOD`.
fn method_key(account: &Account, caller: &Caller<'_>, path: &str) -> Option<String> {
    let api = account.apigateway.apis.get(caller.api)?;
    let live = api.stages.get(caller.stage)?.live.as_ref()?;
    let found = find(&api.deployments.get(&live.deployment)?.resources, path, &caller.method())?;
    Some(settings_key(&found.resource.path, &found.method.http_method))
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
    /// The method that is called: a header may name another than that of the request (docs/aws.md#paths-and-queries).
    pub(super) fn method(&self) -> String {
        let named = self.request.headers().get(headers::METHOD_OVERRIDE).and_then(|value| value.to_str().ok());
        named.unwrap_or(self.request.method().as_str()).to_owned()
    }

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
                "context.httpMethod" => self.method(),
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

fn plan_request(account: &Account, caller: &Caller<'_>, path: &str) -> Result<Plan, GatewayResponse> {
    if HEALTH_CHECKS.contains(&caller.stage) && path == "/" {
        return Ok(Plan::Healthy);
    }
    let length = |(name, value): (&http::HeaderName, &HeaderValue)| name.as_str().len() + value.len() + LINE;
    if caller.request.headers().iter().map(length).sum::<usize>() > LARGEST_HEADERS {
        return Err(GatewayResponse::HEADERS_TOO_LARGE);
    }
    let api = account.apigateway.apis.get(caller.api).filter(|api| !api.disable_execute_api_endpoint);
    let api = api.ok_or(GatewayResponse::FORBIDDEN)?;
    let live = api.stages.get(caller.stage).and_then(|stage| stage.live.as_ref()).ok_or(GatewayResponse::FORBIDDEN)?;
    let deployment = api.deployments.get(&live.deployment).ok_or(GatewayResponse::FORBIDDEN)?;
    let found = find(&deployment.resources, path, &caller.method());
    let kept = found.iter().flat_map(|found| found.values.values()).map(|value| value.matches("//").count()).sum();
    // A greedy parameter keeps empty parts (docs/aws.md#paths-and-queries).
    if path.trim_matches('/').matches("//").count() > kept {
        return Err(GatewayResponse::not_played(
            "an empty part of a path where no greedy parameter takes it: send the path without it",
        ));
    }
    let found = found.ok_or(GatewayResponse::NO_METHOD)?;
    let place = (caller.api, caller.stage, path);
    let asked = (caller.request, caller.method());
    admission::check(account, found.method, deployment.policy.as_deref(), asked, place)?;
    plan_method(account, &deployment.payloads, found.method, caller, &found.values, &live.variables)
}

/// How a method answers a request with these path parameters, for a stage with these variables.
pub(super) fn plan_method(
    account: &Account,
    payloads: &Payloads,
    method: &Method,
    caller: &Caller<'_>,
    path_values: &BTreeMap<String, String>,
    variables: &BTreeMap<String, String>,
) -> Result<Plan, GatewayResponse> {
    if caller.request.body().len() > LARGEST_BODY {
        return Err(GatewayResponse::TOO_LARGE);
    }
    let integration = method.method_integration.as_ref().ok_or(GatewayResponse::INTERNAL)?;
    if integration.r#type == "MOCK" {
        return Ok(Plan::Mock(Box::new(integration.clone())));
    }
    refuse_unknown_bodies(payloads, integration, caller)?;
    // The stand-in has no internet: only targets behind a VPC link can be reached.
    let link = integration.connection_id.as_deref().filter(|_| integration.uses_link());
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
    let decode = |(name, value): (&String, &String)| Ok((name.clone(), encoding::decode(value)?));
    let path_values = path_values.iter().map(decode).collect::<Result<BTreeMap<_, _>, GatewayResponse>>()?;
    let mapped = Mapped::of(integration, |source| caller.value(source, &path_values, variables))?;
    let target_path = uri.path_with(&mapped.path)?;
    let proxy = integration.r#type == "HTTP_PROXY";
    let passed = caller.request.uri().query().filter(|_| proxy).map(encoding::passed_query).transpose()?;
    let query: Vec<String> = [uri.query_with(&mapped.path)?, passed, Some(mapped.query)]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    let target = if query.is_empty() { target_path } else { format!("{target_path}?{}", query.join("&")) };
    let http_method = match integration.http_method.as_deref() {
        Some(method) if method != "ANY" => method.to_owned(),
        _ => caller.method(),
    };
    let signed = method.authorization_type == "AWS_IAM";
    Ok(Plan::Send(Box::new(Outgoing {
        address: (load_balancer.dns_name.clone(), uri.port),
        method: http_method.parse().map_err(|_| GatewayResponse::INTERNAL)?,
        target,
        headers: request_headers(caller, integration, &uri.authority, mapped.headers, signed)?,
        body: caller.request.body().clone(),
        accept: caller.request.headers().get(header::ACCEPT).cloned(),
        timeout,
        clock: account.engine.clock.clone(),
        integration: integration.clone(),
        binary_media_types: payloads.binary_media_types.clone(),
    })))
}

/// Refuses bodies that the gateway would convert or decompress, and those of which it is not known whether they pass.
fn refuse_unknown_bodies(
    payloads: &Payloads,
    integration: &Integration,
    caller: &Caller<'_>,
) -> Result<(), GatewayResponse> {
    let request = caller.request;
    if !request.body().is_empty() && ["GET", "HEAD", "OPTIONS"].contains(&caller.method().as_str()) {
        return Err(GatewayResponse::not_played(
            "a body with GET, HEAD or OPTIONS, because it is not known whether API Gateway passes it: send it with POST",
        ));
    }
    if integration.content_handling.is_some() {
        return Err(GatewayResponse::not_played("contentHandling: remove it from the integration, and deploy again"));
    }
    if payloads.compressed && request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(GatewayResponse::not_played(
            "the decompression of a request, which minimumCompressionSize turns on: remove it, or send the body plain",
        ));
    }
    Ok(())
}

/// The headers of the request to the service: the caller's, the mapped ones, and the gateway's own.
fn request_headers(
    caller: &Caller<'_>,
    integration: &Integration,
    host: &str,
    mapped: HeaderMap,
    signed: bool,
) -> Result<HeaderMap, GatewayResponse> {
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| GatewayResponse::INTERNAL);
    let proxy = integration.r#type == "HTTP_PROXY";
    let mut headers = headers::to_service(caller.request.headers(), proxy, signed);
    if !proxy {
        headers.insert(header::USER_AGENT, value(&format!("AmazonAPIGateway_{}", caller.api))?);
    }
    headers.insert(header::HOST, value(host)?);
    headers::map(&mut headers, mapped)?;
    for (name, text) in [
        ("x-amzn-apigateway-api-id", caller.api),
        ("x-amzn-trace-id", &trace_id(caller.request, caller.ids)),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "443"),
        ("x-forwarded-for", &forwarded_for(caller.request)),
    ] {
        headers.insert(name, value(text)?);
    }
    Ok(headers)
}

fn forwarded_for(request: &Request<Bytes>) -> String {
    let before = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let source = admission::source_ip(request).to_string();
    before.chain([source.as_str()]).collect::<Vec<_>>().join(", ")
}

/// The values of an integration's request parameters.
#[derive(Default)]
struct Mapped {
    /// By the variable of the URI.
    path: BTreeMap<String, String>,
    query: String,
    headers: HeaderMap,
}

impl Mapped {
    fn of(integration: &Integration, value: impl Fn(&str) -> Option<String>) -> Result<Self, GatewayResponse> {
        let mut mapped = Self::default();
        let mut query = Vec::new();
        for (target, source) in &integration.request_parameters {
            let place = target.strip_prefix("integration.request.").and_then(|rest| rest.split_once('.'));
            let (Some((place, name)), Some(value)) = (place, value(source)) else { continue };
            match place {
                "path" => drop(mapped.path.insert(name.to_owned(), value)),
                "querystring" => query.push(format!("{}={}", encoding::in_query(name)?, encoding::in_query(&value)?)),
                _ => {
                    if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
                        mapped.headers.insert(name, value);
                    }
                }
            }
        }
        mapped.query = query.join("&");
        Ok(mapped)
    }
}

/// A mock pretends to have the status of its template, and answers as its integration response says.
fn mock(integration: &Integration) -> Result<Response<Bytes>, GatewayResponse> {
    let status = integration.request_templates.values().find_map(|template| mock_status(template));
    send::by_integration_response(integration, &status.ok_or(GatewayResponse::INTERNAL)?, &HeaderMap::new(), None)
}
