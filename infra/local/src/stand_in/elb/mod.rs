//! ELBv2: network load balancers, their listeners, target groups and targets, with a data path that carries bytes.
//!
//! Here: the state, the dispatch, and the functions that ECS and API Gateway use. Each resource has its own file;
//! `targets` is the life of a target, `check` one health check, `data_path` the listeners that carry
//! connections.

mod attributes;
mod check;
mod data_path;
mod health_check;
mod input;
mod listener;
mod load_balancer;
mod tags;
mod target_calls;
mod target_group;
mod targets;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use data_path::Listeners;
pub use load_balancer::{LoadBalancer, State};
pub use targets::TargetHealth;

use super::Cloud;
use super::read_lag::Unseen;
use super::refusal::Refusal;
use super::sim::Sim;
use listener::Listener;
use target_group::TargetGroup;

/// Everything ELBv2 holds, by ARN.
#[derive(Default, Serialize, Deserialize)]
pub struct Elb {
    load_balancers: BTreeMap<String, LoadBalancer>,
    target_groups: BTreeMap<String, TargetGroup>,
    listeners: BTreeMap<String, Listener>,
    /// Tells registrations apart; see [`targets::Registration`].
    registrations: u64,
}

impl Elb {
    /// Takes out what reads do not see yet.
    pub(super) fn take_unseen(&mut self, unseen: &Unseen) -> Self {
        Self {
            load_balancers: unseen.out_of(&mut self.load_balancers),
            target_groups: unseen.out_of(&mut self.target_groups),
            listeners: unseen.out_of(&mut self.listeners),
            registrations: 0,
        }
    }

    /// Puts back what was taken out.
    pub(super) fn give_back(&mut self, taken: Self) {
        self.load_balancers.extend(taken.load_balancers);
        self.target_groups.extend(taken.target_groups);
        self.listeners.extend(taken.listeners);
    }
}

/// What happens in ELBv2 by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A load balancer (its ARN) has been provisioned, or could not be.
    Active(String),
    /// A target's registration is done; its health checks begin.
    Registered(targets::Registration),
    /// A target's next health check.
    Check(targets::Registration),
    /// A target's deregistration delay is over.
    Drained(targets::Registration),
}

/// What ELBv2 needs I/O for.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Listeners were added, changed or removed.
    Listen,
    /// One health check.
    Check(check::Check),
}

/// One API call.
///
/// # Errors
/// As AWS refuses; `InvalidAction` for operations that the stand-in does not play.
pub fn call(sim: &mut Sim, operation: &str, input: &Value) -> Result<Value, Refusal> {
    match operation {
        "CreateLoadBalancer" => load_balancer::create(sim, input),
        "DescribeLoadBalancers" => load_balancer::describe(sim, input),
        "DescribeLoadBalancerAttributes" => attributes::describe_load_balancer(sim, input),
        "ModifyLoadBalancerAttributes" => attributes::modify_load_balancer(sim, input),
        "SetSecurityGroups" => load_balancer::set_security_groups(sim, input),
        "DeleteLoadBalancer" => load_balancer::delete(sim, input),
        "CreateTargetGroup" => target_group::create(sim, input),
        "DescribeTargetGroups" => target_group::describe(sim, input),
        "ModifyTargetGroup" => target_group::modify(sim, input),
        "DescribeTargetGroupAttributes" => attributes::describe_target_group(sim, input),
        "ModifyTargetGroupAttributes" => attributes::modify_target_group(sim, input),
        "DeleteTargetGroup" => target_group::delete(sim, input),
        "CreateListener" => listener::create(sim, input),
        "DescribeListeners" => listener::describe(sim, input),
        "ModifyListener" => listener::modify(sim, input),
        "DeleteListener" => listener::delete(sim, input),
        "RegisterTargets" => target_calls::register_all(sim, input),
        "DeregisterTargets" => target_calls::deregister_all(sim, input),
        "DescribeTargetHealth" => target_calls::describe_health(sim, input),
        "AddTags" => tags::add(sim, input),
        "RemoveTags" => tags::remove(sim, input),
        "DescribeTags" => tags::describe(sim, input),
        _ => Err(Refusal::bad("InvalidAction", format!("The action {operation} is not valid for this web service."))),
    }
}

/// An event is due.
pub fn happen(sim: &mut Sim, event: Event) {
    match event {
        Event::Active(arn) => {
            if let Some(load_balancer) = sim.elb.load_balancers.get_mut(&arn) {
                load_balancer.state = if load_balancer.failure.is_some() { State::Failed } else { State::Active };
            }
        }
        Event::Registered(registration) => targets::registered(sim, &registration),
        Event::Check(registration) => targets::begin_check(sim, registration),
        Event::Drained(registration) => targets::drained(sim, &registration),
    }
}

/// After a start with a kept state: listeners and health checks go on.
pub fn resume(sim: &mut Sim) {
    sim.effect(super::sim::Effect::Elb(Effect::Listen));
    targets::resume_checks(sim);
}

/// I/O.
pub async fn perform(cloud: Cloud, effect: Effect) {
    match effect {
        Effect::Listen => data_path::reconcile(&cloud).await,
        Effect::Check(check) => check::perform(&cloud, check).await,
    }
}

/// The load balancer, if it exists.
#[must_use]
pub fn load_balancer<'a>(sim: &'a Sim, arn: &str) -> Option<&'a LoadBalancer> {
    sim.elb.load_balancers.get(arn)
}

/// Whether a listener forwards to the target group; `None` when there is no such group.
#[must_use]
pub fn target_group_is_served(sim: &Sim, target_group_arn: &str) -> Option<bool> {
    sim.elb.target_groups.get(target_group_arn)?;
    Some(listener::forwarding_to(&sim.elb, target_group_arn).next().is_some())
}

/// `ip` or `instance`; `None` when there is no such group.
#[must_use]
pub fn target_type<'a>(sim: &'a Sim, target_group_arn: &str) -> Option<&'a str> {
    Some(sim.elb.target_groups.get(target_group_arn)?.target_type.as_str())
}

/// Registers a target; one that is registered already stays as it is, one that drains begins anew.
pub fn register_target(sim: &mut Sim, target_group_arn: &str, ip: &str, port: u16) {
    targets::register(sim, target_group_arn, ip, port);
}

/// Begins a target's deregistration; does nothing when it is not registered or drains already.
pub fn deregister_target(sim: &mut Sim, target_group_arn: &str, ip: &str, port: u16) {
    targets::deregister(sim, target_group_arn, ip, port);
}

/// How long a target of the group drains, in AWS time; zero when there is no such group.
#[must_use]
pub fn deregistration_delay(sim: &Sim, target_group_arn: &str) -> Duration {
    sim.elb.target_groups.get(target_group_arn).map_or(Duration::ZERO, TargetGroup::deregistration_delay)
}

/// The target's health; `None` when it (or the group) does not exist.
#[must_use]
pub fn target_health(sim: &Sim, target_group_arn: &str, ip: &str, port: u16) -> Option<TargetHealth> {
    targets::health(&sim.elb, target_group_arn, ip, port)
}

/// Associates a VPC link (V1) with the load balancer.
///
/// # Errors
/// The message with which the link fails: the load balancer has another link, or is no network load balancer.
pub fn link_to_load_balancer(sim: &mut Sim, arn: &str) -> Result<(), String> {
    let load_balancer = sim.elb.load_balancers.get_mut(arn).ok_or("NLB ARN is malformed")?;
    if load_balancer.linked {
        return Err("NLB is already associated with another VPC Endpoint Service".to_owned());
    }
    load_balancer.linked = true;
    Ok(())
}

/// A load balancer that is being provisioned will come up `failed`, for this reason.
pub(super) fn doom(sim: &mut Sim, arn: &str, why: &str) {
    let load_balancer = sim.elb.load_balancers.get_mut(arn);
    if let Some(load_balancer) = load_balancer.filter(|present| present.state == State::Provisioning) {
        load_balancer.failure = Some(why.to_owned());
    }
}

/// The load balancer's VPC link is gone; for a while its deletion is still refused.
pub fn unlink_load_balancer(sim: &mut Sim, arn: &str) {
    load_balancer::unlink(sim, arn);
}
