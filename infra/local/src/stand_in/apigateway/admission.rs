//! Whether a request to a stage is admitted: the stage's throttle, the method's authorization, the resource policy
//! (docs/aws.md#who-may-invoke).

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::Request;

use super::gateway_response::GatewayResponse;
use super::method_settings::{self, MethodSettings};
use super::model::Method;
use super::resource_policy::{self, Asked, Decision};
use super::sigv4;
use crate::stand_in::account::Account;
use crate::stand_in::identity::{ACCOUNT, arn};
use crate::stand_in::rates::Bucket;

/// The address that a request came from; the endpoint that accepted its connection puts it into the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct SourceIp(pub IpAddr);

/// The address of a request's client; loopback for one that came through no socket.
pub fn source_ip(request: &Request<Bytes>) -> IpAddr {
    request.extensions().get::<SourceIp>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |source| source.0)
}

/// Takes a token of the throttle for a method of a stage (by its name in the method settings), if there is one. Methods
/// that have no settings share the stage's.
///
/// # Errors
/// 429 when there is none.
pub fn throttle(account: &mut Account, api: &str, name: &str, method: Option<&str>) -> Result<(), GatewayResponse> {
    let Some(stage) = account.apigateway.apis.get(api).and_then(|api| api.stages.get(name)) else { return Ok(()) };
    let own = method.and_then(|method| Some((format!("{name}/{method}"), stage.method_settings.get(method)?)));
    let all = || Some((name.to_owned(), stage.method_settings.get(method_settings::ALL)?));
    let Some((bucket, settings)) = own.or_else(all) else { return Ok(()) };
    let (rate, burst) = (settings.throttling_rate_limit, settings.throttling_burst_limit);
    let defaults = MethodSettings::default();
    let rate = if rate < 0.0 { defaults.throttling_rate_limit } else { rate };
    let burst = if burst < 0 { defaults.throttling_burst_limit } else { burst };
    let burst = u32::try_from(burst).unwrap_or(u32::MAX);
    // Far beyond what AWS lets a caller set; the bucket counts with durations.
    let bucket = Bucket::of_stage(api, &bucket, burst, rate.clamp(1e-3, 1e6));
    if rate > 0.0 && burst > 0 && account.engine.admits(&bucket) { Ok(()) } else { Err(GatewayResponse::THROTTLED) }
}

/// Checks that the caller may send `request` to `path` of `stage`. No API key is valid, because there are no usage plans.
///
/// # Errors
/// The gateway's answer to a caller that it does not admit.
pub fn check(
    account: &Account,
    method: &Method,
    policy: Option<&str>,
    (request, called): (&Request<Bytes>, String),
    (api, stage, path): (&str, &str, &str),
) -> Result<(), GatewayResponse> {
    let key = match method.authorization_type.as_str() {
        "AWS_IAM" => Some(sigv4::signer(request, &account.keys, account.engine.now())?),
        _ => None,
    };
    let resource = arn("execute-api", &format!("{api}/{stage}/{called}{path}"));
    let asked =
        Asked { principal: key.map(|key| key.principal.as_str()), source: source_ip(request), resource: &resource };
    let decision = policy.map(|policy| resource_policy::decide(policy, &asked));
    let why = match (decision, key) {
        (Some(Decision::Deny), _) => "with an explicit deny in a resource-based policy",
        (Some(Decision::Allow), _) | (None, None) => "",
        (Some(Decision::Neither) | None, Some(key)) if key.may_invoke => "",
        (Some(Decision::Neither) | None, Some(_)) => {
            "because no identity-based policy allows the execute-api:Invoke action"
        }
        (Some(Decision::Neither), None) => "because no resource-based policy allows the execute-api:Invoke action",
    };
    if !why.is_empty() {
        let who = key.map_or("anonymous", |key| &key.principal);
        // Of the account only the last four digits are shown.
        let resource = resource.replace(ACCOUNT, &format!("********{}", &ACCOUNT[8..]));
        let message =
            format!("User: {who} is not authorized to perform: execute-api:Invoke on resource: {resource} {why}");
        return Err(GatewayResponse::refused("AccessDeniedException", message));
    }
    if method.api_key_required { Err(GatewayResponse::FORBIDDEN) } else { Ok(()) }
}
