//! The responses that the gateway gives itself, with AWS's exact texts. Each has the header `x-amzn-ErrorType`; a service
//! may send one as well. What the stand-in does not play is answered in the same form, with the status 501.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// A response of the gateway instead of the service's.
#[derive(Debug)]
pub struct GatewayResponse {
    status: StatusCode,
    kind: &'static str,
    message: Cow<'static, str>,
}

impl GatewayResponse {
    pub const FORBIDDEN: Self = Self::new(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden");
    pub const NO_METHOD: Self =
        Self::new(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token");
    pub const UNKNOWN_KEY: Self = Self::new(
        StatusCode::FORBIDDEN,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    );
    pub const THROTTLED: Self =
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Too Many Requests");
    pub const INTERNAL: Self =
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerErrorException", "Internal server error");
    pub const NETWORK: Self = Self::new(
        StatusCode::GATEWAY_TIMEOUT,
        "InternalServerErrorException",
        "Network error communicating with endpoint",
    );
    pub const TIMED_OUT: Self =
        Self::new(StatusCode::GATEWAY_TIMEOUT, "InternalServerErrorException", "Endpoint request timed out");
    pub const TOO_LARGE: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLargeException",
        "HTTP content length exceeded 10485760 bytes",
    );
    /// The message is as callers report it. The status is not known; this is HTTP's own for it.
    pub const HEADERS_TOO_LARGE: Self = Self::new(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "RequestEntityTooLargeException",
        "HTTP header is larger than 10240 bytes.",
    );
    pub const UNSUPPORTED_MEDIA: Self =
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaTypeException", "Unsupported Media Type");

    const fn new(status: StatusCode, kind: &'static str, message: &'static str) -> Self {
        Self { status, kind, message: Cow::Borrowed(message) }
    }

    /// 403 for a caller that is not admitted.
    pub fn refused(kind: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, kind, message: Cow::Owned(message.into()) }
    }

    /// 501 for a request whose answer on AWS is not known, or that the stand-in cannot carry out.
    pub fn not_played(what: impl std::fmt::Display) -> Self {
        let message = format!("berth-local does not play {what}");
        Self { status: StatusCode::NOT_IMPLEMENTED, kind: "NotPlayedException", message: Cow::Owned(message) }
    }

    /// 400 for a character that API Gateway supports in no query. AWS's own text is not known.
    pub fn bad_query(letter: char) -> Self {
        let message = format!(
            "API Gateway does not support the character '{letter}' in a query: send it as %{:02X} (berth-local's words)",
            u32::from(letter)
        );
        Self { status: StatusCode::BAD_REQUEST, kind: "BadRequestException", message: Cow::Owned(message) }
    }

    /// 400 for a percent sign that begins no escape (docs/aws.md#paths-and-queries). AWS's own text is not known.
    pub fn bad_escape() -> Self {
        let message = "A '%' in the URL begins no escape: send it as %25 (berth-local's words)";
        Self { status: StatusCode::BAD_REQUEST, kind: "BadRequestException", message: Cow::Borrowed(message) }
    }

    /// Its status and error type.
    pub fn parts(&self) -> (u16, &'static str) {
        (self.status.as_u16(), self.kind)
    }

    /// The body.
    pub fn body(&self) -> String {
        // This one error has a capital letter.
        let name = if self.kind == "AccessDeniedException" { "Message" } else { "message" };
        json!({name: self.message}).to_string()
    }

    /// The HTTP response.
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(self.kind));
        response
    }
}

/// The answer to a request that names no API of the account.
#[must_use]
pub fn forbidden() -> Response<Bytes> {
    GatewayResponse::FORBIDDEN.into_response()
}
