//! The VPC link (V1). Which kind of link stands behind an integration is decided here and in `rest_api`, nowhere else.

use std::collections::HashMap;

use aws_sdk_apigateway::types::{VpcLink as Described, VpcLinkStatus};
use berth_domain::names::{ResourceName, Tags};
use berth_domain::{EnvironmentId, Error};

use super::{Deletion, PAGE, Resources, belongs_to, tag_map};
use crate::error::{code, convert, message};

/// A VPC link as API Gateway describes it.
#[derive(Clone, Debug)]
pub struct VpcLink {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: VpcLinkState,
}

/// Where a VPC link stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VpcLinkState {
    /// Being set up.
    Pending,
    /// Up.
    Available,
    /// It will never come up; API Gateway's message.
    Failed(String),
    /// Going away.
    Deleting,
}

impl Resources {
    /// Every VPC link of the environment `id`, by tag: names are not unique and creation is not idempotent (docs/aws.md#vpc-links).
    ///
    /// # Errors
    /// What API Gateway answers.
    pub async fn vpc_links_find(&self, id: &EnvironmentId) -> Result<Vec<VpcLink>, Error> {
        let links = self.vpc_links().await?;
        Ok(links.into_iter().filter(|(_, tags)| belongs_to(id, tags)).map(|(link, _)| link).collect())
    }

    /// Every VPC link of the account, with its tags.
    pub(super) async fn vpc_links(&self) -> Result<Vec<(VpcLink, HashMap<String, String>)>, Error> {
        let links = self.clients.apigateway.get_vpc_links().limit(PAGE).into_paginator().items().send();
        let links: Result<Vec<_>, _> = links.collect().await;
        let links = links.map_err(|error| convert("GetVpcLinks", error))?;
        let with_tags = |link: Described| {
            (understood(link.id(), link.status(), link.status_message()), link.tags.unwrap_or_default())
        };
        Ok(links.into_iter().map(with_tags).collect())
    }

    /// One VPC link, if it is there.
    ///
    /// # Errors
    /// What API Gateway answers beyond "not found".
    pub async fn vpc_link_get(&self, id: &str) -> Result<Option<VpcLink>, Error> {
        match self.clients.apigateway.get_vpc_link().vpc_link_id(id).send().await {
            Ok(link) => Ok(Some(understood(link.id(), link.status(), link.status_message()))),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(None),
            Err(error) => Err(convert("GetVpcLink", error)),
        }
    }

    /// Creates a VPC link to the load balancer. Every call makes a new one: look first.
    ///
    /// # Errors
    /// What API Gateway refuses.
    pub async fn vpc_link_create(
        &self,
        name: &ResourceName,
        tags: &Tags,
        load_balancer: &str,
    ) -> Result<VpcLink, Error> {
        let link = self
            .clients
            .apigateway
            .create_vpc_link()
            .name(name.as_str())
            .target_arns(load_balancer)
            .set_tags(Some(tag_map(tags)))
            .send()
            .await
            .map_err(|error| convert("CreateVpcLink", error))?;
        Ok(understood(link.id(), link.status(), link.status_message()))
    }

    /// Deletes a VPC link; "not there" is success.
    ///
    /// # Errors
    /// What API Gateway refuses beyond "in use".
    pub async fn vpc_link_delete(&self, id: &str) -> Result<Deletion, Error> {
        match self.clients.apigateway.delete_vpc_link().vpc_link_id(id).send().await {
            Ok(_) => Ok(Deletion::Accepted),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(Deletion::Accepted),
            // Referenced by a stage, or in a state in which it cannot go: both pass, or the step's limit ends it.
            Err(error) if code(&error) == Some("BadRequestException") => {
                Ok(Deletion::InUse(message(&error).to_owned()))
            }
            Err(error) => Err(convert("DeleteVpcLink", error)),
        }
    }
}

fn understood(id: Option<&str>, status: Option<&VpcLinkStatus>, message: Option<&str>) -> VpcLink {
    let state = match status {
        Some(VpcLinkStatus::Available) => VpcLinkState::Available,
        Some(VpcLinkStatus::Deleting) => VpcLinkState::Deleting,
        Some(VpcLinkStatus::Failed) => {
            VpcLinkState::Failed(message.unwrap_or("API Gateway gives no reason").to_owned())
        }
        _ => VpcLinkState::Pending,
    };
    VpcLink { id: id.unwrap_or_default().to_owned(), state }
}
