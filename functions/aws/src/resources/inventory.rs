//! Everything in the account that carries a deployment's tags, whatever the records say. An audit compares the two, and removes
//! what no record explains.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_ecs::types::ServiceField;
use aws_sdk_elasticloadbalancingv2::types::TagDescription;
use berth_domain::names::{self, ResourceName};
use berth_domain::{EnvironmentId, Error, ResourceKind, Team};

use super::{Deletion, Resources, VpcLinkState};
use crate::error::{code, convert};

/// A resource with the tags of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// What it is.
    pub kind: ResourceKind,
    /// Its ARN or id.
    pub id: String,
    /// The environment that its tags name.
    pub environment: EnvironmentId,
    /// The team that its tags name.
    pub team: Team,
}

/// The most ARNs that `DescribeTags` takes.
const TAGS_AT_ONCE: usize = 20;
/// The most services that `DescribeServices` takes.
const SERVICES_AT_ONCE: usize = 10;

impl Resources {
    /// Every REST API, VPC link, service (in one of `clusters`), load balancer and target group that `deployment` has made and
    /// that is not going away; in the order in which they can be removed. Listeners and stages go with what they belong to.
    ///
    /// # Errors
    /// What AWS answers.
    pub async fn tagged(&self, deployment: &str, clusters: &BTreeSet<&str>) -> Result<Vec<Tagged>, Error> {
        let mut found = Vec::new();
        let mut add = |kind, id: &str, tags: &HashMap<String, String>| {
            let tag = |name: &str| tags.get(name).map(String::as_str).unwrap_or_default();
            if tag(names::DEPLOYMENT_TAG) == deployment
                && let (Ok(environment), Ok(team)) = (tag(names::ENVIRONMENT_TAG).parse(), tag(Team::TAG).parse())
            {
                found.push(Tagged { kind, id: id.to_owned(), environment, team });
            }
        };
        for (api, tags) in self.rest_apis().await? {
            add(ResourceKind::RestApi, &api, &tags);
        }
        for (link, tags) in self.vpc_links().await? {
            if link.state != VpcLinkState::Deleting {
                add(ResourceKind::VpcLink, &link.id, &tags);
            }
        }
        for cluster in clusters {
            for (service, tags) in self.services(cluster).await? {
                add(ResourceKind::Service, &service, &tags);
            }
        }
        for (load_balancer, tags) in self.elb_tags_of(self.load_balancers().await?).await? {
            add(ResourceKind::LoadBalancer, &load_balancer, &tags);
        }
        for (target_group, tags) in self.elb_tags_of(self.target_groups().await?).await? {
            add(ResourceKind::TargetGroup, &target_group, &tags);
        }
        Ok(found)
    }

    /// Removes a resource that no record explains.
    ///
    /// # Errors
    /// What AWS answers.
    pub async fn tagged_remove(&self, kind: ResourceKind, id: &str) -> Result<Deletion, Error> {
        match kind {
            ResourceKind::RestApi => self.rest_api_delete(id).await,
            ResourceKind::VpcLink => self.vpc_link_delete(id).await,
            // arn:…:service/cluster/name
            ResourceKind::Service => match id.split('/').nth(1) {
                Some(cluster) => self.service_delete(cluster, id).await.map(|()| Deletion::Accepted),
                None => Err(Error::internal(format!("{id} names no cluster"))),
            },
            ResourceKind::LoadBalancer => self.load_balancer_delete(id).await,
            ResourceKind::TargetGroup => self.target_group_delete(id).await,
            ResourceKind::Listener | ResourceKind::Stage => {
                Err(Error::internal(format!("a {kind} is removed with what it belongs to")))
            }
        }
    }

    /// The services of `cluster` that are named as ours are, with their tags.
    async fn services(&self, cluster: &str) -> Result<Vec<(String, HashMap<String, String>)>, Error> {
        let arns = self.clients.ecs.list_services().cluster(cluster).max_results(100).into_paginator().items().send();
        let arns: Result<Vec<_>, _> = arns.collect().await;
        let mut arns = match arns {
            Ok(arns) => arns,
            Err(error) if code(&error) == Some("ClusterNotFoundException") => return Ok(Vec::new()),
            Err(error) => return Err(convert("ListServices", error)),
        };
        arns.retain(|arn| ResourceName::is_ours(arn.rsplit('/').next().unwrap_or(arn)));
        let mut services = Vec::new();
        for some in arns.chunks(SERVICES_AT_ONCE) {
            let described = self
                .clients
                .ecs
                .describe_services()
                .cluster(cluster)
                .set_services(Some(some.to_vec()))
                .include(ServiceField::Tags)
                .send()
                .await
                .map_err(|error| convert("DescribeServices", error))?;
            for service in described.services().iter().filter(|service| service.status() == Some("ACTIVE")) {
                let tags =
                    service.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
                services.push((service.service_arn().unwrap_or_default().to_owned(), tags.collect()));
            }
        }
        Ok(services)
    }

    /// The ARNs of the load balancers that are named as ours are.
    async fn load_balancers(&self) -> Result<Vec<String>, Error> {
        let found = self.clients.elb.describe_load_balancers().page_size(400).into_paginator().items().send();
        let found: Result<Vec<_>, _> = found.collect().await;
        let found = found.map_err(|error| convert("DescribeLoadBalancers", error))?;
        let ours = found.into_iter().filter(|one| one.load_balancer_name().is_some_and(ResourceName::is_ours));
        Ok(ours.filter_map(|one| one.load_balancer_arn).collect())
    }

    /// The ARNs of the target groups that are named as ours are.
    async fn target_groups(&self) -> Result<Vec<String>, Error> {
        let found = self.clients.elb.describe_target_groups().page_size(400).into_paginator().items().send();
        let found: Result<Vec<_>, _> = found.collect().await;
        let found = found.map_err(|error| convert("DescribeTargetGroups", error))?;
        let ours = found.into_iter().filter(|one| one.target_group_name().is_some_and(ResourceName::is_ours));
        Ok(ours.filter_map(|one| one.target_group_arn).collect())
    }

    async fn elb_tags_of(&self, arns: Vec<String>) -> Result<Vec<(String, HashMap<String, String>)>, Error> {
        let mut tagged = Vec::new();
        for some in arns.chunks(TAGS_AT_ONCE) {
            if let Some(described) = self.elb_tags(some).await? {
                tagged.extend(described);
                continue;
            }
            // One of them went away meanwhile, and ELB answers for none: asked for one by one, the others are seen.
            for arn in some {
                tagged.extend(self.elb_tags(std::slice::from_ref(arn)).await?.into_iter().flatten());
            }
        }
        Ok(tagged)
    }

    /// The tags of these load balancers or target groups; `None` when one of them is not there.
    async fn elb_tags(&self, arns: &[String]) -> Result<Option<Vec<(String, HashMap<String, String>)>>, Error> {
        match self.clients.elb.describe_tags().set_resource_arns(Some(arns.to_vec())).send().await {
            Ok(reply) => Ok(Some(reply.tag_descriptions().iter().map(tags_of).collect())),
            Err(error) if matches!(code(&error), Some("LoadBalancerNotFound" | "TargetGroupNotFound")) => Ok(None),
            Err(error) => Err(convert("DescribeTags", error)),
        }
    }
}

fn tags_of(description: &TagDescription) -> (String, HashMap<String, String>) {
    let tags = description.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    (description.resource_arn().unwrap_or_default().to_owned(), tags.collect())
}
