//! The SDK's configuration: in AWS from the environment, with TLS by rustls on ring; elsewhere through any connector.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};

/// The configuration of a Lambda: region and credentials from its environment.
pub async fn from_env_vars() -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

/// A configuration whose every request goes through `connector`: the embedded system and the tests.
#[must_use]
pub fn through(
    connector: SharedHttpConnector,
    credentials: SharedCredentialsProvider,
    region: &'static str,
) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(credentials)
        .sleep_impl(TokioSleep::new())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build()
}

/// A connector for requests that are no AWS calls: the proving request.
#[must_use]
pub fn https() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build())
}

/// A connector for plain HTTP: the embedded system's stages are on a loopback port.
#[must_use]
pub fn http() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().build_http())
}
