//! The issuer's keys: fetched when needed, never more often than allowed, and used on for a while without the issuer.

use std::time::Duration;

use tests::documents::{Answer, discovery_url};
use tokio::task::JoinSet;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A key id that no key has.
fn stray(gate: &Gate, number: usize) -> String {
    let header = Header { kid: Some(format!("stray-{number}")), ..Header::new(Algorithm::ES256) };
    let key = EncodingKey::from_ec_der(&gate.key.pkcs8);
    jsonwebtoken::encode(&header, &gate.claims(json!({})), &key).expect("a token")
}

#[tokio::test(start_paused = true)]
async fn the_keys_are_fetched_once_for_all_tokens_of_an_hour() {
    let gate = Gate::new();
    let token = gate.token(json!({}));
    let began = gate.clock.now();
    while gate.clock.since(began) < HOUR {
        gate.ask(&token).await.expect("let in");
        gate.clock.sleep(seconds(30)).await;
    }
    assert_eq!(gate.documents.asked(), [discovery_url(ISSUER), Documents::KEYS.to_owned()]);
    gate.clock.sleep(seconds(1)).await;
    gate.ask(&token).await.expect("let in");
    assert_eq!(gate.documents.fetches(), 1, "an hour later again");
}

#[tokio::test(start_paused = true)]
async fn keys_that_were_fetched_ahead_are_not_fetched_by_the_first_call() {
    let gate = Gate::new();
    gate.authorizer.warm().await;
    assert_eq!(gate.documents.fetches(), 1);
    gate.ask(&gate.token(json!({}))).await.expect("let in");
    assert_eq!(gate.documents.fetches(), 0);
    let unlucky = Gate::new();
    let keys = unlucky.documents.clone();
    keys.go_down();
    unlucky.authorizer.warm().await;
    keys.put(&discovery_url(ISSUER), &json!({"issuer": ISSUER, "jwks_uri": Documents::KEYS}));
    keys.put_keys(&[unlucky.key.public()]);
    unlucky.ask(&unlucky.token(json!({}))).await.expect("a failure to fetch ahead does not make the first call wait");
}

#[tokio::test(start_paused = true)]
async fn given_the_keys_url_nothing_is_discovered() {
    let gate = Gate::with(&[("BERTH_JWKS_URL", "https://elsewhere.example/keys")]);
    gate.documents.put("https://elsewhere.example/keys", &json!({"keys": [gate.key.public()]}));
    gate.ask(&gate.token(json!({}))).await.expect("let in");
    assert_eq!(gate.documents.asked(), ["https://elsewhere.example/keys"]);
}

#[tokio::test(start_paused = true)]
async fn an_issuers_url_that_ends_in_a_slash_has_its_document_where_the_standard_says() {
    let gate = Gate::with(&[("BERTH_ISSUER", "https://issuer.example/")]);
    let document = json!({"issuer": "https://issuer.example/", "jwks_uri": Documents::KEYS});
    gate.documents.put("https://issuer.example/.well-known/openid-configuration", &document);
    gate.ask(&gate.token(json!({"iss": "https://issuer.example/"}))).await.expect("let in");
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_good_at_its_first_token_and_one_taken_back_no_longer() {
    let gate = Gate::new();
    let old = gate.token(json!({}));
    gate.ask(&old).await.expect("let in");
    gate.clock.sleep(seconds(10)).await;
    let second = Key::new("second");
    gate.documents.put_keys(&[second.public()]);
    gate.ask(&old).await.expect("the change is not noticed yet");
    gate.ask(&second.sign(&gate.claims(json!({})))).await.expect("the new key is fetched");
    assert_eq!(gate.refusal(&old).await, "The token's key is not one of the issuer's; get a new token.");
}

#[tokio::test(start_paused = true)]
async fn a_key_taken_back_is_good_for_an_hour_at_most() {
    let gate = Gate::new();
    let token = gate.token(json!({}));
    gate.ask(&token).await.expect("let in");
    gate.documents.put_keys(&[Key::new("second").public()]);
    gate.clock.sleep(HOUR).await;
    gate.ask(&token).await.expect("let in");
    gate.clock.sleep(seconds(1)).await;
    gate.ask(&token).await.expect_err("refused");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_right_after_a_fetch_is_good_ten_seconds_later() {
    let gate = Gate::new();
    gate.ask(&gate.token(json!({}))).await.expect("let in");
    let second = Key::new("second");
    gate.documents.put_keys(&[second.public()]);
    let token = second.sign(&gate.claims(json!({})));
    let (_, message) = gate.ask(&token).await.expect_err("refused");
    assert_eq!(message, "Unauthorized");
    gate.clock.sleep(seconds(10)).await;
    gate.ask(&token).await.expect("let in");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_tokens_with_unknown_keys_cause_one_fetch_in_ten_seconds() {
    let gate = Gate::new();
    let good = gate.token(json!({}));
    gate.ask(&good).await.expect("let in");
    assert_eq!(gate.documents.fetches(), 1);
    for number in 0..1000 {
        gate.clock.sleep(Duration::from_millis(100)).await;
        gate.ask(&stray(&gate, number)).await.expect_err("refused");
    }
    assert_eq!(gate.documents.fetches(), 10, "100 s of them");
    gate.clock.sleep(seconds(60)).await;
    let mut all = JoinSet::new();
    gate.documents.delay(seconds(1));
    for number in 0..1000 {
        let (authorizer, token) = (gate.authorizer.clone(), stray(&gate, number));
        all.spawn(async move { answer(&authorizer, &token, METHOD).await.expect_err("refused").1 });
    }
    assert!(all.join_all().await.iter().all(|message| message == "Unauthorized"));
    assert_eq!(gate.documents.fetches(), 1, "a thousand of them at once");
    gate.ask(&good).await.expect("let in");
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_down_old_keys_go_on_for_a_day() {
    let gate = Gate::new();
    let token = gate.token(json!({}));
    gate.ask(&token).await.expect("let in");
    gate.documents.go_down();
    drop(gate.documents.asked());
    for hour in 1..=24 {
        gate.clock.sleep(HOUR).await;
        gate.ask(&token).await.unwrap_or_else(|error| panic!("after {hour} h: {error:?}"));
        gate.ask(&token).await.expect("let in");
    }
    assert_eq!(gate.documents.asked().len(), 23, "asked for in vain, and once for both");
    gate.clock.sleep(seconds(1)).await;
    let (kind, message) = gate.ask(&token).await.expect_err("the keys are not known");
    assert_eq!(kind, "Unavailable");
    assert!(message.contains("connection refused"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_down_an_unknown_key_is_not_called_a_bad_one() {
    let gate = Gate::new();
    gate.ask(&gate.token(json!({}))).await.expect("let in");
    let second = Key::new("second");
    gate.documents.go_down();
    gate.clock.sleep(seconds(10)).await;
    drop(gate.documents.asked());
    let token = second.sign(&gate.claims(json!({})));
    for _ in 0..100 {
        assert_eq!(gate.ask(&token).await.expect_err("the keys are not known").0, "Unavailable");
        gate.ask(&gate.token(json!({}))).await.expect("let in");
        gate.clock.sleep(seconds(1)).await;
    }
    assert_eq!(gate.documents.asked().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn without_any_keys_it_is_an_error_and_never_a_refusal_until_the_issuer_is_back() {
    let gate = Gate::new();
    let (token, documents) = (gate.token(json!({})), gate.documents.clone());
    documents.go_down();
    for _ in 0..100 {
        assert_eq!(gate.ask(&token).await.expect_err("the keys are not known").0, "Unavailable");
        assert_eq!(gate.ask(&stray(&gate, 0)).await.expect_err("the keys are not known").0, "Unavailable");
        gate.clock.sleep(seconds(1)).await;
    }
    assert_eq!(documents.asked().len(), 10);
    documents.put(&discovery_url(ISSUER), &json!({"issuer": ISSUER, "jwks_uri": Documents::KEYS}));
    documents.put_keys(&[gate.key.public()]);
    gate.clock.sleep(seconds(10)).await;
    gate.ask(&token).await.expect("let in");
}

#[tokio::test(start_paused = true)]
async fn a_slow_issuer_is_waited_for_five_seconds_by_all_callers_together() {
    let gate = Gate::new();
    let token = gate.token(json!({}));
    gate.documents.delay(seconds(3));
    let began = gate.clock.now();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (authorizer, token) = (gate.authorizer.clone(), token.clone());
        callers.spawn(async move { answer(&authorizer, &token, METHOD).await.expect_err("the keys are not known") });
    }
    let answers = callers.join_all().await;
    assert!(answers.iter().all(|(kind, message)| kind == "Unavailable" && message == "no answer within 5 s"));
    assert_eq!(gate.clock.since(began).as_secs(), 5, "discovery and keys took 3 s each");
    assert_eq!(gate.documents.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn callers_wait_for_one_fetch_and_not_even_for_that_if_their_key_is_there() {
    let gate = Gate::new();
    let token = gate.token(json!({}));
    gate.documents.delay(seconds(2));
    let all_at_once = || async {
        let mut callers = JoinSet::new();
        for _ in 0..50 {
            let (authorizer, token, clock) = (gate.authorizer.clone(), token.clone(), gate.clock.clone());
            callers.spawn(async move {
                let began = clock.now();
                answer(&authorizer, &token, METHOD).await.expect("let in");
                clock.since(began).as_secs()
            });
        }
        callers.join_all().await
    };
    assert!(all_at_once().await.into_iter().all(|took| took == 4));
    assert_eq!(gate.documents.fetches(), 1);
    gate.clock.sleep(HOUR + seconds(1)).await;
    let took = all_at_once().await;
    assert_eq!(took.iter().filter(|took| **took == 4).count(), 1, "who fetches: {took:?}");
    assert_eq!(took.iter().filter(|took| **took == 0).count(), 49, "who uses the old keys meanwhile: {took:?}");
    assert_eq!(gate.documents.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_does_not_stop_the_fetch_of_the_keys_for_others() {
    let gate = Gate::new();
    let token = gate.token(json!({}));
    gate.documents.delay(seconds(2));
    let first = gate.authorizer.clone();
    let impatient = token.clone();
    let first = tokio::spawn(async move { answer(&first, &impatient, METHOD).await });
    gate.clock.sleep(seconds(1)).await;
    first.abort();
    let began = gate.clock.now();
    gate.ask(&token).await.expect("let in");
    assert_eq!(gate.clock.since(began).as_secs(), 3);
    assert_eq!(gate.documents.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn documents_that_are_not_what_they_should_be_are_errors_that_say_why() {
    let key = Key::new("first").public();
    let keys = |document: Value| (Documents::KEYS.to_owned(), Answer::Sends(200, document.to_string()));
    let page = |status: u16, text: &str| (Documents::KEYS.to_owned(), Answer::Sends(status, text.to_owned()));
    let discovery = |document: Value| (discovery_url(ISSUER), Answer::Sends(200, document.to_string()));
    let with = |member: &str, value: Value| {
        let mut key = key.clone();
        key[member] = value;
        json!({ "keys": [key] })
    };
    let useless = "no key for RS256 or ES256";
    let nameless = json!({"keys": [without_id(key.clone()), without_id(Key::new("second").public())]});
    for ((url, answer), expected) in [
        (keys(json!([])), "no JSON Web Key Set"),
        (keys(json!({})), "missing field `keys`"),
        (keys(json!({"keys": {}})), "no JSON Web Key Set"),
        (keys(json!({"keys": []})), useless),
        (keys(json!({"keys": [7, "key", {}]})), useless),
        (keys(nameless), "several keys for RS256 or ES256 in the JSON Web Key Set, and none with an id"),
        (keys(with("use", json!("enc"))), useless),
        (keys(with("alg", json!("ES384"))), useless),
        (keys(with("crv", json!("P-384"))), useless),
        (keys(with("x", json!("not base64!"))), useless),
        (keys(json!({"keys": [{"kty": "oct", "kid": "first", "k": "c2VjcmV0"}]})), useless),
        (page(200, ""), "no JSON Web Key Set"),
        (page(200, "<html>Sign in</html>"), "no JSON Web Key Set"),
        (keys(json!({"keys": [key], "padding": "x".repeat(300_000)})), "sends more than 256 KiB"),
        (page(500, "sorry"), "answers 500"),
        (page(204, ""), "answers 204"),
        (
            (Documents::KEYS.to_owned(), Answer::Redirects("https://evil.example/keys")),
            "answers 302; redirects are not followed",
        ),
        (discovery(json!({"issuer": ISSUER})), "missing field `jwks_uri`"),
        (
            discovery(json!({"issuer": "https://issuer.example/", "jwks_uri": Documents::KEYS})),
            "is the document of the issuer `https://issuer.example/`",
        ),
        (
            discovery(json!({"issuer": ISSUER, "jwks_uri": "http://keys.example/jwks"})),
            "jwks_uri `http://keys.example/jwks` must begin with https://",
        ),
        ((discovery_url(ISSUER), Answer::Redirects("https://evil.example/")), "answers 302"),
        ((discovery_url(ISSUER), Answer::Sends(404, String::new())), "answers 404"),
    ] {
        let gate = Gate::new();
        gate.documents.set(&url, answer.clone());
        let (kind, message) = gate.ask(&gate.token(json!({}))).await.expect_err(expected);
        assert_eq!(kind, "Unavailable", "{expected}");
        assert!(message.contains(expected) && message.contains(&url), "{expected}: {message}");
        assert!(message.len() < 300, "{message}");
        assert!(!gate.documents.asked().iter().any(|url| url.contains("evil")), "{expected}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_of_an_unknown_kind_does_not_spoil_those_beside_it() {
    let gate = Gate::new();
    let strange = [
        json!({"kty": "AKP", "kid": "first", "alg": "ML-DSA-65", "pub": "AAAA"}),
        json!({"kty": "OKP", "crv": "X25519", "kid": "x", "x": "AAAA"}),
        json!({"kty": "RSA", "kid": "first", "use": "enc", "n": "AQAB", "e": "AQAB"}),
        json!("nonsense"),
        gate.key.public(),
    ];
    gate.documents.put_keys(&strange);
    gate.ask(&gate.token(json!({}))).await.expect("let in");
}

fn without_id(mut key: Value) -> Value {
    key.as_object_mut().expect("an object").remove("kid");
    key
}

/// A token of `key` that does not name it.
fn nameless(gate: &Gate, key: &Key) -> String {
    let key = EncodingKey::from_ec_der(&key.pkcs8);
    jsonwebtoken::encode(&Header::new(Algorithm::ES256), &gate.claims(json!({})), &key).expect("a token")
}

#[tokio::test(start_paused = true)]
async fn the_only_key_of_an_issuer_needs_no_id_in_the_set_and_none_in_the_token() {
    // OpenID Connect Core, section 10.1: a token must name its key where the set has several.
    for published in [|key: &Key| key.public(), |key: &Key| without_id(key.public())] {
        let gate = Gate::new();
        gate.documents.put_keys(&[published(&gate.key)]);
        gate.ask(&nameless(&gate, &gate.key)).await.expect("a token that does not name the only key");
        let stranger = Key::new("first");
        gate.clock.sleep(seconds(10)).await;
        gate.ask(&nameless(&gate, &stranger)).await.expect_err("another key's signature");
        gate.ask(&stranger.sign(&gate.claims(json!({})))).await.expect_err("another key's signature");
    }
    let gate = Gate::new();
    gate.documents.put_keys(&[without_id(gate.key.public())]);
    gate.ask(&gate.token(json!({}))).await.expect("a token that names a key of a set without ids");
    let gate = Gate::new();
    gate.documents.put_keys(&[gate.key.public(), RsaKey::public()]);
    let message = gate.refusal(&nameless(&gate, &gate.key)).await;
    assert_eq!(message, "The token does not name its key, and the issuer has several; get a new token.");
}

#[tokio::test(start_paused = true)]
async fn a_new_only_key_without_an_id_is_fetched_at_its_first_token_and_no_more_often_than_others() {
    let gate = Gate::new();
    gate.documents.put_keys(&[without_id(gate.key.public())]);
    gate.ask(&gate.token(json!({}))).await.expect("let in");
    gate.clock.sleep(seconds(10)).await;
    let second = Key::new("second");
    gate.documents.put_keys(&[without_id(second.public())]);
    gate.ask(&nameless(&gate, &second)).await.expect("the new key is fetched");
    assert_eq!(gate.documents.fetches(), 2);
    for _ in 0..100 {
        gate.clock.sleep(Duration::from_millis(100)).await;
        gate.ask(&nameless(&gate, &gate.key)).await.expect_err("the old key is gone");
    }
    assert_eq!(gate.documents.fetches(), 1, "10 s of them");
}
