//! The one error of Berth. It is converted at three edges, each listing every variant: into HTTP in `api/src/problem.rs`, into
//! the state machine's two kinds in `worker/src/step_error.rs`, into API Gateway's answers in `authorizer/src/authorizer.rs`.
//!
//! Public text goes into `message` and says what to do next; what only an operator may see goes into `cause`, which is
//! logged and never shown.

use std::fmt;

use crate::rate_limit::RateLimit;

/// The word for what AWS does not permit Berth.
pub const PERMISSION_DENIED: &str = "aws_permission_denied";

/// The word for what the deployment's limits exclude.
pub const NOT_ALLOWED: &str = "not_allowed";

/// One bad place in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// A JSON pointer (RFC 6901) into the request body, or the name of a header or query parameter.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Everything that can go wrong.
#[derive(Debug)]
pub enum Error {
    /// The request is wrong in itself (400).
    Invalid {
        /// A stable word for programs.
        code: &'static str,
        /// What is wrong, for people.
        message: String,
        /// Each bad place.
        fields: Vec<Field>,
    },
    /// The caller is not identified (401).
    Unauthenticated {
        /// What is wrong with the token.
        message: String,
    },
    /// The caller is known but may not do this (403).
    Forbidden {
        /// Who may.
        message: String,
    },
    /// There is no such thing for this caller (404).
    NotFound {
        /// What was not found.
        message: String,
    },
    /// The request contradicts what is there (409).
    Conflict {
        /// A stable word for programs.
        code: &'static str,
        /// What is there, and what to do.
        message: String,
    },
    /// The request is well formed but cannot be meant (422).
    Unprocessable {
        /// A stable word for programs.
        code: &'static str,
        /// Why, and what to do.
        message: String,
        /// Each bad place.
        fields: Vec<Field>,
    },
    /// AWS says no, and will go on saying no: a quota, a permission, a setting.
    Refused {
        /// A stable word for programs.
        code: &'static str,
        /// What AWS refused, and who can change it; without account ids, roles and ARNs.
        message: String,
        /// AWS's own words, for operators.
        cause: String,
    },
    /// Something that was being built cannot come up: the service's tasks stop, the link failed.
    Failed {
        /// A stable word for programs.
        code: &'static str,
        /// What failed and why.
        message: String,
    },
    /// AWS throttles: it will work when fewer calls are made.
    Throttled {
        /// The limit that was hit, if it is one for which calls reserve slots.
        rate_limit: Option<RateLimit>,
        /// Which call has to wait.
        message: String,
        /// For operators.
        cause: String,
    },
    /// It may work later: a time-out, an outage.
    Unavailable {
        /// What could not be done.
        message: String,
        /// For operators.
        cause: String,
    },
    /// A record that this version of Berth cannot read: a newer one wrote it, or another program changed it.
    Unreadable {
        /// Which record, and who can help.
        message: String,
        /// For operators.
        cause: String,
    },
    /// A defect of Berth.
    Internal {
        /// For operators.
        cause: String,
    },
}

impl Error {
    /// A request with one bad field.
    pub fn invalid(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Invalid { code, message: message.clone(), fields: vec![Field { pointer: pointer.into(), message }] }
    }

    /// There is no environment `id` for this caller; said alike whether another team has it or none.
    pub fn no_environment(id: impl fmt::Display) -> Self {
        let message = format!("Your team has no environment {id}. `GET /environments` lists those that it has.");
        Self::NotFound { message }
    }

    /// A well-formed request with one field that cannot be meant.
    pub fn unprocessable(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Unprocessable { code, message: message.clone(), fields: vec![Field { pointer: pointer.into(), message }] }
    }

    /// A defect.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }

    /// Something that may work later.
    pub fn unavailable(message: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self::Unavailable { message: message.into(), cause: cause.to_string() }
    }

    /// The record of environment `id` cannot be read.
    pub fn unreadable(id: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::Unreadable {
            message: format!(
                "Berth cannot read its record of {id}; usually a newer version of Berth wrote it. Nothing of it is changed or removed. Ask your operators to deploy the version that wrote it, then repeat the request."
            ),
            cause: format!("{id}: {cause}"),
        }
    }

    /// The text that anybody may see.
    #[must_use]
    pub fn public(&self) -> &str {
        match self {
            Self::Invalid { message, .. }
            | Self::Unauthenticated { message }
            | Self::Forbidden { message }
            | Self::NotFound { message }
            | Self::Conflict { message, .. }
            | Self::Unprocessable { message, .. }
            | Self::Refused { message, .. }
            | Self::Failed { message, .. }
            | Self::Throttled { message, .. }
            | Self::Unavailable { message, .. }
            | Self::Unreadable { message, .. } => message,
            Self::Internal { .. } => "Internal error. Give this request id to your operators.",
        }
    }

    /// The text for the log.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::Throttled { cause, .. }
            | Self::Unavailable { cause, .. }
            | Self::Refused { cause, .. }
            | Self::Unreadable { cause, .. }
            | Self::Internal { cause } => cause,
            Self::Invalid { message, .. }
            | Self::Unauthenticated { message }
            | Self::Forbidden { message }
            | Self::NotFound { message }
            | Self::Conflict { message, .. }
            | Self::Unprocessable { message, .. }
            | Self::Failed { message, .. } => message,
        }
    }
}
