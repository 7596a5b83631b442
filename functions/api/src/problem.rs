//! Errors as HTTP: RFC 9457 problem+json with a stable `code`, a pointer for each bad place, and what to do next.
//!
//! One of the three conversions of [`Error`]; the others are the worker's `step_error.rs` and the authorizer's `diagnostic`.
//! Each lists every variant.

use axum::response::{IntoResponse, Response};
use berth_domain::Error;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// An error as the API answers it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the `code` tells problems apart.
    #[serde(rename = "type")]
    #[schema(examples("about:blank"))]
    pub kind: &'static str,
    /// The reason phrase of the HTTP status.
    pub title: String,
    /// The HTTP status code of this response.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// A stable word for programs; `detail` is for people.
    #[schema(examples("invalid_request"))]
    pub code: String,
    /// What happened and what to do, for people; the text may change.
    pub detail: String,
    /// Each bad place of the request; left out when there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
    /// The request's id, as in `X-Request-Id`. Operators find it in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// One bad place.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// A JSON pointer into the body, or the name of a header or query parameter.
    #[schema(examples("/container/port"))]
    pub pointer: String,
    /// What is wrong in this place, and what would be right.
    pub detail: String,
}

impl Problem {
    fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: code.into(),
            detail: detail.into(),
            errors: Vec::new(),
            request_id: None,
        }
    }

    /// The path is known, the method is not (405).
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed for this path. /openapi.json lists its methods.",
        )
    }

    /// The body is in a content coding.
    pub(crate) fn unsupported_coding(coding: &str) -> Self {
        let detail =
            format!("The body has the content coding {coding:?}. Send it without one, and without Content-Encoding.");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_content_coding", detail)
    }

    /// The body could not be read (413 when it is too large, else 400).
    pub(crate) fn unreadable_body(status: StatusCode) -> Self {
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(status, "body_too_large", "The body is too large. Send at most 64 KiB.");
        }
        Self::new(StatusCode::BAD_REQUEST, "unreadable_body", "The body could not be read. Send it again.")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.public().to_owned();
        match error {
            Error::Invalid { code, fields, .. } => Self::with_fields(StatusCode::BAD_REQUEST, code, detail, fields),
            Error::Unprocessable { code, fields, .. } => {
                Self::with_fields(StatusCode::UNPROCESSABLE_ENTITY, code, detail, fields)
            }
            Error::Unauthenticated { .. } => Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail),
            Error::Forbidden { .. } => Self::new(StatusCode::FORBIDDEN, "forbidden", detail),
            Error::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            Error::Conflict { code, .. } => Self::new(StatusCode::CONFLICT, code, detail),
            Error::Refused { code, cause, .. } => {
                tracing::error!(cause, code, "AWS refuses");
                Self::new(StatusCode::BAD_GATEWAY, code, detail)
            }
            Error::Failed { code, .. } => Self::new(StatusCode::BAD_GATEWAY, code, detail),
            Error::Throttled { cause, .. } | Error::Unavailable { cause, .. } => {
                tracing::warn!(cause, "unavailable");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            }
            Error::Unreadable { cause, .. } => {
                tracing::error!(cause, "a record cannot be read");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "record_unreadable", detail)
            }
            Error::Internal { cause } => {
                tracing::error!(cause, "internal error");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

impl Problem {
    fn with_fields(status: StatusCode, code: &str, detail: String, fields: Vec<berth_domain::Field>) -> Self {
        let errors =
            fields.into_iter().map(|field| ProblemField { pointer: field.pointer, detail: field.message }).collect();
        Self { errors, ..Self::new(status, code, detail) }
    }

    /// The answer, written out.
    pub(crate) fn render(&self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            // What the body may have instead (RFC 9110, section 15.5.16).
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Hands the problem to the outermost layer, which knows the request's id and writes it out.
    fn into_response(self) -> Response {
        let mut response = self.render();
        response.extensions_mut().insert(self);
        response
    }
}
