//! Which tokens API Gateway is told to refuse, and that it is told so in the one word that it turns into 401.

use super::*;

/// A token that is good but for the header `crit`, which is signed too (RFC 7515, section 4.1.11).
fn critical(gate: &Gate, names: &[&str]) -> String {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let header = Header { kid: Some("first".to_owned()), crit: Some(names), ..Header::new(Algorithm::ES256) };
    let key = EncodingKey::from_ec_der(&gate.key.pkcs8);
    jsonwebtoken::encode(&header, &gate.claims(json!({})), &key).expect("a token")
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_with_a_token_the_answer_is_the_one_word_that_becomes_401() {
    let gate = Gate::new();
    let now = gate.clock.now().as_second();
    let good = gate.token(json!({}));
    let head = |algorithm: &str| part(&json!({"alg": algorithm, "typ": "JWT", "kid": "first"}));
    let body = part(&gate.claims(json!({})));
    let secret = EncodingKey::from_secret(gate.key.public().to_string().as_bytes());
    let header = Header { kid: Some("first".to_owned()), ..Header::new(Algorithm::HS256) };
    let symmetric = jsonwebtoken::encode(&header, &gate.claims(json!({})), &secret).expect("a token");
    let bad = [
        ("nothing", String::new()),
        ("another issuer", gate.token(json!({"iss": "https://issuer.example/"}))),
        ("another audience", gate.token(json!({"aud": "harbour"}))),
        ("expired", gate.token(json!({"exp": now - 60}))),
        ("not valid yet", gate.token(json!({"nbf": now + 61}))),
        ("alg none", format!("{}.{body}.", head("none"))),
        ("HS256 with the public key", symmetric),
        ("an unknown key", Key::new("unknown").sign(&gate.claims(json!({})))),
        ("a stranger's key under a known id", Key::new("first").sign(&gate.claims(json!({})))),
        ("truncated", good[..good.len() - 5].to_owned()),
        ("100 kB", gate.token(json!({"padding": "x".repeat(100_000)}))),
        ("no team", gate.token(json!({"team": null}))),
        ("claims that are a list", gate.key.sign(&json!(["demo"]))),
        ("an empty list of critical headers", critical(&gate, &[])),
        ("a critical header", critical(&gate, &["http://example.com/exp"])),
        ("a critical header that Berth knows", critical(&gate, &["exp"])),
    ];
    for (what, token) in bad {
        let (kind, message) = gate.ask(&token).await.expect_err(what);
        assert_eq!((kind.as_str(), message.as_str()), ("Unauthorized", "Unauthorized"), "{what}");
    }
    gate.ask(&good).await.expect("a good token is let in");
    let event: TokenRequest = serde_json::from_value(json!({"type": "TOKEN", "methodArn": METHOD})).expect("an event");
    let none = gate.authorizer.run(&event).await.expect_err("no token");
    assert_eq!(none.error_message, "Unauthorized");
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_shape_is_wrong_costs_the_issuer_nothing() {
    let gate = Gate::new();
    let body = part(&gate.claims(json!({})));
    let with = |header: Value| format!("{}.{body}.AAAA", part(&header));
    for token in [
        String::new(),
        "garbage".to_owned(),
        "x".repeat(100_000),
        with(json!({"alg": "none", "kid": "first"})),
        with(json!({"alg": "HS256", "kid": "first"})),
        with(json!({"alg": "PS256", "kid": "first"})),
        with(json!({"alg": "ES256", "kid": 7})),
        with(json!({"alg": "ES256", "kid": "first", "crit": ["b64"], "b64": false})),
        with(json!({"alg": "ES256", "kid": "first", "crit": null})),
    ] {
        gate.ask(&token).await.expect_err(&token);
    }
    assert_eq!(gate.documents.asked(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn tokens_signed_with_rs256_are_let_in_and_only_by_a_key_that_is_meant_for_it() {
    let gate = Gate::new();
    let claims = gate.claims(json!({}));
    gate.documents.put_keys(&[gate.key.public(), RsaKey::public()]);
    gate.ask(&RsaKey::sign(Algorithm::RS256, &claims)).await.expect("RS256");
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        gate.ask(&RsaKey::sign(algorithm, &claims)).await.expect_err("another algorithm of the same key");
    }
    for (member, value) in [("use", "enc"), ("use", "seal"), ("alg", "RS512"), ("alg", "RSA-OAEP")] {
        let gate = Gate::new();
        let mut key = RsaKey::public();
        key[member] = json!(value);
        gate.documents.put_keys(&[gate.key.public(), key]);
        let message = gate.refusal(&RsaKey::sign(Algorithm::RS256, &claims)).await;
        assert_eq!(message, "The token's key is not one of the issuer's; get a new token.", "{member} {value}");
    }
}
