//! How API Gateway is set up for each kind of access: the methods' authorization and the REST API's resource policy
//! (docs/aws.md#who-may-invoke).

use berth_domain::access::{Access, Cidr};
use serde_json::{Value, json};

/// The `authorizationType` of the methods.
pub(super) fn authorization(access: &Access) -> &'static str {
    match access {
        Access::Iam => "AWS_IAM",
        Access::Cidrs { .. } | Access::Open => "NONE",
    }
}

/// The resource policy; `None` for an API that has none. A policy that permits some requests refuses the others, except those
/// of principals of the account whose own policies permit `execute-api:Invoke`. `prober` is the role that proves that the
/// service answers.
pub(super) fn policy(access: &Access, prober: &str) -> Option<String> {
    let statement = match access {
        Access::Open => return None,
        Access::Iam => statement(json!({"AWS": prober}), None),
        Access::Cidrs { cidrs } => statement(json!("*"), Some(cidrs)),
    };
    Some(json!({"Version": "2012-10-17", "Statement": [statement]}).to_string())
}

fn statement(principal: Value, from: Option<&[Cidr]>) -> Value {
    // API Gateway writes the ARN of the API in front of this short form.
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": principal,
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
    });
    if let Some(cidrs) = from {
        statement["Condition"] = json!({"IpAddress": {"aws:SourceIp": cidrs}});
    }
    statement
}
