//! Target groups: creation, description, change, deletion.
//!
//! Health-check settings are in `health_check`, attributes in `attributes`, the targets' life in `targets`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::Attributes;
use super::health_check::{self, HealthCheck};
use super::input::{self, invalid};
use super::listener;
use super::tags::{self, Tag, Tags};
use super::targets::Target;
use super::{Elb, load_balancer};
use crate::stand_in::account::Account;
use crate::stand_in::ec2;
use crate::stand_in::identity;
use crate::stand_in::refusal::Refusal;

/// How many a region may have.
const QUOTA: usize = 3000;

/// What a group's targets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TargetType {
    Ip,
    Instance,
}

impl TargetType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Instance => "instance",
        }
    }
}

/// A target group; its protocol is TCP.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TargetGroup {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) vpc: String,
    pub(super) target_type: TargetType,
    pub(super) health_check: HealthCheck,
    pub(super) attributes: Attributes,
    pub(super) tags: Tags,
    /// By [`super::targets::key`].
    pub(super) targets: BTreeMap<String, Target>,
}

impl TargetGroup {
    pub(super) fn deregistration_delay(&self) -> Duration {
        self.attributes.deregistration_delay()
    }

    fn json(&self, elb: &Elb) -> Value {
        let load_balancers: BTreeSet<&str> =
            listener::forwarding_to(elb, &self.arn).map(|listener| listener.load_balancer.as_str()).collect();
        let mut members = self.health_check.members();
        for (name, value) in [
            ("TargetGroupArn", json!(self.arn)),
            ("TargetGroupName", json!(self.name)),
            ("Protocol", json!("TCP")),
            ("Port", json!(self.port)),
            ("VpcId", json!(self.vpc)),
            ("LoadBalancerArns", json!(load_balancers)),
            ("TargetType", json!(self.target_type.as_str())),
            ("IpAddressType", json!("ipv4")),
        ] {
            members.insert(name.to_owned(), value);
        }
        Value::Object(members)
    }
}

/// The target group, or AWS's refusal.
pub(super) fn find<'a>(elb: &'a mut Elb, arn: &str) -> Result<&'a mut TargetGroup, Refusal> {
    input::check_arn(arn, "targetgroup", "target group")?;
    elb.target_groups.get_mut(arn).ok_or_else(|| not_found(arn))
}

fn not_found(arn: &str) -> Refusal {
    Refusal::bad("TargetGroupNotFound", format!("Target group '{arn}' not found"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Create {
    name: String,
    protocol: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    port: Option<u32>,
    vpc_id: Option<String>,
    target_type: Option<String>,
    #[serde(default, deserialize_with = "input::list")]
    tags: Vec<Tag>,
    ip_address_type: Option<String>,
}

pub(super) fn create(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let (checks, rest) = input::split(input, &health_check::MEMBERS);
    let create: Create = input::parse(&rest)?;
    let name = create.name;
    input::check_name("Target group", &name)?;
    let Some(protocol) = create.protocol else {
        return Err(invalid("A protocol must be specified"));
    };
    input::only("Protocol", Some(&protocol), "TCP")?;
    input::only("IpAddressType", create.ip_address_type.as_deref(), "ipv4")?;
    let port = listener::port(create.port.ok_or_else(|| invalid("A port must be specified"))?)?;
    let vpc = create.vpc_id.ok_or_else(|| invalid("A VPC ID must be specified"))?;
    if ec2::VPCS.iter().all(|known| known.id != vpc) {
        return Err(invalid(format!("The VPC ID '{vpc}' is not found")));
    }
    let target_type = match create.target_type.as_deref() {
        Some("ip") => TargetType::Ip,
        Some("instance") | None => TargetType::Instance,
        Some(other) => {
            return Err(invalid(format!("The stand-in supports target types 'ip' and 'instance', not '{other}'")));
        }
    };
    let health_check = HealthCheck::new(input::parse(&checks)?)?;
    let tags = tags::collect(create.tags)?;

    if let Some(present) = account.elb.target_groups.values().find(|present| present.name == name) {
        let same = present.port == port
            && present.vpc == vpc
            && present.target_type == target_type
            && present.health_check == health_check
            && present.tags == tags;
        return if same {
            Ok(json!({"TargetGroups": [present.json(&account.elb)]}))
        } else {
            Err(Refusal::bad(
                "DuplicateTargetGroupName",
                format!("A target group with the same name '{name}' exists, but with different settings"),
            ))
        };
    }
    if account.elb.target_groups.len() >= QUOTA {
        return Err(Refusal::bad("TooManyTargetGroups", "The maximum number of target groups has been reached"));
    }

    let id = account.engine.hex(16);
    let group = TargetGroup {
        arn: identity::arn("elasticloadbalancing", &format!("targetgroup/{name}/{id}")),
        name,
        port,
        vpc,
        target_type,
        health_check,
        attributes: Attributes::of_target_group(target_type),
        tags,
        targets: BTreeMap::new(),
    };
    let reply = json!({"TargetGroups": [group.json(&account.elb)]});
    account.engine.created(&group.arn);
    account.elb.target_groups.insert(group.arn.clone(), group);
    Ok(reply)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    load_balancer_arn: Option<String>,
    #[serde(default, deserialize_with = "input::list")]
    target_group_arns: Vec<String>,
    #[serde(default, deserialize_with = "input::list")]
    names: Vec<String>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    page_size: Option<usize>,
}

pub(super) fn describe(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Describe { load_balancer_arn, target_group_arns: arns, names, marker, page_size } = input::parse(input)?;
    let ways = [load_balancer_arn.is_some(), !arns.is_empty(), !names.is_empty()];
    if ways.iter().filter(|way| **way).count() > 1 {
        return Err(invalid(
            "Only one of target group names, target group ARNs and a load balancer ARN can be specified",
        ));
    }
    if let Some(arn) = &load_balancer_arn {
        load_balancer::find(&mut account.elb, arn)?;
    }
    for arn in &arns {
        input::check_arn(arn, "targetgroup", "target group")?;
    }
    let elb = &account.elb;
    let known_name = |name: &String| elb.target_groups.values().any(|group| group.name == *name);
    if !arns.iter().all(|arn| elb.target_groups.contains_key(arn)) || !names.iter().all(known_name) {
        return Err(Refusal::bad("TargetGroupNotFound", "One or more target groups not found"));
    }
    let asked = |group: &&TargetGroup| match &load_balancer_arn {
        Some(load_balancer) => {
            listener::forwarding_to(elb, &group.arn).any(|listener| listener.load_balancer == *load_balancer)
        }
        None => (arns.is_empty() && names.is_empty()) || arns.contains(&group.arn) || names.contains(&group.name),
    };
    let groups: Vec<(&str, Value)> =
        elb.target_groups.values().filter(asked).map(|group| (group.arn.as_str(), group.json(elb))).collect();
    let (page, next) = input::page(groups, marker.as_deref(), page_size)?;
    Ok(json!({"TargetGroups": page, "NextMarker": next}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Named {
    target_group_arn: String,
}

pub(super) fn modify(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let (checks, rest) = input::split(input, &health_check::MEMBERS);
    let Named { target_group_arn: arn } = input::parse(&rest)?;
    let group = find(&mut account.elb, &arn)?;
    group.health_check = group.health_check.with(input::parse(&checks)?)?;
    let group = account.elb.target_groups.get(&arn).ok_or_else(|| not_found(&arn))?;
    Ok(json!({"TargetGroups": [group.json(&account.elb)]}))
}

pub(super) fn delete(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Named { target_group_arn: arn } = input::parse(input)?;
    input::check_arn(&arn, "targetgroup", "target group")?;
    if listener::forwarding_to(&account.elb, &arn).next().is_some() {
        return Err(Refusal::bad(
            "ResourceInUse",
            format!("Target group '{arn}' is currently in use by a listener or a rule"),
        ));
    }
    account.elb.target_groups.remove(&arn);
    Ok(json!({}))
}
