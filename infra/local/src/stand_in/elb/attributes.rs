//! The attributes of load balancers, target groups and listeners: key and value, all of them always listed.
//!
//! Attributes that the stand-in supports can be changed. The others have AWS's defaults; changing them is refused.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::{self, invalid};
use super::target_group::TargetType;
use super::{listener, load_balancer, target_group};
use crate::stand_in::account::Account;
use crate::stand_in::refusal::Refusal;

pub(super) const DELETION_PROTECTION: &str = "deletion_protection.enabled";
const CROSS_ZONE: &str = "load_balancing.cross_zone.enabled";
const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";
const IDLE_TIMEOUT: &str = "tcp.idle_timeout.seconds";

/// All attributes of one resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    pub(super) fn of_load_balancer() -> Self {
        Self::from([
            ("access_logs.s3.bucket", ""),
            ("access_logs.s3.enabled", "false"),
            ("access_logs.s3.prefix", ""),
            (DELETION_PROTECTION, "false"),
            ("dns_record.client_routing_policy", "any_availability_zone"),
            // Both zones' nodes answer under the one DNS name that the stand-in supports, so both values behave alike.
            (CROSS_ZONE, "false"),
            ("secondary_ips.auto_assigned.per_subnet", "0"),
            ("zonal_shift.config.enabled", "false"),
        ])
    }

    /// The idle time-out is described, but no connection is closed for it.
    pub(super) fn of_listener() -> Self {
        Self::from([(IDLE_TIMEOUT, "350")])
    }

    pub(super) fn of_target_group(target_type: TargetType) -> Self {
        let preserves_client_ip = if target_type == TargetType::Ip { "false" } else { "true" };
        Self::from([
            ("deregistration_delay.connection_termination.enabled", "false"),
            (DEREGISTRATION_DELAY, "300"),
            (CROSS_ZONE, "use_load_balancer_configuration"),
            ("preserve_client_ip.enabled", preserves_client_ip),
            ("proxy_protocol_v2.enabled", "false"),
            ("stickiness.enabled", "false"),
            ("stickiness.type", "source_ip"),
            ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
            ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
            ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
            ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
            ("target_health_state.unhealthy.connection_termination.enabled", "true"),
            ("target_health_state.unhealthy.draining_interval_seconds", "0"),
        ])
    }

    fn from<const N: usize>(defaults: [(&str, &str); N]) -> Self {
        Self(defaults.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    pub(super) fn is_on(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| value == "true")
    }

    pub(super) fn deregistration_delay(&self) -> Duration {
        Duration::from_secs(self.0.get(DEREGISTRATION_DELAY).and_then(|value| value.parse().ok()).unwrap_or(300))
    }

    fn list(&self) -> Value {
        let list: Vec<Value> = self.0.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        json!({"Attributes": list})
    }

    /// All changes, or none.
    fn change(&mut self, changes: Vec<Attribute>, noun: &str) -> Result<(), Refusal> {
        let mut changed = self.0.clone();
        for Attribute { key, value } in changes {
            let Some(present) = changed.get_mut(&key) else {
                return Err(invalid(format!("{noun} attribute key '{key}' is not recognized")));
            };
            match key.as_str() {
                DELETION_PROTECTION | CROSS_ZONE => check_flag(&key, &value, noun)?,
                DEREGISTRATION_DELAY => check_seconds(&key, &value, 0..=3600)?,
                IDLE_TIMEOUT => check_seconds(&key, &value, 60..=6000)?,
                _ if *present == value => {}
                _ => {
                    return Err(Refusal::bad(
                        "InvalidConfigurationRequest",
                        format!("berth-local does not play attribute '{key}' with another value than '{present}'"),
                    ));
                }
            }
            *present = value;
        }
        self.0 = changed;
        Ok(())
    }
}

fn check_flag(key: &str, value: &str, noun: &str) -> Result<(), Refusal> {
    let group_default = noun == "Target group" && key == CROSS_ZONE && value == "use_load_balancer_configuration";
    if value == "true" || value == "false" || group_default {
        return Ok(());
    }
    Err(invalid(format!("'{value}' is not a valid value for attribute '{key}'; it must be 'true' or 'false'")))
}

fn check_seconds(key: &str, value: &str, range: RangeInclusive<u32>) -> Result<(), Refusal> {
    match value.parse::<u32>() {
        Ok(seconds) if range.contains(&seconds) => Ok(()),
        _ => Err(invalid(format!(
            "The value of '{key}' must be between '{}' and '{}' inclusive",
            range.start(),
            range.end()
        ))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    #[serde(alias = "LoadBalancerArn", alias = "TargetGroupArn", alias = "ListenerArn")]
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Modify {
    #[serde(alias = "LoadBalancerArn", alias = "TargetGroupArn", alias = "ListenerArn")]
    arn: String,
    #[serde(deserialize_with = "input::list")]
    attributes: Vec<Attribute>,
}

pub(super) fn describe_load_balancer(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Describe { arn } = input::parse(input)?;
    Ok(load_balancer::find(&mut account.elb, &arn)?.attributes.list())
}

pub(super) fn modify_load_balancer(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Modify { arn, attributes } = input::parse(input)?;
    let load_balancer = load_balancer::find(&mut account.elb, &arn)?;
    load_balancer.attributes.change(attributes, "Load balancer")?;
    Ok(load_balancer.attributes.list())
}

pub(super) fn describe_target_group(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Describe { arn } = input::parse(input)?;
    Ok(target_group::find(&mut account.elb, &arn)?.attributes.list())
}

pub(super) fn modify_target_group(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Modify { arn, attributes } = input::parse(input)?;
    let group = target_group::find(&mut account.elb, &arn)?;
    group.attributes.change(attributes, "Target group")?;
    Ok(group.attributes.list())
}

pub(super) fn describe_listener(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Describe { arn } = input::parse(input)?;
    Ok(listener::find(&mut account.elb, &arn)?.attributes.list())
}

pub(super) fn modify_listener(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Modify { arn, attributes } = input::parse(input)?;
    let listener = listener::find(&mut account.elb, &arn)?;
    listener.attributes.change(attributes, "Listener")?;
    Ok(listener.attributes.list())
}
