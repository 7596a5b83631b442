//! The HTTP API: an axum router that runs as a Lambda behind API Gateway's authorizer, and embedded behind the same
//! contract.
//!
//! The table of routes is [`router`]; each handler has its file under `environments` and calls one use case of
//! `functions/app`. What a caller sees of an environment is in `representation`, of an error in `problem`. Tokens are not
//! checked here: API Gateway's authorizer (or `berth-local`) puts the [`caller`] into the request context.

pub mod access;
pub mod caller;
pub mod cors;
mod environments;
mod findings;
mod health;
mod idempotency;
pub mod openapi;
pub mod problem;
pub mod representation;
mod request_body;
mod request_headers;
mod request_id;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use berth_app::App;
use berth_domain::Error;
use http::{HeaderName, HeaderValue, header};
use problem::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The largest request body, in bytes: a request is a page of JSON at most.
const LARGEST_BODY: usize = 64 * 1024;

/// What every answer tells browsers and caches: not to store it, to believe its content type, and to come by TLS only.
const SAFE: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
];

/// The routes, each with its part of the OpenAPI document.
fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::about())
        .routes(routes!(environments::create::create_environment, environments::list::list_environments))
        .routes(routes!(environments::get::get_environment, environments::delete::delete_environment))
        .routes(routes!(environments::extend::extend_environment))
        .routes(routes!(environments::retry::retry_environment))
        .routes(routes!(environments::events::list_environment_events))
        .routes(routes!(findings::list_findings))
        .routes(routes!(health::check_health))
}

/// The API without its outermost layer: the authorizer comes around it, and [`finish`] around that.
pub fn router(app: App) -> Router {
    let (routes, document) = documented().split_for_parts();
    let document = openapi::render(document);
    routes
        .route("/openapi.json", get(move || std::future::ready(openapi::serve(document.clone()))))
        .fallback(|| {
            std::future::ready(Problem::from(Error::NotFound {
                message: "There is no such path. Use one that /openapi.json lists.".to_owned(),
            }))
        })
        .method_not_allowed_fallback(|| std::future::ready(Problem::method_not_allowed()))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(app)
}

/// The outermost layers: some requests are refused for their headers alone, every answer has its request id, errors are
/// problem+json, pages of `allowed_origin` may read them, and every answer has the `SAFE` headers.
pub fn finish(router: Router, allowed_origin: Option<HeaderValue>) -> Router {
    let router =
        router.layer(middleware::from_fn(request_headers::layer)).layer(middleware::from_fn(request_id::layer));
    let router = match allowed_origin {
        Some(origin) => cors::readable_by(router, origin),
        None => router,
    };
    router.layer(middleware::map_response(|mut response: Response| {
        response.headers_mut().extend(SAFE.map(|(name, value)| (name, HeaderValue::from_static(value))));
        std::future::ready(response)
    }))
}
