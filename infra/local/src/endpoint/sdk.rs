//! The endpoint in process: an HTTP connector for the AWS SDK, so that tests and the embedded system make real SDK calls
//! over the real wire protocols without a socket.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::{Endpoint, NoReply};
use crate::in_process;
use crate::stand_in::access_keys::AccessKey;

/// A connector to `endpoint`. It works as long as another handle keeps the endpoint alive.
#[must_use]
pub fn connector(endpoint: &Endpoint) -> SharedHttpConnector {
    let endpoint = endpoint.downgrade();
    in_process::connector(move |request| {
        let endpoint = endpoint.upgrade();
        async move {
            let endpoint = endpoint.ok_or_else(|| ConnectorError::io("the endpoint has shut down".into()))?;
            endpoint.request(request).await.map_err(|no_reply| match no_reply {
                NoReply::Reset => ConnectorError::io("connection reset by peer".into()),
                NoReply::Lost => ConnectorError::timeout("no reply within the time limit".into()),
            })
        }
    })
}

/// `key` as the SDK takes it.
#[must_use]
pub fn credentials(key: &AccessKey) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new(&key.id, &key.secret, None, None, "berth-local"))
}
