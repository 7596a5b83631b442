//! The proof: one request to the public URL of a stage, plain or signed, and who answered it.

use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use berth_domain::{Clock, Error};
use http_body_util::BodyExt;

/// For the whole answer: API Gateway itself gives up after 29 s (docs/aws.md#quotas).
const LIMIT: Duration = Duration::from_secs(30);
/// How much of an answer is kept as evidence, in bytes.
const KEPT: usize = 300;
/// The header that every answer of the gateway's own carries (docs/aws.md#the-gateways-own-answers).
const ERROR_TYPE: &str = "x-amzn-errortype";

/// How the names of a service's headers begin that API Gateway passes on under another name: its own answers have none.
const REMAPPED: &str = "x-amzn-remapped-";

/// The gateway's error type in an answer with these headers; `None` when the service has answered.
pub(crate) fn error_type<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut kind = None;
    for (name, value) in headers {
        if name.get(..REMAPPED.len()).is_some_and(|start| start.eq_ignore_ascii_case(REMAPPED)) {
            return None;
        }
        if name.eq_ignore_ascii_case(ERROR_TYPE) {
            kind = Some(value.to_owned());
        }
    }
    kind
}

/// Whether an answer with [`ERROR_TYPE`] is the gateway's. A service may send that header too, as Smithy servers do, and API
/// Gateway passes it on: then the status tells. An environment's API has every path, so the gateway has no 404 for it.
fn may_be_the_gateways(status: u16) -> bool {
    matches!(status, 400 | 401 | 403 | 413 | 415 | 429 | 431 | 500..)
}

/// Sends the proving requests; cheap to clone.
#[derive(Clone, Debug)]
pub struct Prober {
    connector: SharedHttpConnector,
    signer: Signer,
    clock: Clock,
}

/// Signs requests to API Gateway with SigV4, as one role.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The role's ARN.
    pub role: String,
    /// The role's credentials.
    pub credentials: SharedCredentialsProvider,
    /// The AWS region of the REST APIs.
    pub region: String,
}

/// Who answered, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// The service.
    Service {
        /// Its status.
        status: u16,
        /// The beginning of its body, where the status is an error of the service's.
        body: String,
    },
    /// API Gateway, because it refused the request or could not reach the service.
    Gateway {
        /// Its status.
        status: u16,
        /// Its error type, a stable word of API Gateway.
        kind: String,
        /// All of that and the beginning of its body.
        detail: String,
    },
    /// No answer came.
    NoAnswer {
        /// Why.
        detail: String,
    },
}

impl ProbeResult {
    /// Who answered with this status, this `ERROR_TYPE` and this body.
    pub(crate) fn of(status: u16, kind: Option<String>, body: &str) -> Self {
        let body = &body[..body.floor_char_boundary(KEPT)];
        match kind.filter(|_| may_be_the_gateways(status)) {
            // The type may be followed by a URL.
            Some(kind) => {
                let kind = kind.split(':').next().unwrap_or_default().to_owned();
                Self::Gateway { status, detail: format!("{status} {kind}: {body}"), kind }
            }
            None if status >= 500 => Self::Service { status, body: body.to_owned() },
            None => Self::Service { status, body: String::new() },
        }
    }
}

impl Prober {
    /// A prober that sends through `connector`.
    #[must_use]
    pub fn new(connector: SharedHttpConnector, signer: Signer, clock: Clock) -> Self {
        Self { connector, signer, clock }
    }

    /// The ARN of the role that signs the requests.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.signer.role
    }

    /// Requests `url` with GET, as any client on the internet would.
    ///
    /// # Errors
    /// `Internal` when `url` is no URL.
    pub async fn probe(&self, url: &str) -> Result<ProbeResult, Error> {
        self.send(HttpRequest::get(url).map_err(Error::internal)?).await
    }

    /// Requests `url` with GET, signed.
    ///
    /// # Errors
    /// `Internal` when `url` is no URL, `Unavailable` without credentials.
    pub async fn probe_signed(&self, url: &str) -> Result<ProbeResult, Error> {
        let request = self.signer.sign(HttpRequest::get(url).map_err(Error::internal)?, &self.clock).await?;
        self.send(request).await
    }

    async fn send(&self, request: HttpRequest) -> Result<ProbeResult, Error> {
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

impl Signer {
    /// The request, which has no body, with its signature.
    ///
    /// # Errors
    /// `Unavailable` without credentials, `Internal` when the request cannot be signed.
    pub async fn sign(&self, request: HttpRequest, clock: &Clock) -> Result<HttpRequest, Error> {
        let credentials = self.credentials.provide_credentials().await;
        let credentials =
            credentials.map_err(|error| Error::unavailable("Berth has no AWS credentials at present.", error))?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&credentials)
            .region(&self.region)
            .name("execute-api")
            .time(SystemTime::from(clock.now()))
            .settings(SigningSettings::default())
            .build()
            .map_err(Error::internal)?
            .into();
        let mut request = request.try_into_http1x().map_err(Error::internal)?;
        let url = request.uri().to_string();
        let signable = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(&[]));
        let (instructions, _) =
            sign(signable.map_err(Error::internal)?, &parameters).map_err(Error::internal)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        HttpRequest::try_from(request).map_err(Error::internal)
    }
}

async fn understood(response: HttpResponse) -> ProbeResult {
    let status = response.status().as_u16();
    let kind = error_type(response.headers().iter());
    // The body of the service's success is not waited for.
    let body = if kind.is_some() || status >= 500 { beginning(response).await } else { String::new() };
    ProbeResult::of(status, kind, &body)
}

/// The beginning of the body; what comes after it is not waited for.
async fn beginning(response: HttpResponse) -> String {
    let (mut body, mut seen) = (response.into_body(), Vec::new());
    while seen.len() < KEPT
        && let Some(Ok(frame)) = body.frame().await
    {
        seen.extend(frame.into_data().unwrap_or_default());
    }
    String::from_utf8_lossy(&seen).into_owned()
}
