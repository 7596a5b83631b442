//! Adds to the document what several operations share: the errors that no handler causes itself (as `components/responses`),
//! the problem+json body of every error, and the headers that belong to a status. A handler's annotation lists only its own
//! responses; an error there needs no more than a status and a description.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;

/// An error response that several operations have.
struct Shared {
    /// Its name under `components/responses`.
    name: &'static str,
    status: &'static str,
    description: &'static str,
    /// Whether an operation has it. One that describes the status itself keeps its own description.
    applies: fn(&Operation) -> bool,
}

const SHARED: [Shared; 8] = [
    Shared {
        name: "InvalidRequest",
        status: "400",
        description: "There is a query parameter, and this operation takes none; or a header that has one value is there twice.",
        applies: |operation| !takes(operation, &ParameterIn::Query),
    },
    Shared { name: "Unauthenticated", status: "401", description: "No valid token.", applies: needs_token },
    Shared {
        name: "EnvironmentNotFound",
        status: "404",
        description: "Your team has no such environment.",
        applies: |operation| takes(operation, &ParameterIn::Path),
    },
    Shared {
        name: "BodyTooLarge",
        status: "413",
        description: "The body is larger than 64 KiB.",
        applies: |operation| operation.request_body.is_some(),
    },
    Shared {
        name: "UnsupportedContentCoding",
        status: "415",
        description: "The request has a content coding, for example gzip. Send it without one.",
        applies: |_| true,
    },
    // API Gateway alone answers this, before it calls a function (`GatewayThrottled` in infra/template.yaml).
    Shared {
        name: "Throttled",
        status: "429",
        description: "All callers together sent too many requests at once; `code` is `throttled`.",
        applies: |_| true,
    },
    Shared {
        name: "Internal",
        status: "500",
        description: "Berth has a defect (`internal`), or cannot read its record of the environment (`record_unreadable`). Its operators find the request id in the log.",
        applies: |_| true,
    },
    Shared {
        name: "Unavailable",
        status: "503",
        description: "Berth or AWS could not answer in time. Repeat the request after `Retry-After` seconds.",
        applies: needs_token,
    },
];

/// Adds it to every operation of `document`.
pub(super) fn describe(document: &mut OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        for shared in SHARED.iter().filter(|shared| (shared.applies)(operation)).collect::<Vec<_>>() {
            let reference = || RefOr::Ref(Ref::from_response_name(shared.name));
            operation.responses.responses.entry(shared.status.to_owned()).or_insert_with(reference);
        }
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(response) = response {
                complete(status, response);
            }
        }
    }
    let components = document.components.get_or_insert_with(Components::new);
    for Shared { name, status, description, .. } in SHARED {
        let mut response = ResponseBuilder::new().description(description).build();
        complete(status, &mut response);
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = path;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}

fn takes(operation: &Operation, place: &ParameterIn) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place))
}

/// Whether the operation has the document's own security requirement, as all have that do not set another.
fn needs_token(operation: &Operation) -> bool {
    operation.security.is_none()
}

/// Adds the body of an error and the headers of `status`.
fn complete(status: &str, response: &mut Response) {
    if status >= "400" {
        let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
        response.content.entry("application/problem+json".to_owned()).or_insert(RefOr::T(problem));
    }
    header(response, "X-Request-Id", Type::String, "The request's id: the one that you sent, else a new one.");
    match status {
        "415" => header(response, "Accept-Encoding", Type::String, "Always `identity`."),
        "401" => header(response, "WWW-Authenticate", Type::String, "Always `Bearer`."),
        "429" | "503" => header(response, "Retry-After", Type::Integer, "Repeat the request after this many seconds."),
        _ => {}
    }
}

fn header(response: &mut Response, name: &str, kind: Type, description: &str) {
    let header: Header = HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .description(Some(description))
        .build();
    response.headers.entry(name.to_owned()).or_insert(RefOr::T(header));
}
