//! `POST /environments`: check everything, record, start the workflow, answer.

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use berth_aws::store::Created;
use berth_aws::task_definition_get;
use berth_domain::Environment;
use berth_domain::environment::New;
use berth_domain::request::EnvironmentRequest;
use http::HeaderMap;

use super::{NoQuery, accepted, not_started};
use crate::caller::{Base, CallerOf};
use crate::problem::Problem;
use crate::representation::{EnvironmentView, represent};
use crate::{Api, idempotency};

/// Ask for an environment.
///
/// Answers as soon as the request is recorded; poll `links.self`. With an `Idempotency-Key`, the same request may be sent
/// again for 24 hours and gets the same answer.
#[utoipa::path(post, path = "/environments", operation_id = "create_environment", tag = "environments",
    params(idempotency::Header),
    request_body = EnvironmentRequest,
    responses(
        (status = 202, description = "Recorded; the workflow is under way.", body = EnvironmentView,
            headers(("Location" = String, description = "Where to look."), ("Retry-After" = u64, description = "When to look, in seconds."))),
        (status = 400, description = "The request is wrong in itself.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The task definition, container or port does not exist, or the key was used for another request.", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "AWS refuses.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Try again.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_environment(
    State(api): State<Api>,
    CallerOf(caller): CallerOf,
    Base(base): Base,
    NoQuery: NoQuery,
    headers: HeaderMap,
    body: Result<axum::body::Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| Problem::unreadable_body(rejection.status()))?;
    let key = idempotency::key(&headers, &caller.subject, &body)?;
    let before = match &key {
        Some(key) => api.store.environment_remembered(&caller.team, key).await?,
        None => None,
    };
    let environment = match before {
        Some(environment) => environment,
        None => {
            let request = EnvironmentRequest::read(&body)?;
            let task_definition = task_definition_get(&api.clients.ecs, &request.task_definition).await?;
            let spec = request.resolve(task_definition, &api.settings)?;
            let new = New {
                id: api.ids.environment(),
                operation: api.ids.operation(),
                team: caller.team,
                name: request.name,
                created_by: caller.subject,
                spec,
                labels: request.labels,
                lifetime: request.ttl.or(api.settings.lifetime),
            };
            let queued = Environment::queued(new, api.clock.now_ms());
            match api.store.environment_create(queued, key.as_ref()).await? {
                Created::New(environment) | Created::Before(environment) => environment,
            }
        }
    };
    // Also for a repeated request: should the first one have died between the two lines, this one starts the workflow.
    api.operations.run(&environment).await.map_err(|error| not_started(&environment, error))?;
    Ok(accepted(represent(&environment, &api, environment.created_at, &base)))
}
