//! The HTTP routes of the issuer. Which web pages may reach them is in `crate::endpoint::trust`. No cookie is set.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use berth_domain::Team;
use berth_domain::token::Role;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Issuer, LIFETIME, PATH};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const TOKEN: &str = "/token";
const KEYS: &str = "/.well-known/jwks.json";

#[derive(Deserialize)]
struct Asked {
    team: String,
    subject: Option<String>,
    #[serde(default)]
    role: Role,
}

/// The routes of `issuer` below [`PATH`]: tokens, keys, and the discovery document that names their URL.
pub fn routes(issuer: Issuer) -> Router {
    Router::new()
        .route(&format!("{PATH}{TOKEN}"), get(issue))
        .route(&format!("{PATH}{DISCOVERY}"), get(discover))
        .route(&format!("{PATH}{KEYS}"), get(|State(issuer): State<Issuer>| async move { Json(issuer.keys().clone()) }))
        .with_state(issuer)
}

/// Whether the issuer answers at `path`.
#[must_use]
pub fn is_route(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| [TOKEN, DISCOVERY, KEYS].contains(&rest))
}

async fn discover(State(issuer): State<Issuer>) -> Json<Value> {
    let url = issuer.url();
    Json(json!({
        "issuer": url, "jwks_uri": format!("{url}{KEYS}"), "token_endpoint": format!("{url}/token"),
        "response_types_supported": ["token"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn issue(State(issuer): State<Issuer>, Query(asked): Query<Asked>) -> Response {
    let subject = asked.subject.unwrap_or_else(|| format!("{}@berth.local", asked.team));
    let refused = |why: &str| {
        let body = json!({"error": "invalid_request", "error_description": why});
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    let team = match asked.team.parse::<Team>() {
        Ok(team) => team,
        Err(error) => return refused(&format!("the team is {error}")),
    };
    match issuer.token(&team, &subject, asked.role, Timestamp::now()) {
        Ok(token) => {
            Json(json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME})).into_response()
        }
        Err(error) => refused(error.public()),
    }
}
