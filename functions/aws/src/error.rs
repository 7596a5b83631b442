//! AWS errors become Berth errors here and nowhere else.
//!
//! The rule of docs/aws.md#retry-or-give-up: throttling, outages, time-outs and "concurrent modification" may work
//! later; quotas, permissions and settings will not. Where "not found" or "already there" is an answer, the caller
//! decides that first, with [`code`].

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use berth_domain::Error;
use berth_domain::error::PERMISSION_DENIED;

/// The error code AWS gave, if AWS answered at all.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// The message AWS gave, if AWS answered at all.
pub(crate) fn message<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default()
}

/// The Berth error for an AWS error met while `doing` (an operation's name).
pub(crate) fn convert<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let cause = aws_smithy_types::error::display::DisplayErrorContext(&error).to_string();
    let Some(code) = code(&error) else {
        return Error::unavailable(format!("{doing} got no answer from AWS."), cause);
    };
    let message = message(&error);
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    if is_throttle(code) {
        // The caller waits and makes the call as soon as AWS allows it; only the log needs AWS's words.
        return Error::Throttled {
            rate_limit: doing.parse().ok(),
            message: format!("{doing} has to wait: AWS takes no more of these calls from this account for now."),
            cause,
        };
    }
    if is_temporary(code, status) {
        return Error::unavailable(format!("{doing} failed for now: AWS answers {code}."), cause);
    }
    if is_permission(code) {
        let action = denied_action(message).map(|action| format!(" ({action})")).unwrap_or_default();
        return Error::Refused {
            code: PERMISSION_DENIED,
            message: format!(
                "AWS does not allow Berth to call {doing}{action}. An operator has to extend Berth's role; its log has AWS's words."
            ),
            cause,
        };
    }
    let message = without_identities(message);
    if is_quota(code) {
        return Error::Refused {
            code: "aws_quota_exceeded",
            message: format!(
                "{doing}: {message} ({code}). Delete what is not needed, or ask an operator to have the quota raised."
            ),
            cause,
        };
    }
    Error::Refused { code: "aws_refused", message: format!("{doing} was refused by AWS: {code}: {message}"), cause }
}

/// The action in AWS's usual sentence about a missing permission; the rest of it has the account, the role and the session.
fn denied_action(message: &str) -> Option<&str> {
    let action = message.split("perform: ").nth(1)?.split_whitespace().next()?;
    action.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-')).then_some(action)
}

/// `message` without ARNs and account ids: callers of a team see it.
fn without_identities(message: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || ":/_-.*+=@".contains(letter);
    let (mut shown, mut rest) = (String::new(), message);
    while let Some((before, arn)) = rest.split_once("arn:") {
        shown.push_str(before);
        shown.push_str("[arn]");
        rest = arn.trim_start_matches(is_part);
    }
    shown.push_str(rest);
    let mut digits: Vec<&str> = shown.split(|letter: char| !letter.is_ascii_digit()).filter(is_account).collect();
    digits.dedup();
    digits.into_iter().fold(shown.clone(), |shown, account| shown.replace(account, "[account]"))
}

fn is_account(digits: &&str) -> bool {
    digits.len() == 12
}

fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "ProvisionedThroughputExceededException"
            // Step Functions: too many open executions (docs/aws.md#retry-or-give-up).
            | "ExecutionLimitExceeded"
    )
}

fn is_temporary(code: &str, status: u16) -> bool {
    matches!(
        code,
        "ServiceUnavailableException"
            | "ServiceUnavailable"
            | "InternalFailure"
            | "InternalServerError"
            | "ServerException"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "RequestTimeout"
    ) || is_look_up(code)
        || status >= 500
}

/// "Not found" of what was just created (docs/aws.md#reads-lag-behind-writes) and "already there" of what was just not
/// found: both mean to look again. Who asks for something that may be absent decides before this.
fn is_look_up(code: &str) -> bool {
    matches!(
        code,
        "LoadBalancerNotFound"
            | "TargetGroupNotFound"
            | "ListenerNotFound"
            | "NotFoundException"
            | "ConflictException"
            | "DuplicateLoadBalancerName"
            | "DuplicateTargetGroupName"
            | "DuplicateListener"
    )
}

fn is_permission(code: &str) -> bool {
    matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedException" | "UnauthorizedOperation")
}

fn is_quota(code: &str) -> bool {
    // 429 `LimitExceededException` is a quota, not a throttle (docs/aws.md#retry-or-give-up).
    matches!(
        code,
        "LimitExceededException"
            | "ServiceQuotaExceededException"
            | "TooManyLoadBalancers"
            | "TooManyTargetGroups"
            | "TooManyListeners"
            | "TooManyRegistrationsForTargetId"
            | "TargetGroupAssociationLimit"
    )
}
