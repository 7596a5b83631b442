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
mod rates;
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
use super::account::{self, Account};
use super::read_lag::Unseen;
use super::refusal::Refusal;
use super::service::{AwsService, Calls, Dialect, Errors, Handler, OddsOf, Protocol, Provisioned};
use crate::stored::{Rows, Stored, StoredRows};
use listener::Listener;
use target_group::TargetGroup;

/// ELBv2.
pub static SERVICE: AwsService = AwsService {
    prefix: "elasticloadbalancing",
    protocol: Protocol::Query {
        version: "2015-12-01",
        dialect: Dialect {
            namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
            list: "member",
            wrapped: true,
        },
    },
    handler: Handler::Account(Calls {
        call: |account, operation, input| call(account, operation, input).map(|reply| (200, reply)),
        bucket: rates::bucket,
        network: None,
    }),
    errors: Errors {
        // The documentation says ThrottlingException; on the wire of ELBv2 it is seen without "Exception".
        throttled: (400, "Throttling", "Rate exceeded"),
        unavailable: (503, "ServiceUnavailable"),
        denied: (403, "AccessDenied"),
    },
    odds: Some(OddsOf::Resources),
    conflict: None,
    provisioned: Some(Provisioned {
        operation: "CreateLoadBalancer",
        fail_when_ready: |account, reply, why| {
            fail_when_ready(account, reply["LoadBalancers"][0]["LoadBalancerArn"].as_str().unwrap_or_default(), why);
        },
    }),
};

/// Everything ELBv2 holds, by ARN.
#[derive(Default, Serialize, Deserialize)]
pub struct Elb {
    #[serde(skip)]
    load_balancers: Stored<String, LoadBalancer>,
    #[serde(skip)]
    target_groups: Stored<String, TargetGroup>,
    #[serde(skip)]
    listeners: Stored<String, Listener>,
    /// Counts registrations; see [`targets::Registration`].
    registrations: u64,
}

/// The resources that reads do not see yet.
pub(super) struct Taken {
    load_balancers: BTreeMap<String, LoadBalancer>,
    target_groups: BTreeMap<String, TargetGroup>,
    listeners: BTreeMap<String, Listener>,
}

impl Elb {
    /// Takes out the resources that reads do not see yet.
    pub(super) fn take_unseen(&mut self, unseen: &Unseen) -> Taken {
        Taken {
            load_balancers: unseen.out_of(self.load_balancers.untouched()),
            target_groups: unseen.out_of(self.target_groups.untouched()),
            listeners: unseen.out_of(self.listeners.untouched()),
        }
    }

    /// Puts back what was taken out.
    pub(super) fn give_back(&mut self, taken: Taken) {
        self.load_balancers.untouched().extend(taken.load_balancers);
        self.target_groups.untouched().extend(taken.target_groups);
        self.listeners.untouched().extend(taken.listeners);
    }

    /// Adds the rows of what was touched.
    pub(super) fn take_rows(&mut self, rows: &mut Rows) {
        self.load_balancers.take_rows("load balancer", rows);
        self.target_groups.take_rows("target group", rows);
        self.listeners.take_rows("listener", rows);
    }

    /// Reads back what was stored.
    pub(super) fn read_rows(&mut self, rows: &mut StoredRows) -> Result<(), String> {
        self.load_balancers = Stored::read("load balancer", rows)?;
        self.target_groups = Stored::read("target group", rows)?;
        self.listeners = Stored::read("listener", rows)?;
        Ok(())
    }
}

/// The scheduled events of ELBv2.
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

impl Event {
    /// Whether it has to be stored: after a start, every target is checked anyway.
    pub(super) fn is_stored(&self) -> bool {
        !matches!(self, Self::Check(_))
    }
}

/// The I/O of ELBv2.
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
/// AWS's errors; `InvalidAction` for operations that the stand-in does not support.
pub fn call(account: &mut Account, operation: &str, input: &Value) -> Result<Value, Refusal> {
    match operation {
        "CreateLoadBalancer" => load_balancer::create(account, input),
        "DescribeLoadBalancers" => load_balancer::describe(account, input),
        "DescribeLoadBalancerAttributes" => attributes::describe_load_balancer(account, input),
        "ModifyLoadBalancerAttributes" => attributes::modify_load_balancer(account, input),
        "SetSecurityGroups" => load_balancer::set_security_groups(account, input),
        "DescribeCapacityReservation" => load_balancer::describe_capacity(account, input),
        "DeleteLoadBalancer" => load_balancer::delete(account, input),
        "CreateTargetGroup" => target_group::create(account, input),
        "DescribeTargetGroups" => target_group::describe(account, input),
        "ModifyTargetGroup" => target_group::modify(account, input),
        "DescribeTargetGroupAttributes" => attributes::describe_target_group(account, input),
        "ModifyTargetGroupAttributes" => attributes::modify_target_group(account, input),
        "DeleteTargetGroup" => target_group::delete(account, input),
        "CreateListener" => listener::create(account, input),
        "DescribeListeners" => listener::describe(account, input),
        "ModifyListener" => listener::modify(account, input),
        "DescribeListenerAttributes" => attributes::describe_listener(account, input),
        "ModifyListenerAttributes" => attributes::modify_listener(account, input),
        "DeleteListener" => listener::delete(account, input),
        "RegisterTargets" => target_calls::register_all(account, input),
        "DeregisterTargets" => target_calls::deregister_all(account, input),
        "DescribeTargetHealth" => target_calls::describe_health(account, input),
        "AddTags" => tags::add(account, input),
        "RemoveTags" => tags::remove(account, input),
        "DescribeTags" => tags::describe(account, input),
        _ => Err(Refusal::bad("InvalidAction", format!("berth-local does not play elasticloadbalancing:{operation}."))),
    }
}

/// Handles an event that is due.
pub fn handle_event(account: &mut Account, event: Event) {
    match event {
        Event::Active(arn) => {
            if let Some(load_balancer) = account.elb.load_balancers.get_mut(&arn) {
                load_balancer.state = if load_balancer.failure.is_some() { State::Failed } else { State::Active };
            }
        }
        Event::Registered(registration) => targets::registered(account, &registration),
        Event::Check(registration) => targets::begin_check(account, registration),
        Event::Drained(registration) => targets::drained(account, &registration),
    }
}

/// After a start with a stored state: listeners open and health checks continue.
pub fn resume(account: &mut Account) {
    account.engine.effect(account::Effect::Elb(Effect::Listen));
    targets::resume_checks(account);
}

/// Performs I/O.
pub async fn perform(cloud: Cloud, effect: Effect) {
    match effect {
        Effect::Listen => data_path::reconcile(&cloud).await,
        Effect::Check(check) => check::perform(&cloud, check).await,
    }
}

/// The load balancer, if it exists.
#[must_use]
pub fn load_balancer<'a>(account: &'a Account, arn: &str) -> Option<&'a LoadBalancer> {
    account.elb.load_balancers.get(arn)
}

/// Whether a listener forwards to the target group; `None` when there is no such group.
#[must_use]
pub fn target_group_is_served(account: &Account, target_group_arn: &str) -> Option<bool> {
    account.elb.target_groups.get(target_group_arn)?;
    Some(listener::forwarding_to(&account.elb, target_group_arn).next().is_some())
}

/// `ip` or `instance`; `None` when there is no such group.
#[must_use]
pub fn target_type<'a>(account: &'a Account, target_group_arn: &str) -> Option<&'a str> {
    Some(account.elb.target_groups.get(target_group_arn)?.target_type.as_str())
}

/// Registers a target. A registered target stays as it is; a draining one starts again.
pub fn register_target(account: &mut Account, target_group_arn: &str, ip: &str, port: u16) {
    targets::register(account, target_group_arn, ip, port);
}

/// Starts a target's deregistration. Does nothing when the target is not registered, or is draining already.
pub fn deregister_target(account: &mut Account, target_group_arn: &str, ip: &str, port: u16) {
    targets::deregister(account, target_group_arn, ip, port);
}

/// How long a target of the group drains, in AWS time; zero when there is no such group.
#[must_use]
pub fn deregistration_delay(account: &Account, target_group_arn: &str) -> Duration {
    account.elb.target_groups.get(target_group_arn).map_or(Duration::ZERO, TargetGroup::deregistration_delay)
}

/// The target's health; `None` when it (or the group) does not exist.
#[must_use]
pub fn target_health(account: &Account, target_group_arn: &str, ip: &str, port: u16) -> Option<TargetHealth> {
    targets::health(&account.elb, target_group_arn, ip, port)
}

/// Associates a VPC link (V1) with the load balancer.
///
/// # Errors
/// The message with which the link fails: the load balancer already has a link, or is no network load balancer.
pub fn link_to_load_balancer(account: &mut Account, arn: &str) -> Result<(), String> {
    let load_balancer = account.elb.load_balancers.get_mut(arn).ok_or("NLB ARN is malformed")?;
    if load_balancer.linked {
        return Err("NLB is already associated with another VPC Endpoint Service".to_owned());
    }
    load_balancer.linked = true;
    Ok(())
}

/// Makes a load balancer that is being provisioned end as `failed`, for this reason.
fn fail_when_ready(account: &mut Account, arn: &str, why: &str) {
    let load_balancer = account.elb.load_balancers.get_mut(arn);
    if let Some(load_balancer) = load_balancer.filter(|present| present.state == State::Provisioning) {
        load_balancer.failure = Some(why.to_owned());
    }
}

/// Ends the association with the load balancer's VPC link. For a while, deletion is still refused.
pub fn unlink_load_balancer(account: &mut Account, arn: &str) {
    load_balancer::unlink(account, arn);
}
