//! The environment variables, and from where keys may come.

use berth_authorizer::Address;

use super::*;

#[test]
fn what_is_missing_or_wrong_is_said_in_one_line() {
    for (name, value, expected) in [
        ("BERTH_ISSUER", "", "BERTH_ISSUER is missing"),
        ("BERTH_AUDIENCE", " ", "BERTH_AUDIENCE is missing"),
        ("BERTH_ISSUER", "issuer.example", "BERTH_ISSUER: `issuer.example` must begin with https://"),
        ("BERTH_ISSUER", "https://issuer.example?x=1", "BERTH_ISSUER: `https://issuer.example?x=1` must have no query"),
        (
            "BERTH_JWKS_URL",
            "http://issuer.example/jwks",
            "BERTH_JWKS_URL: `http://issuer.example/jwks` must begin with https:// (http:// is for loopback hosts)",
        ),
        (
            "BERTH_TEAM_CLAIM",
            "/a~b",
            "BERTH_TEAM_CLAIM is no JSON pointer: `~` is written `~0`, and `/` within a name `~1`",
        ),
        (
            "BERTH_ROLE_CLAIM",
            "/roles~",
            "BERTH_ROLE_CLAIM is no JSON pointer: `~` is written `~0`, and `/` within a name `~1`",
        ),
    ] {
        assert_eq!(settings(&[(name, value)]).expect_err(name), expected);
    }
    let given = settings(&[("BERTH_ISSUER", "accounts.example"), ("BERTH_JWKS_URL", "https://keys.example/jwks")]);
    assert_eq!(given.expect("an issuer that is no URL needs no discovery").verifier.issuer, "accounts.example");
}

#[test]
fn keys_come_over_tls_or_from_this_machine() {
    for good in [
        "https://issuer.example/keys?v=2",
        "https://issuer.example:8443",
        "http://127.0.0.1:4566/x",
        "http://127.9.9.9/x",
        "http://localhost:80/x",
        "http://[::1]:4566/x",
    ] {
        good.parse::<Address>().expect(good);
    }
    for bad in [
        "",
        "/keys",
        "issuer.example/keys",
        "http://issuer.example/keys",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.example/keys",
        "http://localhost.example/keys",
        "http://0.0.0.0/keys",
        "http://user@127.0.0.1/keys",
        "https://127.0.0.1@issuer.example/keys",
        "https://issuer.example/keys#fragment",
        "ftp://127.0.0.1/keys",
        "file:///etc/keys",
        "https://issuer example/keys",
    ] {
        bad.parse::<Address>().expect_err(bad);
    }
}
