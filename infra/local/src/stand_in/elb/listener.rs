//! Listeners: a TCP port of a load balancer that forwards to one target group. Their traffic is in `data_path`, their attributes
//! in `attributes`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::Attributes;
use super::input::{self, invalid};
use super::tags::{self, Tag, Tags};
use super::{Effect, Elb, load_balancer, target_group, targets};
use crate::stand_in::account::{self, Account};
use crate::stand_in::refusal::Refusal;

/// How many a load balancer may have.
const QUOTA: usize = 50;

/// A listener; its protocol is TCP.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Listener {
    pub(super) arn: String,
    pub(super) load_balancer: String,
    pub(super) port: u16,
    pub(super) target_group: String,
    pub(super) tags: Tags,
    #[serde(default = "Attributes::of_listener")]
    pub(super) attributes: Attributes,
}

impl Listener {
    fn json(&self) -> Value {
        json!({
            "ListenerArn": self.arn,
            "LoadBalancerArn": self.load_balancer,
            "Port": self.port,
            "Protocol": "TCP",
            "DefaultActions": [{
                "Type": "forward",
                "TargetGroupArn": self.target_group,
                "Order": 1,
                "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": self.target_group, "Weight": 1}]},
            }],
        })
    }
}

/// The listener, or AWS's refusal.
pub(super) fn find<'a>(elb: &'a mut Elb, arn: &str) -> Result<&'a mut Listener, Refusal> {
    input::check_arn(arn, "listener", "listener")?;
    elb.listeners.get_mut(arn).ok_or_else(|| Refusal::bad("ListenerNotFound", format!("Listener '{arn}' not found")))
}

/// The listeners that forward to a target group.
pub(super) fn forwarding_to<'a>(elb: &'a Elb, target_group: &'a str) -> impl Iterator<Item = &'a Listener> {
    elb.listeners.values().filter(move |listener| listener.target_group == target_group)
}

/// A port number that AWS accepts.
pub(super) fn port(port: u32) -> Result<u16, Refusal> {
    let port = input::within("port", port, 1, 65535)?;
    u16::try_from(port).map_err(|error| invalid(error.to_string()))
}

/// Removes a load balancer's listeners; gives the target groups that they forwarded to.
pub(super) fn remove_all_of(elb: &mut Elb, load_balancer: &str) -> BTreeSet<String> {
    let removed = elb.listeners.remove_where(|_, listener| listener.load_balancer == load_balancer).into_iter();
    removed.map(|(_, listener)| listener.target_group).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Action {
    r#type: String,
    target_group_arn: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    order: Option<u32>,
    forward_config: Option<ForwardConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ForwardConfig {
    #[serde(default, deserialize_with = "input::list")]
    target_groups: Vec<TargetGroupTuple>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TargetGroupTuple {
    target_group_arn: String,
    /// One group gets everything, whatever its weight; but a group without weight would get nothing.
    #[serde(default, deserialize_with = "input::leaf")]
    weight: Option<u32>,
}

/// The one target group that the actions forward to.
fn forwards_to(actions: Vec<Action>) -> Result<String, Refusal> {
    let one = || invalid("A listener of a Network Load Balancer must have exactly one default action, 'forward'");
    let [action] = <[Action; 1]>::try_from(actions).map_err(|_| one())?;
    if action.r#type != "forward" {
        return Err(one());
    }
    input::within("defaultActions.order", action.order.unwrap_or(1), 1, 50000)?;
    let configured = action.forward_config.map(|config| config.target_groups).unwrap_or_default();
    match (action.target_group_arn, configured.as_slice()) {
        (Some(arn), []) => Ok(arn),
        (None, [one]) if one.weight != Some(0) => Ok(one.target_group_arn.clone()),
        (Some(arn), [one]) if one.target_group_arn == arn && one.weight != Some(0) => Ok(arn),
        (None, []) => Err(invalid("A target group ARN must be specified")),
        _ => Err(invalid("The stand-in supports listeners that forward to one target group, with a weight above zero")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Create {
    load_balancer_arn: String,
    protocol: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    port: Option<u32>,
    #[serde(deserialize_with = "input::list")]
    default_actions: Vec<Action>,
    #[serde(default, deserialize_with = "input::list")]
    tags: Vec<Tag>,
}

pub(super) fn create(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let create: Create = input::parse(input)?;
    let load_balancer_arn = create.load_balancer_arn;
    load_balancer::find(&mut account.elb, &load_balancer_arn)?;
    let Some(protocol) = create.protocol else {
        return Err(invalid("A listener protocol must be specified"));
    };
    input::only("Protocol", Some(&protocol), "TCP")?;
    let port = port(create.port.ok_or_else(|| invalid("A listener port must be specified"))?)?;
    let tags = tags::collect(create.tags)?;
    let target_group = forwards_to(create.default_actions)?;
    check_target_group(&mut account.elb, &load_balancer_arn, &target_group)?;

    let mut beside = account.elb.listeners.values().filter(|listener| listener.load_balancer == load_balancer_arn);
    if let Some(present) = beside.clone().find(|present| present.port == port) {
        return if present.target_group == target_group && present.tags == tags {
            Ok(json!({"Listeners": [present.json()]}))
        } else {
            Err(duplicate(&load_balancer_arn))
        };
    }
    if beside.by_ref().count() >= QUOTA {
        return Err(Refusal::bad(
            "TooManyListeners",
            format!("The maximum number of listeners has been reached on load balancer '{load_balancer_arn}'"),
        ));
    }

    let id = account.engine.hex(16);
    let arn = format!("{}/{id}", load_balancer_arn.replacen(":loadbalancer/", ":listener/", 1));
    let listener = Listener {
        arn: arn.clone(),
        load_balancer: load_balancer_arn,
        port,
        target_group: target_group.clone(),
        tags,
        attributes: Attributes::of_listener(),
    };
    let reply = json!({"Listeners": [listener.json()]});
    account.engine.created(&arn);
    account.elb.listeners.insert(arn, listener);
    targets::follow_listeners(account, &target_group);
    account.engine.effect(account::Effect::Elb(Effect::Listen));
    Ok(reply)
}

fn duplicate(load_balancer: &str) -> Refusal {
    Refusal::bad(
        "DuplicateListener",
        format!("A listener already exists on this port for this load balancer '{load_balancer}'"),
    )
}

fn check_target_group(elb: &mut Elb, load_balancer: &str, target_group: &str) -> Result<(), Refusal> {
    let vpc = load_balancer::find(elb, load_balancer)?.vpc();
    if vpc != Some(&target_group::find(elb, target_group)?.vpc) {
        return Err(Refusal::bad(
            "InvalidConfigurationRequest",
            format!("The target group '{target_group}' and the load balancer '{load_balancer}' are in different VPCs"),
        ));
    }
    if forwarding_to(elb, target_group).any(|listener| listener.load_balancer != load_balancer) {
        return Err(Refusal::bad(
            "TargetGroupAssociationLimit",
            format!(
                "The following target groups cannot be associated with more than one load balancer: {target_group}"
            ),
        ));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Describe {
    load_balancer_arn: Option<String>,
    #[serde(default, deserialize_with = "input::list")]
    listener_arns: Vec<String>,
    marker: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    page_size: Option<usize>,
}

pub(super) fn describe(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Describe { load_balancer_arn, listener_arns: arns, marker, page_size } = input::parse(input)?;
    match (&load_balancer_arn, arns.is_empty()) {
        (Some(arn), true) => drop(load_balancer::find(&mut account.elb, arn)?),
        (None, false) => {}
        _ => return Err(invalid("Either a load balancer ARN or listener ARNs must be specified")),
    }
    for arn in &arns {
        input::check_arn(arn, "listener", "listener")?;
    }
    if arns.iter().any(|arn| !account.elb.listeners.contains_key(arn)) {
        return Err(Refusal::bad("ListenerNotFound", "One or more listeners not found"));
    }
    let asked: Vec<(&str, Value)> = account
        .elb
        .listeners
        .values()
        .filter(|present| match &load_balancer_arn {
            Some(load_balancer) => present.load_balancer == *load_balancer,
            None => arns.contains(&present.arn),
        })
        .map(|present| (present.arn.as_str(), present.json()))
        .collect();
    let (page, next) = input::page(asked, marker.as_deref(), page_size)?;
    Ok(json!({"Listeners": page, "NextMarker": next}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Modify {
    listener_arn: String,
    protocol: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    port: Option<u32>,
    #[serde(default, deserialize_with = "input::list")]
    default_actions: Vec<Action>,
}

pub(super) fn modify(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let modify: Modify = input::parse(input)?;
    input::only("Protocol", modify.protocol.as_deref(), "TCP")?;
    let mut changed = find(&mut account.elb, &modify.listener_arn)?.clone();
    let target_group_before = changed.target_group.clone();
    if let Some(new) = modify.port {
        changed.port = port(new)?;
    }
    if !modify.default_actions.is_empty() {
        changed.target_group = forwards_to(modify.default_actions)?;
        check_target_group(&mut account.elb, &changed.load_balancer, &changed.target_group)?;
    }
    let taken = account.elb.listeners.values().any(|other| {
        other.arn != changed.arn && other.load_balancer == changed.load_balancer && other.port == changed.port
    });
    if taken {
        return Err(duplicate(&changed.load_balancer));
    }
    let reply = json!({"Listeners": [changed.json()]});
    let target_group = changed.target_group.clone();
    account.elb.listeners.insert(changed.arn.clone(), changed);
    targets::follow_listeners(account, &target_group_before);
    targets::follow_listeners(account, &target_group);
    account.engine.effect(account::Effect::Elb(Effect::Listen));
    Ok(reply)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Delete {
    listener_arn: String,
}

pub(super) fn delete(account: &mut Account, input: &Value) -> Result<Value, Refusal> {
    let Delete { listener_arn: arn } = input::parse(input)?;
    let target_group = find(&mut account.elb, &arn)?.target_group.clone();
    account.elb.listeners.remove(&arn);
    targets::follow_listeners(account, &target_group);
    account.engine.effect(account::Effect::Elb(Effect::Listen));
    Ok(json!({}))
}
