//! The network load balancer and its listener.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum as Enforce,
    LoadBalancer as Described, LoadBalancerSchemeEnum, LoadBalancerStateEnum, LoadBalancerTypeEnum, ProtocolEnum,
};
use berth_domain::Error;
use berth_domain::names::{LISTENER_PORT, ResourceName, Tags};
use berth_domain::spec::Network;

use super::target_group::elb_tags;
use super::{Deletion, Resources};
use crate::error::{code, convert, message};

/// A load balancer as ELB describes it.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// Its ARN.
    pub arn: String,
    /// Its DNS name.
    pub dns_name: String,
    /// The VPC it stands in.
    pub vpc: String,
    /// Whether security groups are checked for what comes through PrivateLink, that is from the VPC link.
    pub enforces_on_private_link: bool,
    /// Where it stands.
    pub state: LoadBalancerState,
}

/// Where a load balancer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadBalancerState {
    /// Being set up.
    Provisioning,
    /// Up (`active`, or `active_impaired`, which carries traffic too).
    Active,
    /// It will never come up; ELB's reason.
    Failed(String),
}

impl Resources {
    /// The load balancer called `name`, if it is there.
    ///
    /// # Errors
    /// What ELB answers beyond "not found".
    pub async fn load_balancer_find(&self, name: &ResourceName) -> Result<Option<LoadBalancer>, Error> {
        match self.clients.elb.describe_load_balancers().names(name.as_str()).send().await {
            Ok(reply) => reply.load_balancers().first().map(understood).transpose(),
            Err(error) if code(&error) == Some("LoadBalancerNotFound") => Ok(None),
            Err(error) => Err(convert("DescribeLoadBalancers", error)),
        }
    }

    /// Creates a load balancer: internal, in the network's subnets, with its security groups (a load balancer
    /// created without one can never get one, docs/aws.md#security-groups-and-privatelink). ELB answers the existing
    /// one when it has the same settings.
    ///
    /// # Errors
    /// What ELB refuses.
    pub async fn load_balancer_create(
        &self,
        name: &ResourceName,
        tags: &Tags,
        network: &Network,
    ) -> Result<LoadBalancer, Error> {
        let reply = self
            .clients
            .elb
            .create_load_balancer()
            .name(name.as_str())
            .r#type(LoadBalancerTypeEnum::Network)
            .scheme(LoadBalancerSchemeEnum::Internal)
            .set_subnets(Some(network.subnets.clone()))
            .set_security_groups(Some(network.security_groups.clone()))
            .set_tags(Some(elb_tags(tags)))
            .send()
            .await
            .map_err(|error| convert("CreateLoadBalancer", error))?;
        let created = reply.load_balancers().first();
        understood(created.ok_or_else(|| Error::internal("CreateLoadBalancer answered no load balancer"))?)
    }

    /// Lets in what comes through the VPC link whatever the security groups say: API Gateway's addresses are not to be
    /// relied on (docs/aws.md#security-groups-and-privatelink). The groups still guard everything else.
    ///
    /// # Errors
    /// What ELB refuses.
    pub async fn load_balancer_trust_private_link(&self, arn: &str, groups: &[String]) -> Result<(), Error> {
        self.clients
            .elb
            .set_security_groups()
            .load_balancer_arn(arn)
            .set_security_groups(Some(groups.to_vec()))
            .enforce_security_group_inbound_rules_on_private_link_traffic(Enforce::Off)
            .send()
            .await
            .map(drop)
            .map_err(|error| convert("SetSecurityGroups", error))
    }

    /// Deletes the load balancer. Its VPC link holds it, for a while even after the link is gone
    /// ( docs/aws.md#removing-a-load-balancer).
    ///
    /// # Errors
    /// What ELB refuses beyond "in use".
    pub async fn load_balancer_delete(&self, arn: &str) -> Result<Deletion, Error> {
        match self.clients.elb.delete_load_balancer().load_balancer_arn(arn).send().await {
            Ok(_) => Ok(Deletion::Accepted),
            Err(error) if code(&error) == Some("LoadBalancerNotFound") => Ok(Deletion::Accepted),
            Err(error) if code(&error) == Some("ResourceInUse") => Ok(Deletion::InUse(message(&error).to_owned())),
            Err(error) if message(&error).contains("deletion protection") => Err(Error::Refused {
                code: "deletion_protected",
                message: format!(
                    "{arn} has deletion protection, which Berth did not switch on. Switch it off, then delete the environment again."
                ),
                cause: message(&error).to_owned(),
            }),
            Err(error) => Err(convert("DeleteLoadBalancer", error)),
        }
    }

    /// The listener of the load balancer, if it is there.
    ///
    /// # Errors
    /// What ELB answers beyond "not found".
    pub async fn listener_find(&self, load_balancer: &str) -> Result<Option<String>, Error> {
        match self.clients.elb.describe_listeners().load_balancer_arn(load_balancer).send().await {
            Ok(reply) => Ok(reply
                .listeners()
                .iter()
                .find(|listener| listener.port() == Some(i32::from(LISTENER_PORT)))
                .and_then(|listener| listener.listener_arn())
                .map(str::to_owned)),
            Err(error) if code(&error) == Some("LoadBalancerNotFound") => Ok(None),
            Err(error) => Err(convert("DescribeListeners", error)),
        }
    }

    /// Creates the listener that forwards to the target group.
    ///
    /// # Errors
    /// What ELB refuses.
    pub async fn listener_create(&self, load_balancer: &str, target_group: &str, tags: &Tags) -> Result<String, Error> {
        let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group).build();
        let reply = self
            .clients
            .elb
            .create_listener()
            .load_balancer_arn(load_balancer)
            .protocol(ProtocolEnum::Tcp)
            .port(i32::from(LISTENER_PORT))
            .default_actions(forward)
            .set_tags(Some(elb_tags(tags)))
            .send()
            .await
            .map_err(|error| convert("CreateListener", error))?;
        reply
            .listeners()
            .first()
            .and_then(|listener| listener.listener_arn())
            .map(str::to_owned)
            .ok_or_else(|| Error::internal("CreateListener answered no listener"))
    }

    /// Deletes the listener.
    ///
    /// # Errors
    /// What ELB refuses.
    pub async fn listener_delete(&self, arn: &str) -> Result<(), Error> {
        match self.clients.elb.delete_listener().listener_arn(arn).send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("ListenerNotFound") => Ok(()),
            Err(error) => Err(convert("DeleteListener", error)),
        }
    }
}

fn understood(described: &Described) -> Result<LoadBalancer, Error> {
    let arn = described.load_balancer_arn().ok_or_else(|| Error::internal("a load balancer without an ARN"))?;
    let reason = || described.state().and_then(|state| state.reason()).unwrap_or("ELB gives no reason").to_owned();
    let state = match described.state().and_then(|state| state.code()) {
        Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired) => LoadBalancerState::Active,
        Some(LoadBalancerStateEnum::Failed) => LoadBalancerState::Failed(reason()),
        _ => LoadBalancerState::Provisioning,
    };
    Ok(LoadBalancer {
        arn: arn.to_owned(),
        dns_name: described.dns_name().unwrap_or_default().to_owned(),
        vpc: described.vpc_id().unwrap_or_default().to_owned(),
        enforces_on_private_link: !described.security_groups().is_empty()
            && described.enforce_security_group_inbound_rules_on_private_link_traffic() != Some("off"),
        state,
    })
}
