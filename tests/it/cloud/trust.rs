//! Which requests the AWS port and the port of the stages answer, by their headers alone. A browser's own requests are in
//! `.ci/browser`.

use axum::body::Body;
use axum::{Router, extract::Request};
use berth_local::endpoint::serve;
use berth_local::endpoint::trust::{self, Ports};
use berth_local::issuer::{self, Issuer};
use tests::Account;
use tower::ServiceExt;

/// The routers of a system whose API is on port 8080 and whose AWS endpoint is on port 4566.
fn routers() -> (Router, Router, Account) {
    let account = Account::new();
    let issuer = Issuer::new(&Issuer::new_key().unwrap(), "http://127.0.0.1:4566").unwrap();
    let aws = issuer::routes(issuer).merge(serve::aws_api(account.endpoint.clone()));
    let aws = trust::guard(aws, Ports { aws: 4566, api: Some(8080) });
    (aws, serve::execute_api(account.endpoint.clone()), account)
}

/// Status and headers of the answer to GET `path` with these headers, or to a form POST when there is a body.
async fn ask(router: &Router, path: &str, headers: &[(&str, &str)], body: &str) -> http::Response<Body> {
    let mut request = Request::builder().uri(path).method(if body.is_empty() { "GET" } else { "POST" });
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

const TOKEN: &str = "/_berth/token?team=demo&role=operator";
const CREATE: &str = "Action=CreateTargetGroup&Version=2015-12-01&Name=x";

#[tokio::test(start_paused = true)]
async fn the_aws_port_answers_programs_of_this_machine_and_no_page_but_the_apis_at_the_issuer() {
    let (aws, _, _account) = routers();
    let host = ("host", "127.0.0.1:4566");
    let trusted: [&[(&str, &str)]; 8] = [
        &[host],
        &[("host", "localhost:4566")],
        &[("host", "[::1]:4566")],
        &[("host", "127.0.0.1")],
        &[("host", "LOCALHOST:4566")],
        &[host, ("origin", "http://127.0.0.1:4566"), ("sec-fetch-site", "same-origin")],
        &[("host", "localhost:4566"), ("origin", "http://localhost:4566")],
        &[host, ("sec-fetch-site", "none")],
    ];
    for headers in trusted {
        assert_eq!(ask(&aws, TOKEN, headers, "").await.status(), 200, "{headers:?}");
        assert_ne!(ask(&aws, "/", headers, CREATE).await.status(), 403, "{headers:?}");
    }
    let refused: [&[(&str, &str)]; 15] = [
        &[],
        &[("host", "evil.example:4566")],
        &[("host", "evil.example")],
        &[("host", "127.0.0.1.evil.example:4566")],
        &[("host", "localhost.evil.example")],
        &[("host", "127.0.0.1:4566@evil.example")],
        &[host, ("host", "evil.example")],
        &[("host", "evil.example:4566"), ("origin", "http://evil.example:4566")],
        &[host, ("origin", "http://evil.example")],
        &[host, ("origin", "null")],
        &[host, ("origin", "http://127.0.0.1:4566"), ("origin", "http://evil.example")],
        &[host, ("origin", "http://127.0.0.1:4567"), ("sec-fetch-site", "same-site")],
        &[host, ("origin", "https://127.0.0.1:4566")],
        &[host, ("sec-fetch-site", "same-site")],
        &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
    ];
    for headers in refused {
        for (path, body) in [(TOKEN, ""), ("/_berth/.well-known/jwks.json", ""), ("/restapis", ""), ("/", CREATE)] {
            let answer = ask(&aws, path, headers, body).await;
            assert_eq!(answer.status(), 403, "{headers:?} {path}");
            assert_eq!(answer.headers().get("access-control-allow-origin"), None, "{headers:?} {path}");
            assert_eq!(answer.headers().get("set-cookie"), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_target_of_a_request_counts_as_its_host() {
    // RFC 9112, section 3.2.2.
    let (aws, _, _account) = routers();
    let answer = ask(&aws, &format!("http://evil.example{TOKEN}"), &[("host", "127.0.0.1:4566")], "").await;
    assert_eq!(answer.status(), 403);
    let answer = ask(&aws, &format!("http://127.0.0.1:4566{TOKEN}"), &[("host", "127.0.0.1:4566")], "").await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn pages_of_the_apis_port_may_fetch_from_the_issuer_and_nothing_else() {
    let (aws, _, _account) = routers();
    for origin in ["http://127.0.0.1:8080", "http://localhost:8080"] {
        let headers = [("host", "127.0.0.1:4566"), ("origin", origin), ("sec-fetch-site", "same-site")];
        for path in [TOKEN, "/_berth/.well-known/jwks.json", "/_berth/.well-known/openid-configuration"] {
            let answer = ask(&aws, path, &headers, "").await;
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.headers()["access-control-allow-origin"], origin);
            assert_eq!(answer.headers()["vary"], "origin");
            assert_eq!(answer.headers().get("access-control-allow-credentials"), None);
            assert_eq!(answer.headers().get("set-cookie"), None, "the issuer sets no cookie");
        }
        for path in ["/restapis", "/_berth/access-keys", "/_berth/x", "/_berth", "/_berth/token/x"] {
            assert_eq!(ask(&aws, path, &headers, "").await.status(), 403, "{path}");
        }
        assert_eq!(ask(&aws, "/", &headers, CREATE).await.status(), 403);
        // A call of the AWS API, sent to a path of the issuer's.
        let scan = [&headers[..], &[("x-amz-target", "DynamoDB_20120810.Scan")]].concat();
        for path in [TOKEN, "/_berth/x"] {
            let answer = ask(&aws, path, &scan, r#"{"TableName":"berth"}"#).await;
            assert_eq!(answer.status(), 403, "{path}");
        }
        let preflight = Request::builder().method("OPTIONS").uri("/_berth/token").header("host", "127.0.0.1:4566");
        let preflight = preflight.header("origin", origin).body(Body::empty()).unwrap();
        let answer = aws.clone().oneshot(preflight).await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["access-control-allow-methods"]),
            (204, &"GET".parse().unwrap())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_aws_port_serves_no_stage_and_the_port_of_the_stages_no_aws_api() {
    let (aws, stages, _account) = routers();
    let host = [("host", "127.0.0.1:4566")];
    let stage = "/restapis/abcdefghij/live/_user_request_/";
    let on_aws = ask(&aws, stage, &host, "").await;
    assert_ne!(on_aws.headers().get("x-amzn-errortype").map(|kind| kind.to_str().unwrap()), Some("ForbiddenException"));
    let answer = ask(&stages, stage, &host, "").await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["x-amzn-errortype"].to_str().unwrap()),
        (403, "ForbiddenException")
    );
    for (path, body) in [(TOKEN, ""), ("/restapis", ""), ("/", CREATE), ("/_berth/.well-known/jwks.json", "")] {
        let answer = ask(&stages, path, &host, body).await;
        assert_eq!(answer.status(), 403, "{path}");
    }
    let rebound = ask(&stages, stage, &[("host", "evil.example")], "").await;
    assert_eq!(rebound.headers()["x-amzn-errortype"], "ForbiddenException");
}
