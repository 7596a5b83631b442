//! The proof: one request to the public URL of a stage, and who answered it.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use berth_domain::{Clock, Error};
use http_body_util::BodyExt;

/// For the whole answer: API Gateway itself gives up after 29 s (docs/aws.md#quotas).
const LIMIT: Duration = Duration::from_secs(30);
/// How much of an answer is kept as evidence, in bytes.
const KEPT: usize = 300;

/// Sends the proving requests; cheap to clone.
#[derive(Clone, Debug)]
pub struct Prober {
    connector: SharedHttpConnector,
    clock: Clock,
}

/// Who answered, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// The service: the gateway's errors carry `x-amzn-ErrorType`, this answer does not (docs/aws.md#the-gateways-own-answers).
    Service {
        /// Its status.
        status: u16,
        /// The beginning of its body, where the status is an error of the service's.
        body: String,
    },
    /// API Gateway, because it could not reach the service.
    Gateway {
        /// Its status.
        status: u16,
        /// Its error type and the beginning of its body.
        detail: String,
    },
    /// No answer came.
    NoAnswer {
        /// Why.
        detail: String,
    },
}

impl Prober {
    /// A prober that sends through `connector`.
    #[must_use]
    pub fn new(connector: SharedHttpConnector, clock: Clock) -> Self {
        Self { connector, clock }
    }

    /// Requests `url` with GET.
    ///
    /// # Errors
    /// `Internal` when `url` is no URL.
    pub async fn probe(&self, url: &str) -> Result<ProbeResult, Error> {
        let request = HttpRequest::get(url).map_err(Error::internal)?;
        let answer = async {
            match self.connector.call(request).await {
                Ok(response) => understood(response).await,
                Err(error) => ProbeResult::NoAnswer { detail: error.to_string() },
            }
        };
        tokio::select! {
            answer = answer => Ok(answer),
            () = self.clock.sleep_limit(LIMIT) => {
                Ok(ProbeResult::NoAnswer { detail: format!("no answer within {} s", LIMIT.as_secs()) })
            }
        }
    }
}

async fn understood(response: HttpResponse) -> ProbeResult {
    let status = response.status().as_u16();
    match response.headers().get("x-amzn-errortype").map(str::to_owned) {
        Some(kind) => {
            ProbeResult::Gateway { status, detail: format!("{status} {kind}: {}", beginning(response).await) }
        }
        None if status >= 500 => ProbeResult::Service { status, body: beginning(response).await },
        None => ProbeResult::Service { status, body: String::new() },
    }
}

/// The beginning of the body; what comes after it is not waited for.
async fn beginning(response: HttpResponse) -> String {
    let (mut body, mut seen) = (response.into_body(), Vec::new());
    while seen.len() < KEPT
        && let Some(Ok(frame)) = body.frame().await
    {
        seen.extend(frame.into_data().unwrap_or_default());
    }
    seen.truncate(KEPT);
    String::from_utf8_lossy(&seen).into_owned()
}
