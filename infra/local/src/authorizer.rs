//! What API Gateway does with its authorizer in AWS, embedded: ask the same [`Authorizer`], then hand the caller to the API
//! in the request context. Unlike API Gateway it keeps no answers, and its refusals say what is wrong.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use berth_api::problem::Problem;
use berth_authorizer::Authorizer;
use http::{HeaderValue, header};
use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::request::RequestContext;
use ulid::Ulid;

/// The paths that need no token.
const OPEN: [&str; 2] = ["/healthz", "/openapi.json"];

/// `router` behind the gateway and its authorizer: what is served.
pub fn guard(router: Router, authorizer: Authorizer, allowed_origin: Option<HeaderValue>) -> Router {
    let authorized = router.layer(middleware::from_fn_with_state(authorizer, authorize));
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

async fn authorize(State(authorizer): State<Authorizer>, mut request: Request, next: Next) -> Response {
    if !OPEN.contains(&request.uri().path()) {
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
