//! The rules of a task's network: what awsvpc leaves to no container, and port mappings, one port or a range, each once in a task.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::{Object, Registration};
use crate::stand_in::ecs::input::client;
use crate::stand_in::refusal::Refusal;

/// What a container cannot set under awsvpc, with AWS's words.
const NOT_UNDER_AWSVPC: [(&str, &str); 6] = [
    ("links", "Links are not supported"),
    ("hostname", "hostname is not supported on container"),
    ("extraHosts", "Extra hosts are not supported on container"),
    ("dnsServers", "DNS servers are not supported on container"),
    ("dnsSearchDomains", "DNS search domains are not supported on container"),
    ("disableNetworking", "Disable Networking is not supported on container"),
];

pub(super) fn check(registration: Registration<'_>) -> Result<(), Refusal> {
    for container in registration.containers().filter(|_| registration.is_awsvpc()) {
        let mut members = NOT_UNDER_AWSVPC.into_iter();
        if let Some((_, refused)) = members.find(|(member, _)| container.says(member)) {
            return Err(client(format!("{refused} when networkMode=awsvpc.")));
        }
    }
    check_ports(registration)
}

fn check_ports(registration: Registration<'_>) -> Result<(), Refusal> {
    let mode = registration.whole.text("networkMode");
    let one_network = mode == "awsvpc" || mode == "host";
    let (mut ports, mut names) = (BTreeSet::new(), BTreeSet::new());
    for container in registration.containers() {
        for mapping in container.objects("portMappings") {
            let range = range(container, mapping)?;
            let host = mapping.number("hostPort").filter(|host| *host != 0);
            if one_network && host.is_some_and(|host| host != i64::from(*range.start())) {
                return Err(client(format!(
                    "When networkMode={mode}, the host ports and container ports in port mappings must match."
                )));
            }
            let protocol = if mapping.text("protocol") == "udp" { "UDP" } else { "TCP" };
            if let Some(twice) = range.into_iter().find(|port| !ports.insert((protocol, *port)) && one_network) {
                return Err(client(format!(
                    "{protocol} container port '{twice}' is used multiple times in task when networkMode={mode}."
                )));
            }
            if mapping.says("name") && !names.insert(mapping.text("name")) {
                return Err(client(format!("When networkMode={mode}, port mapping name is already used")));
            }
        }
    }
    Ok(())
}

fn range(container: Object<'_>, mapping: Object<'_>) -> Result<RangeInclusive<u16>, Refusal> {
    let name = container.text("name");
    let refuse = |member: &str| client(format!("Invalid '{member}' setting for container '{name}'."));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    if !mapping.says("containerPortRange") {
        let given = mapping.number("containerPort").and_then(|given| u16::try_from(given).ok());
        let given = given.filter(|given| *given > 0).ok_or_else(|| refuse("containerPort"))?;
        return Ok(given..=given);
    }
    if mapping.has("containerPort") || mapping.has("hostPort") {
        return Err(client(format!(
            "Invalid port mapping for container '{name}', cannot specify both single port and port range."
        )));
    }
    let bounds = mapping.text("containerPortRange").split_once('-');
    let bounds = bounds.and_then(|(first, last)| port(first).zip(port(last))).filter(|(first, last)| first < last);
    bounds.map(|(first, last)| first..=last).ok_or_else(|| refuse("containerPortRange"))
}
