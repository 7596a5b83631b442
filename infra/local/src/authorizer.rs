//! The part of API Gateway around its authorizer, embedded: it answers preflights, asks the same [`Authorizer`], caches
//! its result, and passes the caller to the API in the request context. Unlike API Gateway's, its refusals give the reason.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use berth_api::problem::Problem;
use berth_authorizer::Authorizer;
use berth_domain::token::Caller;
use berth_domain::{Clock, Error};
use http::{HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::request::RequestContext;
use ulid::Ulid;

/// The paths whose GET needs no token.
const OPEN: [&str; 2] = ["/healthz", "/openapi.json"];

/// What API Gateway answers a browser that asks whether a page may call (OPTIONS, on every path): `&preflight` in the
/// template. It does not look at the path, and it names an origin only if there is an allowed one.
pub const PREFLIGHT: [(&str, &str); 3] = [
    ("access-control-allow-methods", "GET,POST,DELETE"),
    ("access-control-allow-headers", "authorization,content-type,idempotency-key,x-request-id"),
    ("access-control-max-age", "3600"),
];

/// How long an accepted token is accepted without asking again (AWS time): `AuthorizerCacheSeconds` in the template.
pub const RESULT_TTL: Duration = Duration::from_secs(300);

/// The authorizer with its cached results; cheap to clone.
#[derive(Clone)]
struct Cached {
    authorizer: Authorizer,
    clock: Clock,
    /// The accepted callers by their header, and until when each result is valid.
    results: Arc<Mutex<HashMap<String, (Timestamp, Caller)>>>,
}

impl Cached {
    async fn caller(&self, authorization: Option<&str>) -> Result<Caller, Error> {
        let now = self.clock.now();
        if let Some((until, caller)) = authorization.and_then(|header| self.results().get(header).cloned())
            && now < until
        {
            return Ok(caller);
        }
        let caller = self.authorizer.caller(authorization).await?;
        if let Some(header) = authorization {
            let mut results = self.results();
            results.retain(|_, (until, _)| now < *until);
            results.insert(header.to_owned(), (self.clock.add(now, RESULT_TTL), caller.clone()));
        }
        Ok(caller)
    }

    fn results(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, Caller)>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `router` behind the gateway and its authorizer.
pub fn guard(router: Router, authorizer: Authorizer, allowed_origin: Option<HeaderValue>, clock: Clock) -> Router {
    let cached = Cached { authorizer, clock, results: Arc::default() };
    let authorized = router.layer(middleware::from_fn_with_state(cached, authorize));
    berth_api::finish(authorized, allowed_origin).layer(middleware::from_fn(gateway))
}

/// Gives the request its context, as API Gateway does before it asks the authorizer.
async fn gateway(mut request: Request, next: Next) -> Response {
    let mut context = ApiGatewayProxyRequestContext::default();
    context.path = Some(request.uri().path().to_owned());
    context.request_id = Some(Ulid::generate().to_string().to_ascii_lowercase());
    request.extensions_mut().insert(RequestContext::ApiGatewayV1(context));
    next.run(request).await
}

async fn authorize(State(authorizer): State<Cached>, mut request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, PREFLIGHT).into_response();
    }
    let is_open = request.method() == Method::GET && OPEN.contains(&request.uri().path());
    if !is_open {
        let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let caller = match authorizer.caller(authorization).await {
            Ok(caller) => caller,
            Err(error) => return Problem::from(error).into_response(),
        };
        if let Some(RequestContext::ApiGatewayV1(context)) = request.extensions_mut().get_mut() {
            context.authorizer.fields = caller.context().into_iter().collect();
        }
    }
    next.run(request).await
}
