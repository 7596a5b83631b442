//! Checks a token: first its shape, which needs no key, then its signature and what it says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use super::claims::Claims;
use super::{Caller, Claim, denied, keys};
use crate::error::Error;

/// No honest token is longer; a longer one is refused before anything is parsed.
const LONGEST_TOKEN: usize = 16 * 1024;
/// How far the issuer's clock may be off, in seconds.
const LEEWAY: i64 = 60;

/// Checks tokens of one issuer for one audience.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// The issuer, exactly as tokens name it.
    pub issuer: String,
    /// The audience that tokens must be for.
    pub audience: String,
    /// Where tokens name the team.
    pub team: Claim,
    /// Where tokens name the role, or a list of roles.
    pub role: Claim,
    /// The role of an operator; any other, or none, is a member's.
    pub operator: String,
}

/// A token that could be one of an issuer's: its shape is right, nothing else has been checked.
#[derive(Clone)]
pub struct Presented<'t> {
    token: &'t str,
    algorithm: Algorithm,
    key_id: Option<String>,
}

impl<'t> Presented<'t> {
    /// The token in `authorization`, the header `Bearer TOKEN`.
    ///
    /// # Errors
    /// `Unauthenticated` with what is wrong.
    pub fn read(authorization: Option<&'t str>) -> Result<Self, Error> {
        let header = authorization.ok_or_else(|| denied("Send a token: `Authorization: Bearer TOKEN`."))?;
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(denied("The Authorization header must be `Bearer TOKEN`."));
        }
        if token.len() > LONGEST_TOKEN {
            return Err(denied("The token is too long to be one of the issuer's."));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| denied("The token is not a JSON Web Token."))?;
        // Only asymmetric algorithms: a token signed with HS256 and the public key as its secret must never pass.
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
            return Err(denied("The token must be signed with RS256 or ES256."));
        }
        // It names rules that a verifier must understand, and this one understands none (RFC 7515, section 4.1.11).
        if names_crit(token) {
            return Err(denied("The token's header has `crit`, and Berth supports no critical header."));
        }
        Ok(Self { token, algorithm: header.alg, key_id: header.kid })
    }

    /// Whether the token's key is one of `keys`. Where the token or the only key has no id, the signature tells.
    #[must_use]
    pub fn has_key_in(&self, keys: &JwkSet) -> bool {
        match keys::find(keys, self.key_id.as_deref(), self.algorithm) {
            None => false,
            Some(key) if key.common.key_id.is_some() && self.key_id.is_some() => true,
            Some(key) => self.claims(key).is_ok(),
        }
    }

    /// What the token says, if `key` signed it.
    ///
    /// # Errors
    /// `Unauthenticated` with what is wrong.
    fn claims(&self, key: &Jwk) -> Result<Map<String, Value>, Error> {
        let key = DecodingKey::from_jwk(key).map_err(Error::internal)?;
        let mut rules = Validation::new(self.algorithm);
        // Times are checked against the caller's clock, issuer and audience with one message each: `Verifier::check`.
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.validate_aud = false;
        let token = jsonwebtoken::decode::<Map<String, Value>>(self.token, &key, &rules);
        // The library's words are not passed on: some quote the token.
        let token = token.map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => denied("The token's signature does not fit."),
            _ => denied("The token is not well formed."),
        })?;
        Ok(token.claims)
    }
}

/// Whether the token's header has `crit`, with whatever value: `null` is no list of names either.
fn names_crit(token: &str) -> bool {
    let head = token.split('.').next().and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    let head = head.and_then(|head| serde_json::from_slice::<Map<String, Value>>(&head).ok());
    head.is_some_and(|head| head.contains_key("crit"))
}

impl Verifier {
    /// The caller that `presented` names, if one of the issuer's `keys` signed it.
    ///
    /// # Errors
    /// `Unauthenticated` with what is wrong; the message never says what a valid token would contain.
    pub fn caller(&self, presented: &Presented<'_>, keys: &JwkSet, now: Timestamp) -> Result<Caller, Error> {
        let key = keys::find(keys, presented.key_id.as_deref(), presented.algorithm).ok_or_else(|| {
            denied(match presented.key_id {
                Some(_) => "The token's key is not one of the issuer's; get a new token.",
                None => "The token does not name its key, and the issuer has several; get a new token.",
            })
        })?;
        self.check(&Claims::new(presented.claims(key)?), now.as_second())
    }

    fn check(&self, claims: &Claims, now: i64) -> Result<Caller, Error> {
        if claims.issuer() != Some(self.issuer.as_str()) {
            return Err(denied("The token comes from another issuer."));
        }
        if !claims.is_for(&self.audience) {
            return Err(denied("The token is for another audience."));
        }
        let expiry = claims.time("exp")?.ok_or_else(|| denied("The token has no expiry."))?;
        if expiry.saturating_add(LEEWAY) <= now {
            return Err(denied("The token has expired; get a new one."));
        }
        if claims.time("nbf")?.is_some_and(|at| at.saturating_sub(LEEWAY) > now) {
            return Err(denied("The token is not valid yet."));
        }
        let (subject, team) = (claims.subject()?, claims.team(&self.team)?);
        Ok(Caller { subject, team, role: claims.role(&self.role, &self.operator) })
    }
}
