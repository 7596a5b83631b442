//! The endpoint in process: an HTTP connector for the AWS SDK, so that tests and the embedded system make real SDK
//! calls over the real wire protocols without a socket.

use std::fmt;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use crate::endpoint::{Endpoint, NoReply, WeakEndpoint};

/// Connects the AWS SDK to an endpoint, as long as another handle keeps the endpoint alive.
#[derive(Clone)]
pub struct InProcess(WeakEndpoint);

impl InProcess {
    /// A connector to `endpoint`.
    #[must_use]
    pub fn connector(endpoint: &Endpoint) -> SharedHttpConnector {
        SharedHttpConnector::new(Self(endpoint.downgrade()))
    }
}

/// The credentials that the embedded system signs with. The endpoint does not check signatures.
#[must_use]
pub fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("berth-local", "berth-local", None, None, "berth-local"))
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = self.0.upgrade();
        HttpConnectorFuture::new(async move {
            let endpoint = endpoint.ok_or_else(|| ConnectorError::io("the endpoint has shut down".into()))?;
            answer(endpoint, request).await
        })
    }
}

async fn answer(endpoint: Endpoint, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    let response =
        endpoint.request(http::Request::from_parts(parts, body)).await.map_err(|no_reply| match no_reply {
            NoReply::Reset => ConnectorError::io("connection reset by peer".into()),
            NoReply::Lost => ConnectorError::timeout("no reply within the time limit".into()),
        })?;
    HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
}
