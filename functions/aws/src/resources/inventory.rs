//! Everything in the account that carries a deployment's tags, whatever the records say: what an audit compares them with,
//! and how it takes away what none of them explains.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_ecs::types::ServiceField;
use aws_sdk_elasticloadbalancingv2::types::TagDescription;
use berth_domain::environment::ResourceKind;
use berth_domain::{EnvironmentId, Error, Team, names};

use super::{Resources, VpcLinkState};
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
                && let (Ok(environment), Ok(team)) = (tag(names::ENVIRONMENT_TAG).parse(), tag(names::TEAM_TAG).parse())
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

    /// Takes away what no record explains; answers why not, when something else has to go first.
    ///
    /// # Errors
    /// What AWS answers.
    pub async fn tagged_remove(&self, kind: ResourceKind, id: &str) -> Result<Option<String>, Error> {
        match kind {
            ResourceKind::RestApi => self.rest_api_delete(id).await.map(|()| None),
            ResourceKind::VpcLink => self.vpc_link_delete(id).await.map(|deleted| deleted.in_use()),
            // arn:…:service/cluster/name
            ResourceKind::Service => match id.split('/').nth(1) {
                Some(cluster) => self.service_delete(cluster, id).await.map(|()| None),
                None => Err(Error::internal(format!("{id} names no cluster"))),
            },
            ResourceKind::LoadBalancer => self.load_balancer_delete(id).await.map(Result::err),
            ResourceKind::TargetGroup => {
                let deleted = self.target_group_delete(id).await?;
                Ok((!deleted).then(|| "still in use by a listener".to_owned()))
            }
            ResourceKind::Listener | ResourceKind::Stage => Err(Error::internal("goes with what it belongs to")),
        }
    }

    /// The services of `cluster` that are named as ours are, with their tags.
    async fn services(&self, cluster: &str) -> Result<Vec<(String, HashMap<String, String>)>, Error> {
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            let page = self.clients.ecs.list_services().cluster(cluster).max_results(100).set_next_token(token.take());
            let page = match page.send().await {
                Ok(page) => page,
                Err(error) if code(&error) == Some("ClusterNotFoundException") => return Ok(Vec::new()),
                Err(error) => return Err(convert("ListServices", error)),
            };
            let ours = page.service_arns().iter().filter(|arn| names::is_ours(arn.rsplit('/').next().unwrap_or(arn)));
            arns.extend(ours.cloned());
            match page.next_token {
                Some(next) => token = Some(next),
                None => break,
            }
        }
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

    async fn load_balancers(&self) -> Result<Vec<String>, Error> {
        let mut arns = Vec::new();
        let mut marker = None;
        loop {
            let page = self
                .clients
                .elb
                .describe_load_balancers()
                .page_size(400)
                .set_marker(marker.take())
                .send()
                .await
                .map_err(|error| convert("DescribeLoadBalancers", error))?;
            let named =
                page.load_balancers().iter().filter(|found| found.load_balancer_name().is_some_and(names::is_ours));
            arns.extend(named.filter_map(|found| found.load_balancer_arn().map(str::to_owned)));
            match page.next_marker {
                Some(next) => marker = Some(next),
                None => return Ok(arns),
            }
        }
    }

    async fn target_groups(&self) -> Result<Vec<String>, Error> {
        let mut arns = Vec::new();
        let mut marker = None;
        loop {
            let page = self
                .clients
                .elb
                .describe_target_groups()
                .page_size(400)
                .set_marker(marker.take())
                .send()
                .await
                .map_err(|error| convert("DescribeTargetGroups", error))?;
            let named =
                page.target_groups().iter().filter(|found| found.target_group_name().is_some_and(names::is_ours));
            arns.extend(named.filter_map(|found| found.target_group_arn().map(str::to_owned)));
            match page.next_marker {
                Some(next) => marker = Some(next),
                None => return Ok(arns),
            }
        }
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
