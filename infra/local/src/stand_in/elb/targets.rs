//! The life of a target: registration, health, draining. The API calls about targets are in `target_calls`.
//!
//! A target is `Unused` until a listener of a load balancer with a subnet in its zone forwards to its group; then it is
//! registered, then checked every interval. `follow_listeners` adapts the targets of a group to the listeners.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check::Check;
use super::{Effect, Elb, Event, listener};
use crate::stand_in::account::{self, Account};
use crate::stand_in::ec2;
use crate::stand_in::profile::Latency;

/// One target of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Target {
    pub(super) ip: String,
    pub(super) port: u16,
    pub(super) phase: Phase,
    /// The registration that scheduled events must name; see [`Registration`].
    registration: u64,
    /// Checks passed and failed in a row. Not stored: a check is no write to the disk.
    #[serde(skip)]
    passed: u32,
    #[serde(skip)]
    failed: u32,
}

/// A target's life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Unused,
    Registering,
    /// Checked, but without a result that counts.
    Checking,
    Healthy,
    Unhealthy,
    Draining,
}

impl Phase {
    fn is_checked(self) -> bool {
        matches!(self, Self::Checking | Self::Healthy | Self::Unhealthy)
    }
}

/// One registration of a target. An event for an earlier registration of the same address does nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registration {
    target_group: String,
    target: String,
    number: u64,
}

/// A target's health as DescribeTargetHealth gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// `initial`, `healthy`, `unhealthy`, `unused` or `draining`.
    pub state: &'static str,
    /// Why, unless it is `healthy`.
    pub reason: Option<&'static str>,
    /// The description of the reason.
    pub description: Option<&'static str>,
}

impl TargetHealth {
    pub(super) const fn because(state: &'static str, reason: &'static str, description: &'static str) -> Self {
        Self { state, reason: Some(reason), description: Some(description) }
    }
}

/// The target's key in its group.
pub(super) fn key(ip: &str, port: u16) -> String {
    format!("{ip}:{port}")
}

/// The zone of the target's subnet.
pub(super) fn zone(ip: &str) -> Option<&'static str> {
    ip.parse().ok().and_then(ec2::zone_of)
}

/// The zones in which load balancers serve the group.
fn zones_served(elb: &Elb, target_group: &str) -> BTreeSet<&'static str> {
    listener::forwarding_to(elb, target_group)
        .filter_map(|listener| elb.load_balancers.get(&listener.load_balancer))
        .flat_map(super::LoadBalancer::zones)
        .collect()
}

/// The health of a registered target.
pub(super) fn health(elb: &Elb, target_group: &str, ip: &str, port: u16) -> Option<TargetHealth> {
    let target = elb.target_groups.get(target_group)?.targets.get(&key(ip, port))?;
    Some(match target.phase {
        Phase::Unused if zones_served(elb, target_group).is_empty() => TargetHealth::because(
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        ),
        Phase::Unused => TargetHealth::because(
            "unused",
            "Target.NotInUse",
            "Target is in an Availability Zone that is not enabled for the load balancer",
        ),
        Phase::Registering => {
            TargetHealth::because("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
        }
        Phase::Checking => {
            TargetHealth::because("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
        }
        Phase::Healthy => TargetHealth { state: "healthy", reason: None, description: None },
        Phase::Unhealthy => TargetHealth::because("unhealthy", "Target.FailedHealthChecks", "Health checks failed"),
        Phase::Draining => {
            TargetHealth::because("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
        }
    })
}

/// Registers a target; see [`super::register_target`].
pub(super) fn register(account: &mut Account, target_group: &str, ip: &str, port: u16) {
    let Some(group) = account.elb.target_groups.get_mut(target_group) else { return };
    let key = key(ip, port);
    if group.targets.get(&key).is_some_and(|present| present.phase != Phase::Draining) {
        return;
    }
    let target = Target { ip: ip.to_owned(), port, phase: Phase::Unused, registration: 0, passed: 0, failed: 0 };
    group.targets.insert(key, target);
    follow_listeners(account, target_group);
}

/// Starts a target's deregistration; see [`super::deregister_target`].
pub(super) fn deregister(account: &mut Account, target_group: &str, ip: &str, port: u16) {
    let Some(group) = account.elb.target_groups.get_mut(target_group) else { return };
    let delay = group.deregistration_delay();
    let key = key(ip, port);
    match group.targets.get(&key).map(|present| present.phase) {
        None | Some(Phase::Draining) => {}
        // No load balancer has a connection to it.
        Some(Phase::Unused) => drop(group.targets.remove(&key)),
        Some(_) => {
            if let Some(registration) = enter(account, target_group, &key, Phase::Draining) {
                account.engine.after(delay, account::Event::Elb(Event::Drained(registration)));
            }
        }
    }
}

/// Adapts the targets of a group to the listeners that forward to it.
pub(super) fn follow_listeners(account: &mut Account, target_group: &str) {
    let zones = zones_served(&account.elb, target_group);
    let Some(group) = account.elb.target_groups.get_mut(target_group) else { return };
    let mut begin = Vec::new();
    for (key, target) in &mut group.targets {
        let used = zone(&target.ip).is_some_and(|zone| zones.contains(zone));
        match target.phase {
            Phase::Draining => {}
            Phase::Unused if used => begin.push(key.clone()),
            _ if used => {}
            _ => target.phase = Phase::Unused,
        }
    }
    for key in begin {
        let latency = account.engine.take(Latency::TargetRegistered);
        if let Some(registration) = enter(account, target_group, &key, Phase::Registering) {
            account.engine.after(latency, account::Event::Elb(Event::Registered(registration)));
        }
    }
}

/// Puts the target into `phase` under a new registration, so that events scheduled before have no effect.
fn enter(account: &mut Account, target_group: &str, key: &str, phase: Phase) -> Option<Registration> {
    account.elb.registrations += 1;
    let number = account.elb.registrations;
    let target = account.elb.target_groups.get_mut(target_group)?.targets.get_mut(key)?;
    target.phase = phase;
    target.registration = number;
    (target.passed, target.failed) = (0, 0);
    Some(Registration { target_group: target_group.to_owned(), target: key.to_owned(), number })
}

/// The group and target of a registration, if it is still valid.
fn current<'a>(elb: &'a mut Elb, registration: &Registration) -> Option<&'a mut Target> {
    let group = elb.target_groups.get_mut(&registration.target_group)?;
    group.targets.get_mut(&registration.target).filter(|target| target.registration == registration.number)
}

/// Handles the end of a registration.
pub(super) fn registered(account: &mut Account, registration: &Registration) {
    let Some(target) = current(&mut account.elb, registration) else { return };
    if target.phase == Phase::Registering {
        target.phase = Phase::Checking;
        begin_check(account, registration.clone());
    }
}

/// Handles the end of a deregistration delay.
pub(super) fn drained(account: &mut Account, registration: &Registration) {
    let still = current(&mut account.elb, registration).is_some_and(|target| target.phase == Phase::Draining);
    if let (true, Some(group)) = (still, account.elb.target_groups.get_mut(&registration.target_group)) {
        group.targets.remove(&registration.target);
    }
}

/// Asks for one health check.
pub(super) fn begin_check(account: &mut Account, registration: Registration) {
    let Some(target) = current(&mut account.elb, &registration).filter(|target| target.phase.is_checked()) else {
        return;
    };
    let (ip, port) = (target.ip.clone(), target.port);
    let Some(group) = account.elb.target_groups.get(&registration.target_group) else { return };
    let settings = &group.health_check;
    let check = Check {
        address: (ip, settings.port.unwrap_or(port)),
        probe: settings.probe.clone(),
        time_limit: account.engine.clock.limit(Duration::from_secs(settings.timeout.into())),
        begun: account.engine.now(),
        registration,
    };
    account.engine.effect(account::Effect::Elb(Effect::Check(check)));
}

/// Handles the result of a check that started at `begun`. The next check starts one interval after it.
pub(super) fn checked(account: &mut Account, registration: Registration, begun: Timestamp, passed: bool) {
    let Some(group) = account.elb.target_groups.get(&registration.target_group) else { return };
    let (healthy, unhealthy) = (group.health_check.healthy_threshold, group.health_check.unhealthy_threshold);
    let interval = Duration::from_secs(group.health_check.interval.into());
    let Some(target) = current(&mut account.elb, &registration).filter(|target| target.phase.is_checked()) else {
        return;
    };
    if passed {
        (target.passed, target.failed) = (target.passed.saturating_add(1), 0);
        // A new target needs one success, whatever the threshold.
        if target.phase == Phase::Checking || target.passed >= healthy {
            target.phase = Phase::Healthy;
        }
    } else {
        (target.passed, target.failed) = (0, target.failed.saturating_add(1));
        if target.failed >= unhealthy {
            target.phase = Phase::Unhealthy;
        }
    }
    let left = interval.saturating_sub(account.engine.clock.since(begun));
    account.engine.after(left, account::Event::Elb(Event::Check(registration)));
}

/// After a start: checks every target that is under checks now. The results of earlier checks are ignored.
pub(super) fn resume_checks(account: &mut Account) {
    account.elb.registrations += 1;
    let number = account.elb.registrations;
    let mut checked = Vec::new();
    for (arn, group) in account.elb.target_groups.all_mut() {
        for (key, target) in group.targets.iter_mut().filter(|(_, target)| target.phase.is_checked()) {
            target.registration = number;
            checked.push(Registration { target_group: arn.clone(), target: key.clone(), number });
        }
    }
    for registration in checked {
        begin_check(account, registration);
    }
}
