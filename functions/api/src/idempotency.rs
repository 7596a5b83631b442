//! The `Idempotency-Key` header.

use berth_aws::store::IdempotencyKey;
use berth_domain::Error;
use http::HeaderMap;
use utoipa::IntoParams;

/// What the document says of it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "read by the derive only: a header is not deserialized, but looked at")]
pub(crate) struct Header {
    /// 1 to 255 visible ASCII characters of your choice, for example a UUID. The key holds for 24 hours.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

/// The key of a request, if it sent one.
///
/// # Errors
/// `Invalid` when the header is empty, too long or not visible ASCII.
pub(crate) fn key(headers: &HeaderMap, subject: &str, body: &[u8]) -> Result<Option<IdempotencyKey>, Error> {
    let Some(header) = headers.get("idempotency-key") else { return Ok(None) };
    let sensible = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    match header.to_str().ok().filter(sensible) {
        Some(key) => Ok(Some(IdempotencyKey::new(subject, key, body))),
        None => Err(Error::invalid(
            "invalid_idempotency_key",
            "Idempotency-Key",
            "Idempotency-Key is not valid. Send 1 to 255 visible ASCII characters without spaces, for example a UUID.",
        )),
    }
}
