//! Tokens, and what is refused before any of our code sees it.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use berth_local::authorizer::RESULT_TTL;
use berth_local::issuer::{AUDIENCE, Issuer};
use http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tests::documents::{Documents, discovery_url};
use tests::{World, WorldOptions};

use super::send;

/// What needs no token.
const OPEN: [&str; 2] = ["/healthz", "/openapi.json"];
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Every path of the API with its methods, as the served document has them, and whether it says that they are open. `id`
/// is what stands for an id.
async fn routes(world: &World, id: &str) -> BTreeMap<String, BTreeMap<Method, bool>> {
    let document = send(world, &Method::GET, "/openapi.json", &[], "").await.expect(200).body;
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = |item: &Value| {
        let methods = METHODS.into_iter().filter_map(|method| {
            let operation = item.get(method.as_str().to_ascii_lowercase())?;
            let open = operation["security"].as_array().is_some_and(|ways| ways.iter().all(|way| *way == json!({})));
            Some((method, open))
        });
        methods.collect()
    };
    paths.map(|(path, item)| (path.replace("{id}", id), operations(item))).collect()
}

fn header(algorithm: Algorithm, key: Option<&str>) -> Header {
    Header { kid: key.map(str::to_owned), ..Header::new(algorithm) }
}

/// The claims of a good token, changed in `members`; a `null` takes one away.
fn claims(world: &World, members: Value) -> Value {
    let now = world.system.clock.now().as_second();
    let mut claims = json!({
        "iss": world.issuer().url(), "aud": AUDIENCE, "sub": "tester", "nbf": now, "exp": now + 600, "team": "demo", "role": "member",
    });
    claims.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    claims
}

/// A token of the issuer's own key with these claims.
fn token(world: &World, members: Value) -> String {
    world.signed(&header(Algorithm::ES256, Some("berth-local")), &claims(world, members))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// `Authorization` headers that name no caller, and what each is.
fn bad_headers(world: &World) -> Vec<(&'static str, Vec<u8>)> {
    let now = world.system.clock.now().as_second();
    let good = token(world, json!({}));
    let of = |members: Value| format!("Bearer {}", token(world, members)).into_bytes();
    let bearer = |token: String| format!("Bearer {token}").into_bytes();
    let mut parts = good.split('.');
    let (head, body) = (parts.next().expect("a header"), parts.next().expect("claims"));
    let signature = parts.next().expect("a signature");
    let keys = serde_json::to_value(world.issuer().keys()).expect("keys");
    let point = ["x", "y"].map(|name| URL_SAFE_NO_PAD.decode(keys["keys"][0][name].as_str().expect("a coordinate")));
    let point: Vec<u8> = point.into_iter().flat_map(|coordinate| coordinate.expect("base64")).collect();
    let with_secret = |secret: &[u8]| {
        let header = header(Algorithm::HS256, Some("berth-local"));
        jsonwebtoken::encode(&header, &claims(world, json!({})), &EncodingKey::from_secret(secret)).expect("a token")
    };
    let stranger_key = Issuer::new_key().expect("a key");
    let stranger = |key: Option<&str>| {
        let key_pair = EncodingKey::from_ec_der(&stranger_key);
        jsonwebtoken::encode(&header(Algorithm::ES256, key), &claims(world, json!({})), &key_pair).expect("a token")
    };
    let none = |algorithm: &str| part(&json!({"alg": algorithm, "typ": "JWT", "kid": "berth-local"}));
    vec![
        ("an empty header", b"".to_vec()),
        ("another scheme", b"Basic dGVzdGVyOnRlc3Rlcg==".to_vec()),
        ("no scheme", good.clone().into_bytes()),
        ("no token", b"Bearer".to_vec()),
        ("a blank token", b"Bearer   ".to_vec()),
        ("garbage", b"Bearer garbage".to_vec()),
        ("bytes that are no text", b"Bearer \xff\xfe".to_vec()),
        ("dots", b"Bearer ..".to_vec()),
        ("two tokens", bearer(format!("{good} {good}"))),
        ("half a token", bearer(good[..good.len() / 2].to_owned())),
        ("a token without its last letters", bearer(good[..good.len() - 4].to_owned())),
        ("no signature", bearer(format!("{head}.{body}."))),
        ("a fourth part", bearer(format!("{good}.{signature}"))),
        (
            "other claims below a good signature",
            bearer(format!("{head}.{}.{signature}", part(&claims(world, json!({"team": "other"}))))),
        ),
        ("alg none", bearer(format!("{}.{body}.", none("none")))),
        ("alg None with a signature", bearer(format!("{}.{body}.{signature}", none("None")))),
        ("HS256 with the public key's point", bearer(with_secret(&point))),
        ("HS256 with the public key's document", bearer(with_secret(keys["keys"][0].to_string().as_bytes()))),
        ("RS256 said of an EC key", bearer(format!("{}.{body}.{signature}", none("RS256")))),
        ("a stranger's key under our id", bearer(stranger(Some("berth-local")))),
        ("an unknown key", bearer(stranger(Some("stranger")))),
        ("no key id", bearer(stranger(None))),
        ("expired", of(json!({"nbf": now - 600, "exp": now - 61}))),
        ("expired long ago", of(json!({"exp": i64::MIN}))),
        ("no expiry", of(json!({"exp": null}))),
        ("an expiry that is a word", of(json!({"exp": "tomorrow"}))),
        ("not valid yet", of(json!({"nbf": now + 61}))),
        ("another issuer", of(json!({"iss": "https://issuer.example"}))),
        ("no issuer", of(json!({"iss": null}))),
        ("another audience", of(json!({"aud": "harbour"}))),
        ("other audiences", of(json!({"aud": ["harbour", "berths"]}))),
        ("no audience", of(json!({"aud": null}))),
        ("no team", of(json!({"team": null}))),
        ("an empty team", of(json!({"team": ""}))),
        ("a team in capitals", of(json!({"team": "Demo"}))),
        ("a team with a separator", of(json!({"team": "demo#ENV"}))),
        ("a team of 41 letters", of(json!({"team": "t".repeat(41)}))),
        ("several teams", of(json!({"team": ["demo", "other"]}))),
        ("no team in a list", of(json!({"team": []}))),
        ("a team in a list in a list", of(json!({"team": [["demo"]]}))),
        ("a team that is a number", of(json!({"team": 7}))),
        ("no subject", of(json!({"sub": null}))),
        ("an empty subject", of(json!({"sub": ""}))),
        ("a subject of 256 letters", of(json!({"sub": "s".repeat(256)}))),
        ("100 kB", of(json!({"padding": "x".repeat(100_000)}))),
        ("100 kB of nothing", bearer("A".repeat(100_000))),
    ]
}

#[tokio::test(start_paused = true)]
async fn no_route_answers_without_a_token_that_names_a_team() {
    let world = World::new().await;
    let id = world.create("guarded", "hello").await;
    world.settled(&id).await;
    let before = world.get(&id).await;
    world.faults().record();
    let bad = bad_headers(&world);
    let routes = routes(&world, &id).await;
    assert!(routes.len() >= 4, "{routes:?}");
    for (path, methods) in &routes {
        for (method, open) in methods {
            assert_eq!(*open, OPEN.contains(&path.as_str()), "the document says who may call {method} {path}");
            if *open {
                continue;
            }
            let body = json!({"name": "intruder", "task_definition": "hello"}).to_string();
            let without = send(&world, method, path, &[], &body).await.problem(401, "unauthenticated");
            assert_eq!(without.header("www-authenticate"), "Bearer");
            for (what, header) in &bad {
                let reply = send(&world, method, path, &[("authorization", header)], &body).await;
                assert_eq!(reply.status, 401, "{what}: {method} {path}: {}", reply.text);
                let reply = reply.problem(401, "unauthenticated");
                assert_eq!(reply.header("www-authenticate"), "Bearer", "{what}");
                assert!(reply.text.len() < 500, "{what}: {}", reply.text);
            }
        }
    }
    assert_eq!(world.faults().journal(), [], "AWS is not called without a caller");
    assert_eq!(world.get(&id).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_token_may_be_a_minute_off_name_several_audiences_and_leave_out_what_is_optional() {
    let world = World::new().await;
    let now = world.system.clock.now().as_second();
    for members in [
        json!({}),
        json!({"exp": now - 59}),
        json!({"nbf": now + 60}),
        json!({"nbf": null, "role": null}),
        json!({"aud": ["harbour", AUDIENCE]}),
        json!({"role": "operator", "scope": "what we do not know"}),
        json!({"team": "t".repeat(40)}),
        json!({"team": ["demo"]}),
        json!({"sub": "s".repeat(255)}),
        json!({"exp": (now + 600) as f64 + 0.5}),
    ] {
        let good = token(&world, members.clone());
        for header in [format!("Bearer {good}"), format!("bearer {good}"), format!("BEARER  {good} ")] {
            let reply = send(&world, &Method::GET, "/environments", &[("authorization", header.as_bytes())], "").await;
            assert_eq!(reply.status, 200, "{members}: {}", reply.text);
        }
    }
    for path in OPEN {
        send(&world, &Method::GET, path, &[], "").await.expect(200);
        send(&world, &Method::GET, path, &[("authorization", b"Bearer garbage")], "").await.expect(200);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_path_is_404_and_a_wrong_method_405_with_those_that_are_allowed() {
    let world = World::new().await;
    let authorization = format!("Bearer {}", world.token("demo"));
    let headers = [("authorization", authorization.as_bytes())];
    for path in [
        "/",
        "/environment",
        "/environments/",
        "/environments/x/y",
        "/environments/x/events/",
        "//environments",
        "/Environments",
    ] {
        for method in METHODS {
            send(&world, &method, path, &headers, "").await.problem(404, "not_found");
        }
        send(&world, &Method::GET, path, &[], "").await.problem(401, "unauthenticated");
    }
    for (path, methods) in routes(&world, "env_01k9xq3v6zj2m4t8d5w7c0b1ae").await {
        for method in METHODS.into_iter().filter(|method| !methods.contains_key(method)) {
            let reply = send(&world, &method, &path, &headers, "").await.problem(405, "method_not_allowed");
            let allowed: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
            for method in methods.keys() {
                assert!(allowed.contains(&method.as_str()), "{path}: {allowed:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_issuer_cannot_be_asked_the_answer_is_503_and_not_401() {
    let documents = Documents::default();
    let world =
        World::with(WorldOptions { keys_through: Some(documents.connector()), ..WorldOptions::default() }).await;
    let authorization = format!("Bearer {}", world.token("demo"));
    let headers = [("authorization", authorization.as_bytes())];
    let reply = send(&world, &Method::GET, "/environments", &headers, "").await.problem(503, "unavailable");
    assert_eq!(reply.header("retry-after"), "2");
    assert!(!reply.text.contains("404"), "the cause is for the log: {}", reply.text);
    send(&world, &Method::GET, "/environments", &[], "").await.problem(401, "unauthenticated");
    let (issuer, keys) = (world.issuer().url(), serde_json::to_value(world.issuer().keys()).expect("keys"));
    documents.put(&discovery_url(issuer), &json!({"issuer": issuer, "jwks_uri": Documents::KEYS}));
    documents.put(Documents::KEYS, &keys);
    world.system.clock.sleep(Duration::from_secs(10)).await;
    send(&world, &Method::GET, "/environments", &headers, "").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_is_let_in_for_as_long_as_the_gateway_keeps_its_result() {
    let world = World::new().await;
    let now = world.system.clock.now().as_second();
    let authorization = format!("Bearer {}", token(&world, json!({"exp": now + 1})));
    let headers = [("authorization", authorization.as_bytes())];
    send(&world, &Method::GET, "/environments", &headers, "").await.expect(200);
    world.system.clock.sleep(RESULT_TTL - Duration::from_secs(1)).await;
    send(&world, &Method::GET, "/environments", &headers, "").await.expect(200);
    world.system.clock.sleep(Duration::from_secs(1)).await;
    send(&world, &Method::GET, "/environments", &headers, "").await.problem(401, "unauthenticated");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_is_wrong_with_the_token() {
    let world = World::new().await;
    let now = world.system.clock.now().as_second();
    for (members, expected) in [
        (json!({"iss": "https://issuer.example"}), "The token comes from another issuer."),
        (json!({"aud": "harbour"}), "The token is for another audience."),
        (json!({"exp": now - 60}), "The token has expired; get a new one."),
        (json!({"nbf": now + 61}), "The token is not valid yet."),
        (json!({"team": ["a", "b"]}), "The token names several teams in `team`; it must name exactly one."),
    ] {
        let authorization = format!("Bearer {}", token(&world, members));
        let headers = [("authorization", authorization.as_bytes())];
        let reply = send(&world, &Method::GET, "/environments", &headers, "").await.problem(401, "unauthenticated");
        assert_eq!(reply.body["detail"], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_token_the_open_paths_answer_get_and_nothing_else() {
    let world = World::new().await;
    for path in OPEN {
        // API Gateway does not look at the query of what it answers itself.
        send(&world, &Method::GET, &format!("{path}?deep=1"), &[], "").await.expect(200);
        for method in METHODS.into_iter().filter(|method| *method != Method::GET) {
            send(&world, &method, path, &[], "").await.problem(401, "unauthenticated");
        }
    }
}
