//! Which web page may call the API from its browser (CORS). What API Gateway refuses by itself has the same headers from
//! `infra/template.yaml`.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::CorsLayer;

/// For how long a browser need not ask again.
const MAX_AGE: Duration = Duration::from_secs(3600);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The origin in `BERTH_ALLOWED_ORIGIN`; `None` when it is missing or empty: no page may.
///
/// # Errors
/// One line when it is no origin.
pub fn origin_from_env_vars() -> Result<Option<HeaderValue>, String> {
    let Ok(origin) = std::env::var("BERTH_ALLOWED_ORIGIN") else { return Ok(None) };
    parse_origin(&origin)
}

/// The origin that a setting names, like `https://portal.example.com`; `None` when it is empty.
///
/// # Errors
/// One line when it is no origin.
pub fn parse_origin(origin: &str) -> Result<Option<HeaderValue>, String> {
    if origin.is_empty() {
        return Ok(None);
    }
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.contains(['/', '*', ' ']) {
        return Err(format!(
            "{origin:?} must be an origin like https://portal.example.com: scheme, host, perhaps a port"
        ));
    }
    HeaderValue::from_str(origin).map(Some).map_err(|error| format!("{origin:?}: {error}"))
}

/// Lets pages of `origin` in, and answers their preflights.
pub(crate) fn layer(origin: HeaderValue) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IDEMPOTENCY_KEY, X_REQUEST_ID])
        .expose_headers([LOCATION, RETRY_AFTER, X_REQUEST_ID])
        .max_age(MAX_AGE)
}
