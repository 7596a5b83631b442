//! A request that API Gateway itself makes to the service, in the REST API's current configuration: TestInvokeMethod. It asks
//! neither the resource policy nor the stage, so it proves the way to the service where no client of ours may send a request.

use std::time::Duration;

use aws_sdk_apigateway::config::Builder;
use aws_sdk_apigateway::config::timeout::TimeoutConfig;
use aws_sdk_apigateway::error::SdkError;
use aws_sdk_apigateway::operation::test_invoke_method::{TestInvokeMethodError, TestInvokeMethodOutput};
use berth_domain::Error;

use super::Resources;
use super::stage::variables;
use crate::error::{code, convert};
use crate::prober::{self, ProbeResult};

/// The service has 29 s (docs/aws.md#quotas); the other calls of this client end earlier.
const LIMIT: Duration = Duration::from_secs(30);

impl Resources {
    /// Has API Gateway request `path` (with its query) from the service behind `link` with GET.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn test_invoke(&self, api: &str, path: &str, link: &str) -> Result<ProbeResult, Error> {
        let (root, proxy) = self.paths(api).await?;
        let is_root = path.split('?').next() == Some("/");
        let resource = proxy.filter(|_| !is_root).unwrap_or(root);
        // AWS does not say whether a method ANY is named by the request's method or as ANY.
        let answer = match self.test_invoke_method(api, &resource, "GET", path, link).await {
            Err(error) if code(&error) == Some("NotFoundException") => {
                self.test_invoke_method(api, &resource, "ANY", path, link).await
            }
            answer => answer,
        };
        let answer = answer.map_err(|error| convert("TestInvokeMethod", error))?;
        let headers = answer.headers().into_iter().flatten();
        let kind = prober::error_type(headers.map(|(name, value)| (name.as_str(), value.as_str())));
        let status = u16::try_from(answer.status()).unwrap_or_default();
        Ok(ProbeResult::of(status, kind, answer.body().unwrap_or_default()))
    }

    async fn test_invoke_method(
        &self,
        api: &str,
        resource: &str,
        method: &str,
        path: &str,
        link: &str,
    ) -> Result<TestInvokeMethodOutput, SdkError<TestInvokeMethodError>> {
        let limit = TimeoutConfig::builder().operation_timeout(LIMIT).build();
        self.clients
            .apigateway
            .test_invoke_method()
            .rest_api_id(api)
            .resource_id(resource)
            .http_method(method)
            .path_with_query_string(path)
            .set_stage_variables(Some(variables(link)))
            .customize()
            .config_override(Builder::default().timeout_config(limit))
            .send()
            .await
    }
}
