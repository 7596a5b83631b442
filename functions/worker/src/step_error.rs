//! The two kinds of error that the state machine tells apart. The other conversions of [`Error`] are in the API's
//! `problem.rs` and in the authorizer; each lists every variant.

use std::fmt;

use berth_domain::Error;
use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};

/// An error as the state machine sees it.
#[derive(Debug)]
pub enum StepError {
    /// The state machine tries again.
    Retryable(Report),
    /// The state machine gives up on this step.
    Fatal(Report),
}

/// What went wrong, carried as JSON in the error message, so that `RecordFailure` can read it back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// A stable word for programs.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

impl StepError {
    /// The names by which the state machine's `Retry` and `Catch` know the two kinds.
    pub const NAMES: [&str; 2] = ["Retryable", "Fatal"];

    /// The name of this kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retryable(_) => Self::NAMES[0],
            Self::Fatal(_) => Self::NAMES[1],
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn report(&self) -> &Report {
        match self {
            Self::Retryable(report) | Self::Fatal(report) => report,
        }
    }

    /// The error message: the report as JSON.
    #[must_use]
    pub fn message(&self) -> String {
        serde_json::json!(self.report()).to_string()
    }
}

impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        let report = |code: &str| Report { code: code.to_owned(), message: error.public().to_owned() };
        match &error {
            Error::Throttled { .. } => Self::Retryable(report("aws_busy")),
            Error::Unavailable { .. } => Self::Retryable(report("aws_unavailable")),
            // While a deployment renews the functions one after the other, the next try may meet the newer one.
            Error::Unreadable { .. } => Self::Retryable(report("record_unreadable")),
            Error::Invalid { code, .. }
            | Error::Unprocessable { code, .. }
            | Error::Conflict { code, .. }
            | Error::Refused { code, .. }
            | Error::Failed { code, .. } => Self::Fatal(report(code)),
            Error::Unauthenticated { .. } => Self::Fatal(report("unauthenticated")),
            Error::Forbidden { .. } => Self::Fatal(report("forbidden")),
            Error::NotFound { .. } => Self::Fatal(report("not_found")),
            Error::Internal { .. } => Self::Fatal(report("internal")),
        }
    }
}

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        Self { error_type: error.name().to_owned(), error_message: error.message() }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.name(), self.report().code, self.report().message)
    }
}
