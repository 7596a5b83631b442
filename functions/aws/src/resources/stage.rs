//! The stage: a deployment's snapshot made public, with the VPC link as a stage variable.

use std::collections::HashMap;

use berth_domain::Error;
use berth_domain::names::{LINK_VARIABLE, Tags};

use super::{Resources, tag_map};
use crate::error::{code, convert};

impl Resources {
    /// Whether the stage is there.
    ///
    /// # Errors
    /// What API Gateway answers beyond "not found".
    pub async fn stage_exists(&self, api: &str, stage: &str) -> Result<bool, Error> {
        match self.clients.apigateway.get_stage().rest_api_id(api).stage_name(stage).send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(false),
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
            .set_variables(Some(HashMap::from([(LINK_VARIABLE.to_owned(), link.to_owned())])))
            .set_tags(Some(tag_map(tags)))
            .send()
            .await
            .map(drop)
            .map_err(|error| convert("CreateStage", error))
    }
}
