//! One decision: read the token, get the keys, check, say so in the log. The token itself is never logged.

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use berth_domain::token::{Caller, Presented, Verifier};
use berth_domain::{Clock, Error};
use lambda_runtime::Diagnostic;

use crate::issuer::Issuer;
use crate::keys::Keys;
use crate::{Policy, Settings, TokenRequest};

/// Checks tokens; cheap to clone, and all clones share the issuer's keys.
#[derive(Clone, Debug)]
pub struct Authorizer {
    verifier: Verifier,
    keys: Keys,
    clock: Clock,
}

impl Authorizer {
    /// An authorizer that fetches keys through `connector`.
    #[must_use]
    pub fn new(settings: Settings, connector: SharedHttpConnector, clock: Clock) -> Self {
        let verifier = settings.verifier.clone();
        let keys = Keys::new(Issuer { settings, connector, clock: clock.clone() });
        Self { verifier, keys, clock }
    }

    /// Fetches the keys ahead of the first call. If that fails it is logged, and the first calls try again.
    pub async fn warm(&self) {
        self.keys.warm().await;
    }

    /// Who calls with `authorization`, the header of that name.
    ///
    /// # Errors
    /// `Unauthenticated` with what is wrong with the token; `Unavailable` when it cannot be known because the issuer's keys
    /// cannot be fetched.
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Caller, Error> {
        let decision = self.decide(authorization).await;
        match &decision {
            Ok(caller) => {
                let Caller { subject, team, role } = caller;
                tracing::info!(decision = "allowed", subject, %team, ?role, "token");
            }
            Err(Error::Unauthenticated { message }) => tracing::info!(decision = "refused", why = message, "token"),
            Err(error) => tracing::error!(decision = "failed", cause = error.cause(), "token"),
        }
        decision
    }

    async fn decide(&self, authorization: Option<&str>) -> Result<Caller, Error> {
        let presented = Presented::read(authorization)?;
        let keys = self.keys.for_token(&presented).await?;
        self.verifier.caller(&presented, &keys, self.clock.now())
    }

    /// Answers API Gateway.
    ///
    /// # Errors
    /// `Unauthorized`, the one message that API Gateway turns into 401; anything else becomes its 500.
    pub async fn run(&self, request: &TokenRequest) -> Result<Policy, Diagnostic> {
        let caller = self.caller(request.authorization_token.as_deref()).await.map_err(diagnostic)?;
        Policy::allow(&caller, &request.method_arn).map_err(|error| {
            tracing::error!(cause = error.cause(), "no policy can be made");
            diagnostic(error)
        })
    }
}

fn diagnostic(error: Error) -> Diagnostic {
    let (kind, message) = match error {
        Error::Unauthenticated { .. } => ("Unauthorized", "Unauthorized".to_owned()),
        Error::Throttled { cause, .. } | Error::Unavailable { cause, .. } => ("Unavailable", cause),
        Error::Invalid { message, .. }
        | Error::Forbidden { message }
        | Error::NotFound { message }
        | Error::Conflict { message, .. }
        | Error::Unprocessable { message, .. }
        | Error::Refused { cause: message, .. }
        | Error::Failed { message, .. }
        | Error::Unreadable { cause: message, .. }
        | Error::Internal { cause: message } => ("Internal", message),
    };
    Diagnostic { error_type: kind.to_owned(), error_message: message }
}
