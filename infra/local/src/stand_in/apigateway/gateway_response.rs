//! The responses that the gateway gives itself, with AWS's exact texts. Each has the header `x-amzn-ErrorType`, which
//! no service's response has.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// A response of the gateway instead of the service's.
#[derive(Debug)]
pub struct GatewayResponse {
    status: StatusCode,
    kind: &'static str,
    message: &'static str,
}

impl GatewayResponse {
    pub const FORBIDDEN: Self =
        Self { status: StatusCode::FORBIDDEN, kind: "ForbiddenException", message: "Forbidden" };
    pub const NO_METHOD: Self = Self {
        status: StatusCode::FORBIDDEN,
        kind: "MissingAuthenticationTokenException",
        message: "Missing Authentication Token",
    };
    pub const INTERNAL: Self = Self {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        kind: "InternalServerErrorException",
        message: "Internal server error",
    };
    pub const NETWORK: Self = Self {
        status: StatusCode::GATEWAY_TIMEOUT,
        kind: "InternalServerErrorException",
        message: "Network error communicating with endpoint",
    };
    pub const TIMED_OUT: Self = Self {
        status: StatusCode::GATEWAY_TIMEOUT,
        kind: "InternalServerErrorException",
        message: "Endpoint request timed out",
    };
    pub const TOO_LARGE: Self = Self {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        kind: "RequestEntityTooLargeException",
        message: "HTTP content length exceeded 10485760 bytes",
    };

    /// The message is as callers report it. The status is not known; this is HTTP's own for it.
    pub const HEADERS_TOO_LARGE: Self = Self {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        kind: "RequestEntityTooLargeException",
        message: "HTTP header is larger than 10240 bytes.",
    };
    pub const UNSUPPORTED_MEDIA: Self = Self {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        kind: "UnsupportedMediaTypeException",
        message: "Unsupported Media Type",
    };

    /// The HTTP response.
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(json!({"message": self.message}).to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(self.kind));
        response
    }
}
