//! Network load balancers: creation, description, security groups, deletion.
//!
//! Their attributes are in `attributes`, their tags in `tags`, their traffic in `data_path`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::{Attributes, DELETION_PROTECTION};
use super::input::{self, invalid};
use super::tags::{self, Tag, Tags};
use super::{Effect, Elb, Event, listener, targets};
use crate::stand_in::account::{self, Account};
use crate::stand_in::ec2;
use crate::stand_in::identity::{self, REGION};
use crate::stand_in::profile::Latency;
use crate::stand_in::refusal::Refusal;

/// The Route 53 zone of network load balancers in us-east-1.
const HOSTED_ZONE: &str = "Z26RNL4JYFTOTI";

/// A load balancer's life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Being set up; its listeners close every connection.
    Provisioning,
    /// Carries traffic.
    Active,
    /// Could not be provisioned.
    Failed,
}

impl State {
    /// `State.Code` on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Failed => "failed",
        }
    }
}

/// A network load balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// `…:loadbalancer/net/{name}/{16 hexadecimal digits}`.
    pub arn: String,
    /// Its name, unique in the account.
    pub name: String,
    /// Where it can be reached in [`crate::stand_in::net::Net`], at its listeners' ports.
    pub dns_name: String,
    /// Its state.
    pub state: State,
    /// Why its provisioning will fail.
    pub(super) failure: Option<String>,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Its subnets, one in a zone.
    pub subnets: BTreeSet<String>,
    /// Its security groups; none forever if it was created without.
    pub security_groups: BTreeSet<String>,
    /// Whether inbound rules apply to traffic through a VPC link; without effect if it has no security groups.
    pub enforce_on_private_link: bool,
    /// Its tags.
    pub tags: Tags,
    /// How long it takes (or took) from creation to `active`, in AWS time.
    pub active_latency: Duration,
    /// When it was created.
    pub created: Timestamp,
    pub(super) attributes: Attributes,
    /// Whether a VPC link is associated with it.
    pub(super) linked: bool,
    /// Until when deletion is refused because of a deleted link.
    pub(super) held_until: Option<Timestamp>,
}

impl LoadBalancer {
    /// The zones in which it has a subnet.
    pub(super) fn zones(&self) -> impl Iterator<Item = &'static str> {
        self.subnets.iter().filter_map(|id| ec2::subnet(id)).map(|subnet| subnet.zone)
    }

    /// The VPC of its subnets.
    pub(super) fn vpc(&self) -> Option<&'static str> {
        self.subnets.iter().find_map(|id| ec2::subnet(id)).map(|subnet| subnet.vpc)
    }

    fn has_enforcement(&self) -> Option<&'static str> {
        let flag = if self.enforce_on_private_link { "on" } else { "off" };
        (!self.security_groups.is_empty()).then_some(flag)
    }

    fn json(&self) -> Value {
        let zones: Vec<Value> = self
            .subnets
            .iter()
            .filter_map(|id| ec2::subnet(id))
            .map(|subnet| json!({"ZoneName": subnet.zone, "SubnetId": subnet.id, "LoadBalancerAddresses": []}))
            .collect();
        json!({
            "LoadBalancerArn": self.arn,
            "LoadBalancerName": self.name,
            "DNSName": self.dns_name,
            "CanonicalHostedZoneId": HOSTED_ZONE,
            "CreatedTime": format!("{:.3}", self.created),
            "Scheme": self.scheme,
            "VpcId": self.vpc(),
            "State": {"Code": self.state.as_str(), "Reason": self.failure.as_ref().filter(|_| self.state == State::Failed)},
            "Type": "network",
            "AvailabilityZones": zones,
            "SecurityGroups": self.security_groups,
            "IpAddressType": "ipv4",
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": self.has_enforcement(),
            "EnablePrefixForIpv6SourceNat": "off",
        })
    }
}

/// The load balancer, or AWS's refusal.
pub(super) fn find<'a>(elb: &'a mut Elb, arn: &str) -> Result<&'a mut LoadBalancer, Refusal> {
    input::check_arn(arn, "loadbalancer", "load balancer")?;
    elb.load_balancers
        .get_mut(arn)
        .ok_or_else(|| Refusal::bad("LoadBalancerNotFound", format!("Load balancer '{arn}' not found")))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Create {
    name: String,
    #[serde(default, deserialize_with = "input::list")]
    subnets: Vec<String>,
    #[serde(default, deserialize_with = "input::list")]
    subnet_mappings: Vec<SubnetMapping>,
    #[serde(default, deserialize_with = "input::list")]
    security_groups: Vec<String>,
    scheme: Option<String>,
    #[serde(default, deserialize_with = "input::list")]
    tags: Vec<Tag>,
    r#type: Option<String>,
    ip_address_type: Option<String>,
    enable_prefix_for_ipv6_source_nat: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SubnetMapping {
    subnet_id: String,
}

pub(super) fn create(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let create: Create = input::parse(input)?;
    // AWS's default type is `application`.
    input::only("Type", Some(create.r#type.as_deref().unwrap_or("application")), "network")?;
    input::only("IpAddressType", create.ip_address_type.as_deref(), "ipv4")?;
    input::only("EnablePrefixForIpv6SourceNat", create.enable_prefix_for_ipv6_source_nat.as_deref(), "off")?;
    let name = create.name;
    input::check_name("The load balancer", &name)?;
    if name.starts_with("internal-") {
        return Err(invalid(format!("The load balancer name '{name}' cannot begin with 'internal-'")));
    }
    let scheme = create.scheme.unwrap_or_else(|| "internet-facing".to_owned());
    if scheme != "internet-facing" && scheme != "internal" {
        return Err(invalid(format!("The load balancer scheme '{scheme}' is not valid")));
    }
    let (vpc, subnets) = check_subnets(create.subnets, create.subnet_mappings)?;
    let security_groups = check_security_groups(vpc, create.security_groups)?;
    let tags = tags::collect(create.tags)?;

    if let Some(present) = account.elb.load_balancers.values().find(|present| present.name == name) {
        let same = present.scheme == scheme
            && present.subnets == subnets
            && present.security_groups == security_groups
            && present.tags == tags;
        return if same {
            Ok(json!({"LoadBalancers": [present.json()]}))
        } else {
            Err(Refusal::bad(
                "DuplicateLoadBalancerName",
                format!("A load balancer with the same name '{name}' exists, but with different settings"),
            ))
        };
    }
    if account.elb.load_balancers.len() >= account.quotas.load_balancers {
        return Err(Refusal::bad("TooManyLoadBalancers", "The maximum number of load balancers has been reached"));
    }

    let id = account.engine.hex(16);
    let active_latency = account.engine.take(Latency::LoadBalancerActive);
    let load_balancer = LoadBalancer {
        arn: identity::arn("elasticloadbalancing", &format!("loadbalancer/net/{name}/{id}")),
        dns_name: format!("{name}-{id}.elb.{REGION}.amazonaws.com"),
        name,
        state: State::Provisioning,
        failure: None,
        scheme,
        subnets,
        security_groups,
        enforce_on_private_link: true,
        tags,
        active_latency,
        created: account.engine.now(),
        attributes: Attributes::of_load_balancer(),
        linked: false,
        held_until: None,
    };
    account.engine.after(active_latency, account::Event::Elb(Event::Active(load_balancer.arn.clone())));
    let reply = json!({"LoadBalancers": [load_balancer.json()]});
    account.engine.created(&load_balancer.arn);
    account.elb.load_balancers.insert(load_balancer.arn.clone(), load_balancer);
    Ok(reply)
}

/// The subnets, and the VPC that they are in.
fn check_subnets(
    subnets: Vec<String>,
    mappings: Vec<SubnetMapping>,
) -> Result<(&'static str, BTreeSet<String>), Refusal> {
    if !subnets.is_empty() && !mappings.is_empty() {
        return Err(invalid("You can specify either subnets or subnet mappings, not both"));
    }
    let asked: Vec<String> = subnets.into_iter().chain(mappings.into_iter().map(|mapping| mapping.subnet_id)).collect();
    let mut zones = BTreeSet::new();
    let mut vpc = None;
    for id in &asked {
        let Some(subnet) = ec2::subnet(id) else {
            return Err(Refusal::bad("SubnetNotFound", format!("The subnet ID '{id}' does not exist")));
        };
        if *vpc.get_or_insert(subnet.vpc) != subnet.vpc {
            return Err(Refusal::bad("InvalidConfigurationRequest", "All subnets must belong to the same VPC"));
        }
        if !zones.insert(subnet.zone) {
            return Err(Refusal::bad(
                "InvalidConfigurationRequest",
                "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
            ));
        }
    }
    let vpc = vpc.ok_or_else(|| invalid("At least one subnet must be specified"))?;
    Ok((vpc, asked.into_iter().collect()))
}

fn check_security_groups(vpc: &str, asked: Vec<String>) -> Result<BTreeSet<String>, Refusal> {
    let is_in_vpc = |id: &str| ec2::security_group(id).is_some_and(|group| group.vpc == vpc);
    if let Some(unknown) = asked.iter().find(|id| !is_in_vpc(id)) {
        return Err(Refusal::bad(
            "InvalidSecurityGroup",
            format!("One or more security groups are invalid: the security group '{unknown}' does not exist in {vpc}"),
        ));
    }
    Ok(asked.into_iter().collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    #[serde(default, deserialize_with = "input::list")]
    load_balancer_arns: Vec<String>,
    #[serde(default, deserialize_with = "input::list")]
    names: Vec<String>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    page_size: Option<usize>,
}

pub(super) fn describe(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Describe { load_balancer_arns: arns, names, marker, page_size } = input::parse(input)?;
    if !arns.is_empty() && !names.is_empty() {
        return Err(invalid("Load balancer names and load balancer ARNs cannot be specified at the same time"));
    }
    for arn in &arns {
        input::check_arn(arn, "loadbalancer", "load balancer")?;
    }
    let all = &account.elb.load_balancers;
    if arns.iter().any(|arn| !all.contains_key(arn)) {
        return Err(Refusal::bad("LoadBalancerNotFound", "One or more load balancers not found"));
    }
    if let Some(unknown) = names.iter().find(|name| all.values().all(|present| present.name != **name)) {
        return Err(Refusal::bad("LoadBalancerNotFound", format!("Load balancers '[{unknown}]' not found")));
    }
    let everything = arns.is_empty() && names.is_empty();
    let asked: Vec<(&str, Value)> = all
        .values()
        .filter(|present| everything || arns.contains(&present.arn) || names.contains(&present.name))
        .map(|present| (present.arn.as_str(), present.json()))
        .collect();
    let (page, next) = input::page(asked, marker.as_deref(), page_size)?;
    Ok(json!({"LoadBalancers": page, "NextMarker": next}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetSecurityGroups {
    load_balancer_arn: String,
    #[serde(deserialize_with = "input::list")]
    security_groups: Vec<String>,
    enforce_security_group_inbound_rules_on_private_link_traffic: Option<String>,
}

pub(super) fn set_security_groups(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let set: SetSecurityGroups = input::parse(input)?;
    let load_balancer = find(&mut account.elb, &set.load_balancer_arn)?;
    let enforce = match set.enforce_security_group_inbound_rules_on_private_link_traffic.as_deref() {
        None => load_balancer.enforce_on_private_link,
        Some("on") => true,
        Some("off") => false,
        Some(other) => {
            return Err(invalid(format!(
                "1 validation error detected: Value '{other}' at 'enforceSecurityGroupInboundRulesOnPrivateLinkTraffic' failed to satisfy constraint: Member must satisfy enum value set: [on, off]"
            )));
        }
    };
    let security_groups = check_security_groups(load_balancer.vpc().unwrap_or_default(), set.security_groups)?;
    if load_balancer.security_groups.is_empty() {
        return Err(Refusal::bad(
            "InvalidConfigurationRequest",
            "You cannot set security groups on a Network Load Balancer that was created without security groups",
        ));
    }
    if security_groups.is_empty() {
        return Err(Refusal::bad(
            "InvalidConfigurationRequest",
            "You cannot remove all security groups from a Network Load Balancer",
        ));
    }
    load_balancer.security_groups = security_groups;
    load_balancer.enforce_on_private_link = enforce;
    Ok(json!({
        "SecurityGroupIds": load_balancer.security_groups,
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": load_balancer.has_enforcement(),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    load_balancer_arn: String,
}

/// No load balancer here has reserved capacity; ModifyCapacityReservation is not played.
pub(super) fn describe_capacity(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let One { load_balancer_arn: arn } = input::parse(input)?;
    find(&mut account.elb, &arn)?;
    Ok(json!({"CapacityReservationState": []}))
}

pub(super) fn delete(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let One { load_balancer_arn: arn } = input::parse(input)?;
    input::check_arn(&arn, "loadbalancer", "load balancer")?;
    let now = account.engine.now();
    let Some(load_balancer) = account.elb.load_balancers.get(&arn) else { return Ok(json!({})) };
    if load_balancer.attributes.is_on(DELETION_PROTECTION) {
        return Err(Refusal::bad(
            "OperationNotPermitted",
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
        ));
    }
    if load_balancer.linked || load_balancer.held_until.is_some_and(|until| now < until) {
        return Err(Refusal::bad(
            "ResourceInUse",
            format!("Load balancer '{arn}' cannot be deleted because it is currently associated with another service"),
        ));
    }
    account.elb.load_balancers.remove(&arn);
    let target_groups = listener::remove_all_of(&mut account.elb, &arn);
    for target_group in target_groups {
        targets::follow_listeners(account, &target_group);
    }
    account.engine.effect(account::Effect::Elb(Effect::Listen));
    Ok(json!({}))
}

/// Ends the association with a VPC link. Deletion is still refused for a while from now.
pub(super) fn unlink(account: &mut Account, arn: &str) {
    let latency = account.engine.take(Latency::LoadBalancerReleased);
    let until = account.engine.clock.add(account.engine.now(), latency);
    if let Some(load_balancer) = account.elb.load_balancers.get_mut(arn).filter(|present| present.linked) {
        load_balancer.linked = false;
        load_balancer.held_until = Some(until);
    }
}
