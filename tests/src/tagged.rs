//! What there is in the account and whose it is, by the tags, asked through the AWS APIs.

use std::collections::BTreeMap;

use berth_aws::sdk::ecs_types::ServiceField;
use berth_domain::ResourceKind;
use berth_domain::names::ENVIRONMENT_TAG;

use crate::World;

/// ELBv2 describes the tags of this many at once.
const TAGS_AT_ONCE: usize = 20;
/// ECS describes this many services at once.
const SERVICES_AT_ONCE: usize = 10;

/// Something that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// What it is.
    pub kind: ResourceKind,
    /// Its ARN or id, as the ledger has it.
    pub id: String,
    /// The environment that its tags name.
    pub environment: Option<String>,
}

impl World {
    /// Every resource in the account of the kinds that Berth creates, also those that Berth did not create.
    pub async fn tagged(&self) -> Vec<Found> {
        let mut found = self.tagged_balancing().await;
        found.extend(self.tagged_services().await);
        found.extend(self.tagged_gateway().await);
        found.sort();
        found
    }

    async fn tagged_balancing(&self) -> Vec<Found> {
        let elb = &self.system.clients.elb;
        let mut arns: Vec<(ResourceKind, String)> = Vec::new();
        let balancers = elb.describe_load_balancers().send().await.expect("load balancers");
        for arn in balancers.load_balancers().iter().filter_map(|found| found.load_balancer_arn()) {
            arns.push((ResourceKind::LoadBalancer, arn.to_owned()));
            let listeners = elb.describe_listeners().load_balancer_arn(arn).send().await.expect("listeners");
            let listeners = listeners.listeners().iter().filter_map(|found| found.listener_arn());
            arns.extend(listeners.map(|arn| (ResourceKind::Listener, arn.to_owned())));
        }
        let groups = elb.describe_target_groups().send().await.expect("target groups");
        let groups = groups.target_groups().iter().filter_map(|found| found.target_group_arn());
        arns.extend(groups.map(|arn| (ResourceKind::TargetGroup, arn.to_owned())));
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        for some in arns.chunks(TAGS_AT_ONCE) {
            let wanted = some.iter().map(|(_, arn)| arn.clone()).collect();
            let reply = elb.describe_tags().set_resource_arns(Some(wanted)).send().await.expect("tags");
            for described in reply.tag_descriptions() {
                let tag = described.tags().iter().find(|tag| tag.key() == Some(ENVIRONMENT_TAG));
                if let (Some(arn), Some(owner)) = (described.resource_arn(), tag.and_then(|tag| tag.value())) {
                    owners.insert(arn.to_owned(), owner.to_owned());
                }
            }
        }
        arns.into_iter().map(|(kind, id)| Found { kind, environment: owners.get(&id).cloned(), id }).collect()
    }

    async fn tagged_services(&self) -> Vec<Found> {
        let ecs = &self.system.clients.ecs;
        let listed = ecs.list_services().max_results(100).send().await.expect("services");
        let mut found = Vec::new();
        for some in listed.service_arns().chunks(SERVICES_AT_ONCE) {
            let described = ecs.describe_services().set_services(Some(some.to_vec())).include(ServiceField::Tags);
            for service in described.send().await.expect("services").services() {
                let tag = service.tags().iter().find(|tag| tag.key() == Some(ENVIRONMENT_TAG));
                found.push(Found {
                    kind: ResourceKind::Service,
                    id: service.service_arn().unwrap_or_default().to_owned(),
                    environment: tag.and_then(|tag| tag.value()).map(str::to_owned),
                });
            }
        }
        found
    }

    async fn tagged_gateway(&self) -> Vec<Found> {
        let apigateway = &self.system.clients.apigateway;
        let owner = |tags: Option<&std::collections::HashMap<String, String>>| {
            tags.and_then(|tags| tags.get(ENVIRONMENT_TAG)).cloned()
        };
        let links = apigateway.get_vpc_links().limit(500).send().await.expect("VPC links");
        let mut found: Vec<Found> = links
            .items()
            .iter()
            .map(|link| Found {
                kind: ResourceKind::VpcLink,
                id: link.id().unwrap_or_default().to_owned(),
                environment: owner(link.tags()),
            })
            .collect();
        let apis = apigateway.get_rest_apis().limit(500).send().await.expect("REST APIs");
        for api in apis.items() {
            let id = api.id().unwrap_or_default();
            found.push(Found { kind: ResourceKind::RestApi, id: id.to_owned(), environment: owner(api.tags()) });
            let stages = apigateway.get_stages().rest_api_id(id).send().await.expect("stages");
            found.extend(stages.item().iter().map(|stage| Found {
                kind: ResourceKind::Stage,
                id: format!("{id}/{}", stage.stage_name().unwrap_or_default()),
                environment: owner(stage.tags()),
            }));
        }
        found
    }
}
