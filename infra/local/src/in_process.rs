//! HTTP clients without a socket: a connector that hands each request to an async function. The AWS SDK reaches the
//! endpoint through it (`endpoint::sdk`), and the authorizer the issuer's routes (`issuer`).

use std::fmt;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;

/// A connector whose requests `answer` answers, whatever host they name.
pub(crate) fn connector<F, Answer>(answer: F) -> SharedHttpConnector
where
    F: Fn(Request<Bytes>) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = Result<Response<Bytes>, ConnectorError>> + Send,
{
    SharedHttpConnector::new(InProcess(answer))
}

struct InProcess<F>(F);

impl<F> fmt::Debug for InProcess<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl<F, Answer> HttpConnector for InProcess<F>
where
    F: Fn(Request<Bytes>) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = Result<Response<Bytes>, ConnectorError>> + Send,
{
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
            let response = answer(Request::from_parts(parts, body)).await?;
            HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}
