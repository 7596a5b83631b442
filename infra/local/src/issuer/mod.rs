//! The embedded system's own token issuer: one P-256 key, tokens for any team.
//!
//! `routes` serves it below [`PATH`] on the AWS port; `in_process` lets the authorizer fetch the keys from the same
//! routes without a socket. For local use only: every program of this machine gets a token; which pages do is in
//! `crate::endpoint::trust`. In AWS, the company's own issuer is used.

mod routes;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::result::ConnectorError;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use berth_authorizer::{Authorizer, Settings};
use berth_domain::token::Role;
use berth_domain::{Clock, Error, Team};
use http_body_util::BodyExt;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use tower::ServiceExt;

use crate::in_process;

pub use routes::{is_route, routes};

/// Where the issuer answers, on the AWS port.
pub const PATH: &str = "/_berth";
/// The audience named in the tokens.
pub const AUDIENCE: &str = "berth";
/// How long a token is valid, in seconds.
pub const LIFETIME: i64 = 12 * 3600;
const KEY_ID: &str = "berth-local";

/// Issues tokens.
#[derive(Clone)]
pub struct Issuer {
    url: String,
    key: EncodingKey,
    keys: JwkSet,
}

impl Issuer {
    /// A new private key, as PKCS#8.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new_key() -> Result<Vec<u8>, String> {
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map(|key| key.as_ref().to_vec())
            .map_err(|_| "the system gives no random numbers for a key".to_owned())
    }

    /// An issuer with this private key, at the endpoint `endpoint` (`http://127.0.0.1:4566`).
    ///
    /// # Errors
    /// When `pkcs8` is no such key.
    pub fn new(pkcs8: &[u8], endpoint: &str) -> Result<Self, String> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())
            .map_err(|error| format!("the token key cannot be read: {error}"))?;
        // An uncompressed point: 4, then x and y of 32 bytes each.
        let point = pair.public_key().as_ref();
        let coordinate = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default());
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID,
            "x": coordinate(1..33), "y": coordinate(33..65),
        }]});
        let keys = serde_json::from_value(keys).map_err(|error| error.to_string())?;
        Ok(Self { url: format!("{endpoint}{PATH}"), key: EncodingKey::from_ec_der(pkcs8), keys })
    }

    /// The public keys.
    #[must_use]
    pub fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// The issuer's name in the tokens: its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An authorizer for this issuer's tokens, which fetches the keys from its routes.
    ///
    /// # Errors
    /// When the endpoint is no loopback URL.
    pub fn authorizer(&self, clock: Clock) -> Result<Authorizer, String> {
        Ok(Authorizer::new(self.settings()?, self.connector(), clock))
    }

    /// A connector to the issuer's routes, so that the authorizer fetches keys as in AWS, but without a socket.
    fn connector(&self) -> SharedHttpConnector {
        let router = routes(self.clone());
        in_process::connector(move |request| {
            let router = router.clone();
            async move {
                let response = router.oneshot(request.map(Body::from)).await;
                let (parts, body) = response.map_err(|error| ConnectorError::user(error.into()))?.into_parts();
                let body = body.collect().await.map_err(|error| ConnectorError::io(error.into()))?.to_bytes();
                Ok(http::Response::from_parts(parts, body))
            }
        })
    }

    /// The settings of an authorizer for this issuer's tokens.
    ///
    /// # Errors
    /// When the endpoint is no loopback URL.
    pub fn settings(&self) -> Result<Settings, String> {
        Settings::read(|name| match name {
            "BERTH_ISSUER" => Some(self.url.clone()),
            "BERTH_AUDIENCE" => Some(AUDIENCE.to_owned()),
            _ => None,
        })
    }

    /// A token for `subject` of `team` in `role`, valid from `now` for [`LIFETIME`].
    ///
    /// # Errors
    /// `Internal` when signing fails.
    pub fn token(&self, team: &Team, subject: &str, role: Role, now: Timestamp) -> Result<String, Error> {
        let now = now.as_second();
        let claims = json!({
            "iss": self.url, "aud": AUDIENCE, "sub": subject, "nbf": now, "exp": now.saturating_add(LIFETIME),
            "team": team, "role": role,
        });
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(Error::internal)
    }
}
