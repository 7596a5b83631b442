//! One fetch of the issuer's keys: discovery if need be, then the key set. Nothing is kept here.
//!
//! An issuer that is slow, sends without end or redirects must not harm us. So the whole fetch has one time limit, the body has
//! a largest size, and redirects are not followed: the keys of the server that answers are trusted.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use berth_domain::Clock;
use berth_domain::token::read_keys;
use http_body_util::BodyExt;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;

use crate::{Address, Settings};

/// For a whole fetch, discovery included.
const LIMIT: Duration = Duration::from_secs(5);
/// The largest document, in bytes; big issuers' key sets with their certificates have about 20 kB.
const LARGEST: usize = 256 * 1024;

/// Who is asked for keys.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub settings: Settings,
    pub connector: SharedHttpConnector,
    pub clock: Clock,
}

/// What of the discovery document matters here.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    /// The issuer's keys of this moment; an error is one line for operators.
    pub(crate) async fn keys(&self) -> Result<JwkSet, String> {
        tokio::select! {
            keys = self.ask() => keys,
            () = self.clock.sleep_limit(LIMIT) => Err(format!("no answer within {} s", LIMIT.as_secs())),
        }
    }

    async fn ask(&self) -> Result<JwkSet, String> {
        let address = match &self.settings.jwks_url {
            Some(address) => address.clone(),
            None => self.discover().await?,
        };
        read_keys(&self.get(&address).await?).map_err(|error| format!("{address}: {error}"))
    }

    async fn discover(&self) -> Result<Address, String> {
        let address = self.settings.discovery()?;
        let document: Discovery =
            serde_json::from_slice(&self.get(&address).await?).map_err(|error| format!("{address}: {error}"))?;
        // OpenID Connect Discovery, section 4.3: another issuer's document must be refused.
        if document.issuer != self.settings.verifier.issuer {
            return Err(format!("{address} is the document of the issuer `{}`", document.issuer));
        }
        document.jwks_uri.parse().map_err(|error| format!("{address}: jwks_uri {error}"))
    }

    async fn get(&self, address: &Address) -> Result<Vec<u8>, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{address}: {error}");
        let request = http::Request::get(address.as_str()).header(http::header::ACCEPT, "application/json");
        let request = request.body(SdkBody::empty()).map_err(|error| wrong(&error))?;
        let request = HttpRequest::try_from(request).map_err(|error| wrong(&error))?;
        let response = self.connector.call(request).await.map_err(|error| wrong(&causes(&error)))?;
        match response.status().as_u16() {
            200 => {}
            status @ 300..=399 => return Err(wrong(&format!("answers {status}; redirects are not followed"))),
            status => return Err(wrong(&format!("answers {status}"))),
        }
        let (mut body, mut document) = (response.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| wrong(&error))?;
            document.extend(frame.into_data().unwrap_or_default());
            if document.len() > LARGEST {
                return Err(wrong(&format!("sends more than {} KiB", LARGEST / 1024)));
            }
        }
        Ok(document)
    }
}

/// An error with all that is behind it: the connector's own words say only what kind it is.
fn causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
