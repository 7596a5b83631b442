//! The API calls about targets: RegisterTargets, DeregisterTargets, DescribeTargetHealth. `targets` carries them out.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{self, invalid};
use super::target_group::{self, TargetGroup, TargetType};
use super::targets::{self, TargetHealth};
use super::{Elb, listener};
use crate::stand_in::account::Account;
use crate::stand_in::ec2;
use crate::stand_in::refusal::Refusal;

/// How many a group may have.
const QUOTA: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Targets {
    target_group_arn: String,
    #[serde(default, deserialize_with = "input::list")]
    targets: Vec<TargetDescription>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TargetDescription {
    id: String,
    #[serde(default, deserialize_with = "input::leaf")]
    port: Option<u32>,
    availability_zone: Option<String>,
}

impl TargetDescription {
    fn address(&self, group: &TargetGroup) -> Result<(String, u16), Refusal> {
        Ok((self.id.clone(), self.port.map_or(Ok(group.port), listener::port)?))
    }
}

impl Targets {
    /// The addresses; the group's port where none is given.
    fn addresses(&self, elb: &mut Elb) -> Result<Vec<(String, u16)>, Refusal> {
        let group = target_group::find(elb, &self.target_group_arn)?;
        self.targets.iter().map(|target| target.address(group)).collect()
    }

    fn check_some(&self) -> Result<(), Refusal> {
        if self.targets.is_empty() { Err(invalid("At least one target must be specified")) } else { Ok(()) }
    }
}

pub(super) fn register_all(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let asked: Targets = input::parse(input)?;
    asked.check_some()?;
    let addresses = asked.addresses(&mut account.elb)?;
    let group = target_group::find(&mut account.elb, &asked.target_group_arn)?;
    if group.target_type == TargetType::Instance {
        return Err(Refusal::bad("InvalidTarget", "The stand-in has no instances; it supports targets of type 'ip'"));
    }
    for target in &asked.targets {
        check_target(&group.vpc, target)?;
    }
    let new: BTreeSet<String> = addresses.iter().map(|(ip, port)| targets::key(ip, *port)).collect();
    if new.iter().filter(|key| !group.targets.contains_key(*key)).count() + group.targets.len() > QUOTA {
        return Err(Refusal::bad("TooManyTargets", "The maximum number of targets has been reached"));
    }
    for (ip, port) in addresses {
        targets::register(account, &asked.target_group_arn, &ip, port);
    }
    Ok(json!({}))
}

fn check_target(vpc: &str, target: &TargetDescription) -> Result<(), Refusal> {
    let id = &target.id;
    let ip: Ipv4Addr = id.parse().map_err(|_| invalid(format!("The IP address '{id}' is not a valid IPv4 address")))?;
    if !ec2::is_in_vpc(vpc, ip) {
        return Err(Refusal::bad(
            "InvalidTarget",
            format!("The IP address '{id}' is not within the VPC; the stand-in supports no others"),
        ));
    }
    match &target.availability_zone {
        Some(zone) => Err(invalid(format!(
            "You cannot specify the Availability Zone '{zone}' for the IP address '{id}' because it is within the VPC"
        ))),
        None => Ok(()),
    }
}

pub(super) fn deregister_all(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let asked: Targets = input::parse(input)?;
    asked.check_some()?;
    for (ip, port) in asked.addresses(&mut account.elb)? {
        targets::deregister(account, &asked.target_group_arn, &ip, port);
    }
    Ok(json!({}))
}

pub(super) fn describe_health(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let asked: Targets = input::parse(input)?;
    let named = asked.addresses(&mut account.elb)?;
    let group = target_group::find(&mut account.elb, &asked.target_group_arn)?;
    let check_port = group.health_check.port;
    let addresses = if named.is_empty() {
        group.targets.values().map(|target| (target.ip.clone(), target.port)).collect()
    } else {
        named
    };
    let unknown =
        TargetHealth::because("unused", "Target.NotRegistered", "Target is not registered to the target group");
    let descriptions: Vec<Value> = addresses
        .iter()
        .map(|(ip, port)| {
            let health = targets::health(&account.elb, &asked.target_group_arn, ip, *port).unwrap_or(unknown);
            json!({
                "Target": {"Id": ip, "Port": port, "AvailabilityZone": targets::zone(ip)},
                "HealthCheckPort": check_port.unwrap_or(*port).to_string(),
                "TargetHealth": {"State": health.state, "Reason": health.reason, "Description": health.description},
            })
        })
        .collect();
    Ok(json!({"TargetHealthDescriptions": descriptions}))
}
