//! Which web page may read the API's answers in its browser (CORS). The preflight is API Gateway's to answer, and so is
//! what it refuses by itself: those headers are in `infra/template.yaml`.

use axum::Router;
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS};
use tower_http::set_header::SetResponseHeaderLayer;

/// The headers of an answer that a page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static("location,retry-after,x-request-id");

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

/// `router`, whose answers say that pages of `origin` may read them.
pub(crate) fn readable_by(router: Router, origin: HeaderValue) -> Router {
    router
        .layer(SetResponseHeaderLayer::overriding(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED))
        .layer(SetResponseHeaderLayer::overriding(ACCESS_CONTROL_ALLOW_ORIGIN, origin))
}
