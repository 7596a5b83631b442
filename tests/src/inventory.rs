//! What there is in the account, asked through the AWS APIs.

use std::collections::BTreeMap;
use std::fmt;

use berth_domain::ResourceKind;

use crate::World;

/// What there is in the account, of what Berth makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(BTreeMap<ResourceKind, Vec<String>>);

impl Inventory {
    /// The ARNs or ids of the resources of `kind`.
    #[must_use]
    pub fn ids(&self, kind: ResourceKind) -> &[String] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Every kind that was asked for, with the ARNs or ids of its resources.
    pub fn kinds(&self) -> impl Iterator<Item = (ResourceKind, &[String])> {
        self.0.iter().map(|(kind, ids)| (*kind, ids.as_slice()))
    }

    /// The number of resources of `kind`.
    #[must_use]
    pub fn count(&self, kind: ResourceKind) -> usize {
        self.ids(kind).len()
    }

    /// The ARN or id of the only resource of `kind`.
    ///
    /// # Panics
    /// When there is none, or more than one.
    #[must_use]
    pub fn one(&self, kind: ResourceKind) -> String {
        let ids = self.ids(kind);
        assert_eq!(ids.len(), 1, "{kind}: {self}");
        ids[0].clone()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// Whether there is exactly this many of each kind.
    #[must_use]
    pub fn is_each(&self, count: usize) -> bool {
        self.0.values().all(|found| found.len() == count)
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#?}", self.0)
    }
}

impl World {
    /// What there is in the account, asked through the AWS APIs.
    pub async fn inventory(&self) -> Inventory {
        let clients = &self.system.clients;
        let arns = |arn: Option<&str>| arn.unwrap_or_default().to_owned();
        let balancers = clients.elb.describe_load_balancers().into_paginator().items().send();
        let balancers: Vec<_> = balancers.try_collect().await.expect("load balancers");
        let load_balancers: Vec<String> = balancers.iter().map(|found| arns(found.load_balancer_arn())).collect();
        let mut listeners = Vec::new();
        for load_balancer in &load_balancers {
            let reply =
                clients.elb.describe_listeners().load_balancer_arn(load_balancer).send().await.expect("listeners");
            listeners.extend(reply.listeners().iter().map(|found| arns(found.listener_arn())));
        }
        let groups = clients.elb.describe_target_groups().into_paginator().items().send();
        let groups: Vec<_> = groups.try_collect().await.expect("target groups");
        let services = clients.ecs.list_services().max_results(100).into_paginator().items().send();
        let services: Vec<String> = services.try_collect().await.expect("services");
        let links = clients.apigateway.get_vpc_links().limit(500).send().await.expect("VPC links");
        let apis = clients.apigateway.get_rest_apis().limit(500).send().await.expect("REST APIs");
        Inventory(BTreeMap::from([
            (ResourceKind::LoadBalancer, load_balancers),
            (ResourceKind::Listener, listeners),
            (ResourceKind::TargetGroup, groups.iter().map(|found| arns(found.target_group_arn())).collect()),
            (ResourceKind::Service, services),
            (ResourceKind::VpcLink, links.items().iter().map(|found| arns(found.id())).collect()),
            (ResourceKind::RestApi, apis.items().iter().map(|found| arns(found.id())).collect()),
        ]))
    }
}
