//! The VPC link (V1). Which kind of link stands behind an integration is decided here and in `rest_api`, nowhere else.

use std::collections::HashMap;

use aws_sdk_apigateway::types::VpcLinkStatus;
use berth_domain::{Environment, Error, names};

use super::{Resources, is_of, tag_map};
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

/// How deleting a VPC link went.
#[derive(Clone, Debug)]
pub enum VpcLinkDeleted {
    /// Going away, or gone.
    Accepted,
    /// Something still refers to it; API Gateway's message.
    InUse(String),
}

impl VpcLinkDeleted {
    /// What still refers to it, in API Gateway's words.
    #[must_use]
    pub fn in_use(self) -> Option<String> {
        match self {
            Self::Accepted => None,
            Self::InUse(message) => Some(message),
        }
    }
}

impl Resources {
    /// Every VPC link of `environment`, by tag: names are not unique and creation is not idempotent (docs/aws.md#vpc-links).
    ///
    /// # Errors
    /// What API Gateway answers.
    pub async fn vpc_links_find(&self, environment: &Environment) -> Result<Vec<VpcLink>, Error> {
        let links = self.vpc_links().await?;
        Ok(links.into_iter().filter(|(_, tags)| is_of(environment, tags)).map(|(link, _)| link).collect())
    }

    /// Every VPC link of the account, with its tags.
    pub(super) async fn vpc_links(&self) -> Result<Vec<(VpcLink, HashMap<String, String>)>, Error> {
        let mut found = Vec::new();
        let mut position = None;
        loop {
            let page = self
                .clients
                .apigateway
                .get_vpc_links()
                .limit(500)
                .set_position(position.take())
                .send()
                .await
                .map_err(|error| convert("GetVpcLinks", error))?;
            for link in page.items.unwrap_or_default() {
                let understood = understood(link.id(), link.status(), link.status_message());
                found.push((understood, link.tags.unwrap_or_default()));
            }
            match page.position {
                Some(next) => position = Some(next),
                None => return Ok(found),
            }
        }
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
    pub async fn vpc_link_create(&self, environment: &Environment, load_balancer: &str) -> Result<VpcLink, Error> {
        let link = self
            .clients
            .apigateway
            .create_vpc_link()
            .name(names::resource_name(environment))
            .target_arns(load_balancer)
            .set_tags(Some(tag_map(environment)))
            .send()
            .await
            .map_err(|error| convert("CreateVpcLink", error))?;
        Ok(understood(link.id(), link.status(), link.status_message()))
    }

    /// Deletes a VPC link; "not there" is success.
    ///
    /// # Errors
    /// What API Gateway refuses beyond "in use".
    pub async fn vpc_link_delete(&self, id: &str) -> Result<VpcLinkDeleted, Error> {
        match self.clients.apigateway.delete_vpc_link().vpc_link_id(id).send().await {
            Ok(_) => Ok(VpcLinkDeleted::Accepted),
            Err(error) if code(&error) == Some("NotFoundException") => Ok(VpcLinkDeleted::Accepted),
            // Referenced by a stage, or in a state in which it cannot go: both pass, or the step's limit ends it.
            Err(error) if code(&error) == Some("BadRequestException") => {
                Ok(VpcLinkDeleted::InUse(message(&error).to_owned()))
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
