//! What API Gateway is answered, which it keeps and uses for every request with the same token.

use berth_domain::token::Caller;

use super::*;

#[tokio::test(start_paused = true)]
async fn the_policy_allows_the_whole_stage_and_says_who_calls() {
    let gate = Gate::new();
    let answer = gate.ask(&gate.token(json!({"role": "operator"}))).await.expect("a policy");
    let expected = json!({
        "principalId": "ann",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Action": "execute-api:Invoke",
                "Effect": "Allow",
                "Resource": "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/live/*/*",
            }],
        },
        "context": {"subject": "ann", "team": "demo", "role": "operator"},
    });
    assert_eq!(answer, expected);
    let (token, post) = (gate.token(json!({"role": "operator"})), METHOD.replace("GET", "POST"));
    let again = super::answer(&gate.authorizer, &token, &post).await.expect("a policy");
    assert_eq!(again, expected, "whatever the method");
}

#[tokio::test(start_paused = true)]
async fn two_callers_get_the_same_policy_and_each_its_own_context() {
    let gate = Gate::new();
    let ann = gate.ask(&gate.token(json!({}))).await.expect("a policy");
    let bob = gate.ask(&gate.token(json!({"sub": "bob", "team": "other", "role": "operator"}))).await;
    let bob = bob.expect("a policy");
    assert_eq!(ann["policyDocument"], bob["policyDocument"]);
    assert_eq!(ann["context"], json!({"subject": "ann", "team": "demo", "role": "member"}));
    assert_eq!(bob["context"], json!({"subject": "bob", "team": "other", "role": "operator"}));
}

#[tokio::test(start_paused = true)]
async fn the_handlers_read_back_the_very_caller_that_was_written() {
    let gate = Gate::new();
    for members in [json!({}), json!({"role": "operator", "sub": "Ännchen \"A\" <ann@example.com>"})] {
        let token = gate.token(members);
        let caller = gate.authorizer.caller(Some(&format!("Bearer {token}"))).await.expect("a caller");
        let context = gate.ask(&token).await.expect("a policy")["context"].clone();
        assert_eq!(Caller::from_context(|name| context[name].as_str()), Some(caller));
        for missing in ["subject", "team", "role"] {
            let rest = |name: &str| if name == missing { None } else { context[name].as_str() };
            assert_eq!(Caller::from_context(rest), None, "without {missing}");
        }
    }
    let odd = |name: &str| Some(if name == "role" { "god" } else { "demo" });
    assert_eq!(Caller::from_context(odd), None);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_allowed_for_what_is_no_method_of_an_api() {
    let gate = Gate::new();
    let token = gate.token(json!({}));
    for arn in [
        "",
        "*",
        "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5",
        "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/live",
        "arn:aws:execute-api:eu-west-1:123456789012:*/live/GET/",
        "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/*/GET/",
        "arn:aws:s3:eu-west-1:123456789012:a1b2c3d4e5/live/GET/",
    ] {
        let (kind, _) = answer(&gate.authorizer, &token, arn).await.expect_err(arn);
        assert_eq!(kind, "Internal", "{arn}");
    }
    let root = "arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2c3d4e5/live/GET/";
    let policy = answer(&gate.authorizer, &token, root).await.expect("the root path");
    let resource = &policy["policyDocument"]["Statement"][0]["Resource"];
    assert_eq!(resource, "arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2c3d4e5/live/*/*");
}
