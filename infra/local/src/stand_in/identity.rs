//! The account and the region of the stand-in, and the ARNs in them.

/// The account.
pub const ACCOUNT: &str = "000000000000";
/// The region.
pub const REGION: &str = "us-east-1";

/// The ARN of a resource in the account and region: `arn:aws:{service}:{region}:{account}:{resource}`.
#[must_use]
pub fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}
