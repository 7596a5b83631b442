//! The authorizer as API Gateway calls it, against an issuer whose documents a test writes. What it says over HTTP is in
//! `environments::auth`.

mod claims;
mod keys;
mod log;
mod policy;
mod settings;
mod tokens;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use berth_authorizer::{Authorizer, Policy, Settings, TokenRequest};
use berth_domain::Clock;
use berth_local::issuer::Issuer;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tests::documents::Documents;

const ISSUER: &str = "https://issuer.example";
const METHOD: &str = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/live/GET/environments/env_1";

/// A key of the issuer's.
struct Key {
    id: &'static str,
    pkcs8: Vec<u8>,
}

impl Key {
    fn new(id: &'static str) -> Self {
        Self { id, pkcs8: Issuer::new_key().expect("a key") }
    }

    /// As the issuer publishes it.
    fn public(&self) -> Value {
        let issuer = Issuer::new(&self.pkcs8, "http://localhost").expect("an issuer");
        let mut key = serde_json::to_value(&issuer.keys().keys[0]).expect("a key");
        key["kid"] = json!(self.id);
        key
    }

    /// A token that it signs.
    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(&self.pkcs8)).expect("a token")
    }
}

/// The issuer's RSA key: made once, because making one takes longer than all the tests here.
struct RsaKey;

impl RsaKey {
    fn key() -> EncodingKey {
        EncodingKey::from_rsa_pem(include_bytes!("rsa.pem")).expect("a key")
    }

    fn public() -> Value {
        let key = jsonwebtoken::jwk::Jwk::from_encoding_key(&Self::key(), Algorithm::RS256).expect("a public key");
        let mut key = serde_json::to_value(key).expect("a public key");
        key["kid"] = json!("rsa");
        key
    }

    fn sign(algorithm: Algorithm, claims: &Value) -> String {
        let header = Header { kid: Some("rsa".to_owned()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, claims, &Self::key()).expect("a token")
    }
}

/// An authorizer, the issuer it believes, and that issuer's key `first`.
struct Gate {
    authorizer: Authorizer,
    documents: Documents,
    clock: Clock,
    key: Key,
}

impl Gate {
    fn new() -> Self {
        Self::with(&[])
    }

    /// With these environment variables besides issuer and audience.
    fn with(variables: &[(&str, &str)]) -> Self {
        let clock = Clock::following_tokio(Timestamp::constant(1_800_000_000, 0));
        let key = Key::new("first");
        let documents = Documents::of(ISSUER, &[key.public()]);
        let authorizer = Authorizer::new(settings(variables).expect("settings"), documents.connector(), clock.clone());
        Self { authorizer, documents, clock, key }
    }

    /// The claims of a good token, changed in `members`; a `null` takes one away.
    fn claims(&self, members: Value) -> Value {
        let now = self.clock.now().as_second();
        let mut claims = json!({
            "iss": ISSUER, "aud": "berth", "sub": "ann", "nbf": now, "exp": now + 86_400 * 7, "team": "demo",
        });
        let changed = claims.as_object_mut().expect("an object");
        changed.extend(members.as_object().expect("an object").clone());
        changed.retain(|_, value| !value.is_null());
        claims
    }

    /// A token of the key `first`.
    fn token(&self, members: Value) -> String {
        self.key.sign(&self.claims(members))
    }

    /// API Gateway asks about `token`: the answer, or the error's type and message.
    async fn ask(&self, token: &str) -> Result<Value, (String, String)> {
        answer(&self.authorizer, token, METHOD).await
    }

    /// The message of the refusal that a caller of the embedded system sees.
    async fn refusal(&self, token: &str) -> String {
        let error = self.authorizer.caller(Some(&format!("Bearer {token}"))).await.expect_err("a refusal");
        assert!(matches!(error, berth_domain::Error::Unauthenticated { .. }), "{error:?}");
        error.public().to_owned()
    }
}

async fn answer(authorizer: &Authorizer, token: &str, method: &str) -> Result<Value, (String, String)> {
    let event = json!({"type": "TOKEN", "authorizationToken": format!("Bearer {token}"), "methodArn": method});
    let event: TokenRequest = serde_json::from_value(event).expect("an event");
    let policy: Result<Policy, _> = authorizer.run(&event).await;
    let policy = policy.map_err(|diagnostic| (diagnostic.error_type, diagnostic.error_message))?;
    Ok(serde_json::to_value(policy).expect("JSON"))
}

fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let mut all = BTreeMap::from([("BERTH_ISSUER", ISSUER), ("BERTH_AUDIENCE", "berth")]);
    all.extend(variables.iter().copied());
    Settings::read(|name| all.get(name).map(|value| (*value).to_owned()))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
