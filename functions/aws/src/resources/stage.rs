//! The stage: a deployment's snapshot made public, with the VPC link as a stage variable, and its throttle.

use std::collections::HashMap;

use aws_sdk_apigateway::types::{MethodSetting, Op, PatchOperation};
use berth_domain::Error;
use berth_domain::names::{LINK_VARIABLE, Tags};
use berth_domain::spec::Throttle;

use super::{Resources, tag_map};
use crate::error::{code, convert};

/// Every method of every path, as `methodSettings` names it.
const EVERY_METHOD: &str = "*/*";

/// A stage, as API Gateway describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The deployment that it serves.
    pub deployment: Option<String>,
    /// The throttle of all its methods, if it has one.
    pub throttle: Option<Throttle>,
}

impl Resources {
    /// The stage; `None` when it is not there.
    ///
    /// # Errors
    /// What API Gateway answers beyond "not found".
    pub async fn stage_get(&self, api: &str, stage: &str) -> Result<Option<Stage>, Error> {
        match self.clients.apigateway.get_stage().rest_api_id(api).stage_name(stage).send().await {
            Ok(found) => Ok(Some(Stage {
                throttle: found.method_settings().and_then(|settings| settings.get(EVERY_METHOD)).map(throttle),
                deployment: found.deployment_id,
            })),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(None),
            Err(error) => Err(convert("GetStage", error)),
        }
    }

    /// The newest deployment of the REST API, if it has one.
    ///
    /// # Errors
    /// What API Gateway answers.
    pub async fn deployment_find(&self, api: &str) -> Result<Option<String>, Error> {
        let deployments = self.clients.apigateway.get_deployments().rest_api_id(api).into_paginator().items().send();
        let deployments: Result<Vec<_>, _> = deployments.collect().await;
        let deployments = deployments.map_err(|error| convert("GetDeployments", error))?;
        let newest = deployments
            .into_iter()
            .max_by_key(|deployment| deployment.created_date().map(aws_smithy_types::DateTime::secs));
        Ok(newest.and_then(|deployment| deployment.id))
    }

    /// Takes a snapshot of the REST API. Every call makes a new one: look first.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn deployment_create(&self, api: &str, description: &str) -> Result<String, Error> {
        let created = self
            .clients
            .apigateway
            .create_deployment()
            .rest_api_id(api)
            .description(description)
            .send()
            .await
            .map_err(|error| convert("CreateDeployment", error))?;
        created.id().map(str::to_owned).ok_or_else(|| Error::internal("CreateDeployment answered no id"))
    }

    /// Makes the deployment public as `stage`, which reaches the service through `link`.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn stage_create(
        &self,
        api: &str,
        stage: &str,
        deployment: &str,
        link: &str,
        tags: &Tags,
    ) -> Result<(), Error> {
        self.clients
            .apigateway
            .create_stage()
            .rest_api_id(api)
            .stage_name(stage)
            .deployment_id(deployment)
            .set_variables(Some(variables(link)))
            .set_tags(Some(tag_map(tags)))
            .send()
            .await
            .map(drop)
            .map_err(|error| convert("CreateStage", error))
    }

    /// Gives every method of the stage this throttle. `CreateStage` cannot.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn stage_throttle(&self, api: &str, stage: &str, throttle: Throttle) -> Result<(), Error> {
        let replace = |setting: &str, value: u32| {
            let path = format!("/{EVERY_METHOD}/throttling/{setting}");
            PatchOperation::builder().op(Op::Replace).path(path).value(value.to_string()).build()
        };
        self.clients
            .apigateway
            .update_stage()
            .rest_api_id(api)
            .stage_name(stage)
            .patch_operations(replace("rateLimit", throttle.requests_per_second))
            .patch_operations(replace("burstLimit", throttle.burst))
            .send()
            .await
            .map(drop)
            .map_err(|error| convert("UpdateStage", error))
    }
}

/// The variables of a stage that reaches the service through `link`.
pub(super) fn variables(link: &str) -> HashMap<String, String> {
    HashMap::from([(LINK_VARIABLE.to_owned(), link.to_owned())])
}

fn throttle(settings: &MethodSetting) -> Throttle {
    Throttle {
        requests_per_second: settings.throttling_rate_limit() as u32,
        burst: u32::try_from(settings.throttling_burst_limit()).unwrap_or_default(),
    }
}
