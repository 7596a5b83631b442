//! What the answers of all operations have in common and no handler can say for itself: the request id, the errors that
//! are not theirs, and the headers that belong to a status.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

/// Said by API Gateway alone, before a function is called (`GatewayThrottled` in infra/template.yaml).
const THROTTLED: &str = "Too many requests at once, of all callers together; `code` is `throttled`.";
const INTERNAL: &str = "Something is wrong with Berth; its operators find the request id in the log.";

/// Adds it to every operation of `document`.
pub(super) fn describe(document: &mut OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let responses = &mut operation.responses.responses;
        responses.entry("429".to_owned()).or_insert_with(|| RefOr::T(problem(THROTTLED)));
        responses.entry("500".to_owned()).or_insert_with(|| RefOr::T(problem(INTERNAL)));
        for (status, response) in responses {
            let RefOr::T(response) = response else { continue };
            header(response, "X-Request-Id", Type::String, "The request's id: the one you sent, else a new one.");
            match status.as_str() {
                "401" => header(response, "WWW-Authenticate", Type::String, "Always `Bearer`."),
                "429" | "503" => header(response, "Retry-After", Type::Integer, "When to try again, in seconds."),
                _ => {}
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = path;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}

fn problem(description: &str) -> Response {
    let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    ResponseBuilder::new().description(description).content("application/problem+json", problem).build()
}

fn header(response: &mut Response, name: &str, kind: Type, description: &str) {
    let header: Header = HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .description(Some(description))
        .build();
    response.headers.entry(name.to_owned()).or_insert(RefOr::T(header));
}
