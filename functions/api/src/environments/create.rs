//! `POST /environments`: decode, create, encode. The use case is in `functions/app/src/create.rs`.

use axum::extract::State;
use axum::response::Response;
use berth_app::App;
use berth_domain::request::EnvironmentRequest;
use http::HeaderMap;

use super::{NoQuery, accepted};
use crate::caller::{Base, CallerOf};
use crate::idempotency;
use crate::problem::Problem;
use crate::representation::EnvironmentView;
use crate::request_body::RequestBody;

/// Create an environment.
///
/// Berth answers as soon as the request is recorded; poll `links.self`. With an `Idempotency-Key`, repeat the same request
/// within 24 hours to get the same answer.
#[utoipa::path(post, path = "/environments", operation_id = "create_environment", tag = "environments",
    params(idempotency::Header),
    request_body = EnvironmentRequest,
    responses(
        (status = 202, description = "Recorded: the workflow is under way.", body = EnvironmentView,
            headers(("Location" = String, description = "The environment's path."), ("Retry-After" = u64, description = "Look again after this many seconds."))),
        (status = 400, description = "The body is not JSON or breaks a rule; `errors` lists each bad place."),
        (status = 409, description = "Your team has an environment of this name."),
        (status = 422, description = "The task definition, container or port does not exist or does not fit, the deployment does not allow something (`not_allowed`), API Gateway reserves a name (`reserved_by_api_gateway`), or the key was used for another request."),
        (status = 502, description = "AWS refuses a call; `detail` says which and who can change that."),
    ))]
pub(crate) async fn create_environment(
    State(app): State<App>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    NoQuery: NoQuery,
    headers: HeaderMap,
    RequestBody(body): RequestBody,
) -> Result<Response, Problem> {
    let key = idempotency::key(&headers, &caller.subject, &body)?;
    let request = EnvironmentRequest::read(&body)?;
    let environment = app.create(caller, request, key.as_ref()).await?;
    Ok(accepted(EnvironmentView::from_record(&environment, &app, environment.created_at, &base)))
}
