//! The OpenAPI document: the routes' own annotations and what `common` adds to all, rendered. `openapi/openapi.json`
//! is this, checked in, and a test compares them. The same in OpenAPI 3.0 is made in `infra/local` (`openapi_3_0`).

mod common;

use axum::response::{IntoResponse, Response};
use http::header;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, SecurityRequirement, ServerBuilder,
    tag::TagBuilder,
};

const DESCRIPTION: &str = "Berth runs a container service behind a private connection for one request. `POST /environments` answers at once; \
poll `links.self` (after `retry_after_seconds`) until `status` is `ready`, `failed`, `deleted` or `cleanup_failed`. \
Errors are RFC 9457 problem+json with a stable `code`.";

/// The document's part that describes the whole API.
pub(crate) fn about() -> OpenApi {
    let license = License::builder().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let token = SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Berth")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .license(Some(license))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url("/").description(Some("Where this document was served.")).build()]))
        .tags(Some([
            TagBuilder::new().name("environments").description(Some("Running services of your team.")).build(),
            TagBuilder::new().name("operations").description(Some("For those who run Berth.")).build(),
            TagBuilder::new().name("service").description(Some("The API itself.")).build(),
        ]))
        .components(Some(ComponentsBuilder::new().security_scheme("token", token).build()))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>("token", [])]))
        .build()
}

/// The document as text.
pub(crate) fn render(mut document: OpenApi) -> String {
    common::describe(&mut document);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// The document of the router, as it is checked in.
#[must_use]
pub fn document() -> String {
    render(crate::documented().split_for_parts().1)
}

/// `GET /openapi.json`.
pub(crate) fn serve(document: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}
