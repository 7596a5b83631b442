//! The issuer's public keys: which of a published set are of use, and which of them a token names.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The keys of a JWKS document that tokens could be checked with. Others (for encryption, of kinds we do not know) are
/// left out, as RFC 7517, section 5, asks. Only the key of a set of one needs no id (OpenID Connect Core, section 10.1);
/// keys that are left out do not count.
///
/// # Errors
/// One line that says what is wrong with the document; one without any key of use is wrong.
pub fn read_keys(document: &[u8]) -> Result<JwkSet, String> {
    let document: Document =
        serde_json::from_slice(document).map_err(|error| format!("no JSON Web Key Set: {error}"))?;
    let keys = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let of_use = |key: &Jwk| {
        let fits = [Algorithm::RS256, Algorithm::ES256].into_iter().any(|algorithm| fits(key, algorithm));
        fits && DecodingKey::from_jwk(key).is_ok()
    };
    let mut keys: Vec<Jwk> = keys.filter(of_use).collect();
    if keys.len() > 1 {
        keys.retain(|key| key.common.key_id.is_some());
        if keys.is_empty() {
            return Err("several keys for RS256 or ES256 in the JSON Web Key Set, and none with an id".to_owned());
        }
    }
    if keys.is_empty() {
        return Err("no key for RS256 or ES256 in the JSON Web Key Set".to_owned());
    }
    Ok(JwkSet { keys })
}

/// The key in `keys` that may have signed with `algorithm`: the one called `id`, or the only one if it or the token has no id.
pub(super) fn find<'k>(keys: &'k JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let found = match (keys.keys.as_slice(), id) {
        ([only], id) if id.is_none() || only.common.key_id.is_none() => Some(only),
        (keys, Some(id)) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(id) && fits(key, algorithm)),
        (_, None) => None,
    };
    found.filter(|key| fits(key, algorithm))
}

/// Whether the key is of `algorithm`'s kind and meant for signatures with it.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let (kind, named) = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => (true, KeyAlgorithm::RS256),
        (AlgorithmParameters::EllipticCurve(curve), Algorithm::ES256) => {
            (curve.curve == EllipticCurve::P256, KeyAlgorithm::ES256)
        }
        _ => return false,
    };
    let meant = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)));
    kind && meant && key.common.key_algorithm.as_ref().is_none_or(|said| *said == named)
}
