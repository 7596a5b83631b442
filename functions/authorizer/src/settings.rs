//! What the deployment decides: whose tokens are good, and what in them is the team and the role.

use berth_domain::token::{Claim, Verifier};

use crate::Address;

/// The authorizer's configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Checks the tokens.
    pub verifier: Verifier,
    /// Where the issuer's keys are; `None`: where its discovery document says.
    pub jwks_url: Option<Address>,
}

impl Settings {
    /// The configuration of a Lambda: `BERTH_ISSUER`, `BERTH_AUDIENCE`, and what may be missing or empty:
    /// `BERTH_JWKS_URL`, `BERTH_TEAM_CLAIM` (`team`), `BERTH_ROLE_CLAIM` (`role`), `BERTH_OPERATOR_ROLE` (`operator`).
    ///
    /// # Errors
    /// One line that says which variable is missing or wrong.
    pub fn from_env_vars() -> Result<Self, String> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// The same from any variables.
    ///
    /// # Errors
    /// One line that says which variable is missing or wrong.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        // CloudFormation leaves what a parameter does not say empty.
        let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let needed = |name: &str| given(name).ok_or_else(|| format!("{name} is missing"));
        let claim = |name: &str, usual: &str| -> Result<Claim, String> {
            given(name).as_deref().unwrap_or(usual).parse().map_err(|error| format!("{name} {error}"))
        };
        let verifier = Verifier {
            issuer: needed("BERTH_ISSUER")?,
            audience: needed("BERTH_AUDIENCE")?,
            team: claim("BERTH_TEAM_CLAIM", "team")?,
            role: claim("BERTH_ROLE_CLAIM", "role")?,
            operator: given("BERTH_OPERATOR_ROLE").unwrap_or_else(|| "operator".to_owned()),
        };
        let jwks_url = given("BERTH_JWKS_URL").map(|url| url.parse());
        let jwks_url = jwks_url.transpose().map_err(|error| format!("BERTH_JWKS_URL: {error}"))?;
        let settings = Self { verifier, jwks_url };
        // Only a discovery needs the issuer to be a URL.
        if settings.jwks_url.is_none() {
            settings.discovery().map_err(|error| format!("BERTH_ISSUER: {error}"))?;
        }
        Ok(settings)
    }

    /// Where the issuer's discovery document is (OpenID Connect Discovery, section 4).
    pub(crate) fn discovery(&self) -> Result<Address, String> {
        let issuer = &self.verifier.issuer;
        if issuer.contains('?') {
            return Err(format!("`{issuer}` must have no query"));
        }
        let _: Address = issuer.parse()?;
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')).parse()
    }
}
