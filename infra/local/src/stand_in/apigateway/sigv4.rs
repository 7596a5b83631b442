//! The signature of a request to a method with AWS_IAM: SigV4 in the `Authorization` header, checked by signing the same
//! request again. A signature in the query (a presigned URL) counts as none.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use jiff::Timestamp;

use super::gateway_response::GatewayResponse;
use crate::stand_in::access_keys::{AccessKey, AccessKeys};
use crate::stand_in::identity::REGION;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "execute-api";
/// How old a signature may be, and how far in the future.
const LEEWAY: Duration = Duration::from_secs(300);

/// Whose signature the request carries.
///
/// # Errors
/// API Gateway's answer to a request without a valid one.
pub fn signer<'a>(
    request: &Request<Bytes>,
    keys: &'a AccessKeys,
    now: Timestamp,
) -> Result<&'a AccessKey, GatewayResponse> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text(header::AUTHORIZATION.as_str()).filter(|value| value.starts_with(ALGORITHM));
    let parts = parts(authorization.ok_or(GatewayResponse::NO_METHOD)?);
    let part = |name: &'static str| parts.get(name).copied().ok_or_else(|| incomplete(name));
    let (credential, signed, signature) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let [id, date, region, service, "aws4_request"] = *credential.split('/').collect::<Vec<_>>() else {
        return Err(incomplete("Credential"));
    };
    if (region, service) != (REGION, SERVICE) {
        return Err(invalid(format!(
            "Credential should be scoped to a valid region and to correct service: '{SERVICE}'."
        )));
    }
    let at = text("x-amz-date").and_then(timestamp).ok_or_else(|| incomplete("X-Amz-Date"))?;
    if !at.to_string().replace('-', "").starts_with(date) {
        return Err(invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
        ));
    }
    if at.duration_since(now).unsigned_abs() > LEEWAY {
        return Err(invalid(format!("Signature expired: {at} is not within 5 minutes of {now}")));
    }
    let key = keys.find(id).ok_or(GatewayResponse::UNKNOWN_KEY)?;
    match signature_of(request, signed, key, at) {
        Some(expected) if expected == signature => Ok(key),
        _ => Err(invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        )),
    }
}

/// The parts of the header by name.
fn parts(authorization: &str) -> BTreeMap<&str, &str> {
    let parts = authorization.trim_start_matches(ALGORITHM).split(',');
    parts.filter_map(|part| part.trim().split_once('=')).collect()
}

/// `20261127T170300Z`.
fn timestamp(text: &str) -> Option<Timestamp> {
    jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|at| at.timestamp())
}

/// The signature that `key` gives the request, over these headers.
fn signature_of(request: &Request<Bytes>, signed: &str, key: &AccessKey, at: Timestamp) -> Option<String> {
    let headers = request.headers();
    let signed: Vec<&str> = signed.split(';').collect();
    let host = host(request)?;
    let url = format!("https://{host}{}", request.uri().path_and_query()?);
    let values = signed.iter().map(|name| Some((*name, joined(headers, name, host)?)));
    let values: Vec<(&str, String)> = values.collect::<Option<_>>()?;
    let mut settings = SigningSettings::default();
    // Which headers are signed is the client's choice.
    settings.excluded_headers = None;
    let credentials = Credentials::new(&key.id, &key.secret, None, None, "berth-local").into();
    let parameters = SigningParams::builder()
        .identity(&credentials)
        .region(REGION)
        .name(SERVICE)
        .time(SystemTime::from(at))
        .settings(settings)
        .build()
        .ok()?
        .into();
    let pairs = values.iter().map(|(name, value)| (*name, value.as_str()));
    let signable =
        SignableRequest::new(request.method().as_str(), url, pairs, SignableBody::Bytes(request.body())).ok()?;
    let (_, signature) = sign(signable, &parameters).ok()?.into_parts();
    Some(signature)
}

fn host(request: &Request<Bytes>) -> Option<&str> {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| request.uri().authority().map(|authority| authority.as_str()))
}

/// The values of a header, as they are signed.
fn joined(headers: &HeaderMap, name: &str, host: &str) -> Option<String> {
    if name == "host" {
        return Some(host.to_owned());
    }
    let values: Option<Vec<&str>> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
    values.filter(|values| !values.is_empty()).map(|values| values.join(","))
}

fn incomplete(part: &str) -> GatewayResponse {
    let message = format!("Authorization header requires '{part}' parameter.");
    GatewayResponse::refused("IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> GatewayResponse {
    GatewayResponse::refused("InvalidSignatureException", message)
}
