//! Who calls, as the authorizer in front of us found out. API Gateway hands it over in the request context; a handler
//! that takes a [`CallerOf`] cannot be reached without one. How it is written there: [`Caller::context`].

use axum::extract::FromRequestParts;
use berth_domain::Error;
use berth_domain::token::Caller;
use http::request::Parts;
use lambda_http::request::RequestContext;
use serde_json::Value;

use crate::problem::Problem;

/// The caller of a request.
#[derive(Clone, Debug)]
pub struct CallerOf(pub Caller);

/// What the URL has before our own paths: the stage, behind API Gateway.
#[derive(Clone, Debug)]
pub struct Base(pub String);

impl<S: Sync> FromRequestParts<S> for CallerOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let anonymous = || {
            Problem::from(Error::Unauthenticated {
                message: "The request has no valid token. Send one: `Authorization: Bearer TOKEN`.".to_owned(),
            })
        };
        let context = parts.extensions.get::<RequestContext>().ok_or_else(anonymous)?;
        let fields = &context.authorizer().ok_or_else(anonymous)?.fields;
        Caller::from_context(|name| fields.get(name).and_then(Value::as_str)).map(Self).ok_or_else(anonymous)
    }
}

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, std::convert::Infallible> {
        let outer = match parts.extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV1(context)) => context.path.as_deref(),
            _ => None,
        };
        let base = outer.and_then(|outer| outer.strip_suffix(parts.uri.path())).unwrap_or_default();
        Ok(Self(base.to_owned()))
    }
}
