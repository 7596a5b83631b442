//! The REST API: ANY on `/` and `/{proxy+}`, passed on unchanged to the load balancer through the VPC link that the
//! stage names.

use std::collections::HashMap;

use aws_sdk_apigateway::types::{ConnectionType, EndpointConfiguration, EndpointType, IntegrationType};
use berth_domain::access::Access;
use berth_domain::names::{LINK_VARIABLE, LISTENER_PORT, ResourceName, Tags};
use berth_domain::{EnvironmentId, Error};

use super::{Deletion, PAGE, Resources, access, belongs_to, tag_map};
use crate::error::{code, convert, message};

/// The greedy path: everything below `/`.
const PROXY: &str = "{proxy+}";

impl Resources {
    /// Every REST API of the environment `id`, by tag: creation is not idempotent (docs/aws.md#repeating-a-creation).
    ///
    /// # Errors
    /// What API Gateway answers.
    pub async fn rest_apis_find(&self, id: &EnvironmentId) -> Result<Vec<String>, Error> {
        let apis = self.rest_apis().await?;
        Ok(apis.into_iter().filter(|(_, tags)| belongs_to(id, tags)).map(|(api, _)| api).collect())
    }

    /// Every REST API of the account, with its tags.
    pub(super) async fn rest_apis(&self) -> Result<Vec<(String, HashMap<String, String>)>, Error> {
        let apis = self.clients.apigateway.get_rest_apis().limit(PAGE).into_paginator().items().send();
        let apis: Result<Vec<_>, _> = apis.collect().await;
        let apis = apis.map_err(|error| convert("GetRestApis", error))?;
        Ok(apis.into_iter().filter_map(|api| Some((api.id?, api.tags.unwrap_or_default()))).collect())
    }

    /// Whether the REST API has a resource policy.
    ///
    /// # Errors
    /// What API Gateway answers.
    pub async fn rest_api_has_policy(&self, api: &str) -> Result<bool, Error> {
        let found = self.clients.apigateway.get_rest_api().rest_api_id(api).send().await;
        let found = found.map_err(|error| convert("GetRestApi", error))?;
        Ok(found.policy().is_some_and(|policy| !policy.is_empty()))
    }

    /// Whether the REST API is there.
    ///
    /// # Errors
    /// What API Gateway answers beyond "not found".
    pub async fn rest_api_exists(&self, api: &str) -> Result<bool, Error> {
        match self.clients.apigateway.get_rest_api().rest_api_id(api).send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(false),
            Err(error) => Err(convert("GetRestApi", error)),
        }
    }

    /// Creates a REST API with the resource policy of `access`, in one call: it is never without. `prober` is the ARN of the
    /// role that proves that the service answers. Every call makes a new one: look first.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn rest_api_create(
        &self,
        name: &ResourceName,
        tags: &Tags,
        description: &str,
        access: &Access,
        prober: &str,
    ) -> Result<String, Error> {
        let created = self
            .clients
            .apigateway
            .create_rest_api()
            .name(name.as_str())
            .description(description)
            .endpoint_configuration(EndpointConfiguration::builder().types(EndpointType::Regional).build())
            // Every body passes through as it is.
            .binary_media_types("*/*")
            .set_policy(access::policy(access, prober))
            .set_tags(Some(tag_map(tags)))
            .send()
            .await
            .map_err(|error| convert("CreateRestApi", error))?;
        created.id().map(str::to_owned).ok_or_else(|| Error::internal("CreateRestApi answered no id"))
    }

    /// Gives the REST API its two paths, each with ANY, the authorization of `access` and its integration. Existing parts are kept
    /// or overwritten with the same values, so the call may be repeated from any point.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn rest_api_route(&self, api: &str, load_balancer_dns: &str, access: &Access) -> Result<(), Error> {
        let authorization = access::authorization(access);
        let (root, proxy) = self.paths(api).await?;
        let proxy = match proxy {
            Some(proxy) => proxy,
            None => self.create_proxy(api, &root).await?,
        };
        self.put_any(api, &root, authorization, load_balancer_dns, false).await?;
        self.put_any(api, &proxy, authorization, load_balancer_dns, true).await
    }

    /// The ids of `/`, and of `/{proxy+}` if it is there.
    pub(super) async fn paths(&self, api: &str) -> Result<(String, Option<String>), Error> {
        let resources = self.clients.apigateway.get_resources().rest_api_id(api).limit(PAGE);
        let resources: Result<Vec<_>, _> = resources.into_paginator().items().send().collect().await;
        let resources = resources.map_err(|error| convert("GetResources", error))?;
        let id_of = |path: &str| {
            resources
                .iter()
                .find(|resource| resource.path() == Some(path))
                .and_then(|resource| resource.id())
                .map(str::to_owned)
        };
        let root = id_of("/").ok_or_else(|| Error::internal(format!("REST API {api} has no root resource")))?;
        Ok((root, id_of(&format!("/{PROXY}"))))
    }

    async fn create_proxy(&self, api: &str, root: &str) -> Result<String, Error> {
        let created =
            self.clients.apigateway.create_resource().rest_api_id(api).parent_id(root).path_part(PROXY).send().await;
        match created {
            Ok(resource) => {
                resource.id().map(str::to_owned).ok_or_else(|| Error::internal("CreateResource answered no id"))
            }
            Err(error) => Err(convert("CreateResource", error)),
        }
    }

    async fn put_any(
        &self,
        api: &str,
        resource: &str,
        authorization: &str,
        load_balancer_dns: &str,
        greedy: bool,
    ) -> Result<(), Error> {
        let parameter = HashMap::from([("method.request.path.proxy".to_owned(), true)]);
        let method = self
            .clients
            .apigateway
            .put_method()
            .rest_api_id(api)
            .resource_id(resource)
            .http_method("ANY")
            .authorization_type(authorization)
            .set_request_parameters(greedy.then_some(parameter))
            .send()
            .await;
        match method {
            Ok(_) => {}
            Err(error) if message(&error).starts_with("Method already exists") => {}
            Err(error) => return Err(convert("PutMethod", error)),
        }
        let mapping =
            HashMap::from([("integration.request.path.proxy".to_owned(), "method.request.path.proxy".to_owned())]);
        let path = if greedy { "/{proxy}" } else { "/" };
        self.clients
            .apigateway
            .put_integration()
            .rest_api_id(api)
            .resource_id(resource)
            .http_method("ANY")
            .r#type(IntegrationType::HttpProxy)
            .integration_http_method("ANY")
            .connection_type(ConnectionType::VpcLink)
            .connection_id(format!("${{stageVariables.{LINK_VARIABLE}}}"))
            .uri(format!("http://{load_balancer_dns}:{LISTENER_PORT}{path}"))
            .set_request_parameters(greedy.then_some(mapping))
            .send()
            .await
            .map(drop)
            .map_err(|error| convert("PutIntegration", error))
    }

    /// Deletes the REST API with its stages and deployments; "not there" is success.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn rest_api_delete(&self, api: &str) -> Result<Deletion, Error> {
        match self.clients.apigateway.delete_rest_api().rest_api_id(api).send().await {
            Ok(_) => Ok(Deletion::Accepted),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(Deletion::Accepted),
            Err(error) => Err(convert("DeleteRestApi", error)),
        }
    }
}
