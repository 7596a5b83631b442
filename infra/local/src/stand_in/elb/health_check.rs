//! A target group's health-check settings: AWS's ranges and defaults (docs/aws.md#target-groups). `check` performs the
//! checks.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::input::{self, invalid};
use crate::stand_in::refusal::Refusal;

/// The members of CreateTargetGroup and ModifyTargetGroup that are about the health check.
pub(super) const MEMBERS: [&str; 9] = [
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
];

/// The health-check settings of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HealthCheck {
    pub(super) probe: Probe,
    /// The port to check; each target's own (`traffic-port`) when there is none.
    pub(super) port: Option<u16>,
    pub(super) interval: u32,
    pub(super) timeout: u32,
    pub(super) healthy_threshold: u32,
    pub(super) unhealthy_threshold: u32,
}

/// What counts as one success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Probe {
    /// A connection.
    Tcp,
    /// A reply to `GET path` whose status the matcher has.
    Http { path: String, matcher: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Changes {
    health_check_protocol: Option<String>,
    health_check_port: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    health_check_enabled: Option<bool>,
    health_check_path: Option<String>,
    #[serde(default, deserialize_with = "input::leaf")]
    health_check_interval_seconds: Option<u32>,
    #[serde(default, deserialize_with = "input::leaf")]
    health_check_timeout_seconds: Option<u32>,
    #[serde(default, deserialize_with = "input::leaf")]
    healthy_threshold_count: Option<u32>,
    #[serde(default, deserialize_with = "input::leaf")]
    unhealthy_threshold_count: Option<u32>,
    matcher: Option<Matcher>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Matcher {
    http_code: String,
}

impl HealthCheck {
    /// The settings of a new group: AWS's defaults, with these changes.
    pub(super) fn new(changes: Changes) -> Result<Self, Refusal> {
        let timeout = if changes.health_check_protocol.as_deref() == Some("HTTP") { 6 } else { 10 };
        let defaults =
            Self { probe: Probe::Tcp, port: None, interval: 30, timeout, healthy_threshold: 5, unhealthy_threshold: 2 };
        defaults.with(changes)
    }

    /// These settings with changes.
    pub(super) fn with(&self, changes: Changes) -> Result<Self, Refusal> {
        if changes.health_check_enabled == Some(false) {
            return Err(invalid(
                "Health checks cannot be disabled for target groups with target type 'ip' or 'instance'",
            ));
        }
        let port = match changes.health_check_port.as_deref() {
            None => self.port,
            Some("traffic-port") => None,
            Some(port) => Some(port.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
                invalid(format!("Health check port '{port}' must be between 1 and 65535 or 'traffic-port'"))
            })?),
        };
        let interval = changes.health_check_interval_seconds.unwrap_or(self.interval);
        let timeout = changes.health_check_timeout_seconds.unwrap_or(self.timeout);
        let healthy = changes.healthy_threshold_count.unwrap_or(self.healthy_threshold);
        let unhealthy = changes.unhealthy_threshold_count.unwrap_or(self.unhealthy_threshold);
        let settings = Self {
            port,
            interval: input::within("healthCheckIntervalSeconds", interval, 5, 300)?,
            timeout: input::within("healthCheckTimeoutSeconds", timeout, 2, 120)?,
            healthy_threshold: input::within("healthyThresholdCount", healthy, 2, 10)?,
            unhealthy_threshold: input::within("unhealthyThresholdCount", unhealthy, 2, 10)?,
            probe: self.probe.with(changes.health_check_protocol, changes.health_check_path, changes.matcher)?,
        };
        if timeout > interval {
            return Err(invalid(format!(
                "Health check timeout '{timeout}' must be smaller than or equal to the interval '{interval}'"
            )));
        }
        Ok(settings)
    }

    /// The members as they stand in a description of the group.
    pub(super) fn members(&self) -> Map<String, Value> {
        let (protocol, path, matcher) = match &self.probe {
            Probe::Tcp => ("TCP", None, None),
            Probe::Http { path, matcher } => ("HTTP", Some(path), Some(json!({"HttpCode": matcher}))),
        };
        let members = json!({
            "HealthCheckProtocol": protocol,
            "HealthCheckPort": self.port.map_or_else(|| "traffic-port".to_owned(), |port| port.to_string()),
            "HealthCheckEnabled": true,
            "HealthCheckPath": path,
            "HealthCheckIntervalSeconds": self.interval,
            "HealthCheckTimeoutSeconds": self.timeout,
            "HealthyThresholdCount": self.healthy_threshold,
            "UnhealthyThresholdCount": self.unhealthy_threshold,
            "Matcher": matcher,
        });
        members.as_object().cloned().unwrap_or_default()
    }
}

impl Probe {
    fn with(&self, protocol: Option<String>, path: Option<String>, matcher: Option<Matcher>) -> Result<Self, Refusal> {
        let present = match (self, protocol.as_deref()) {
            (probe, None) => probe.clone(),
            (Self::Http { .. }, Some("HTTP")) => self.clone(),
            (Self::Tcp, Some("HTTP")) => Self::Http { path: "/".to_owned(), matcher: "200-399".to_owned() },
            (_, Some("TCP")) => Self::Tcp,
            (_, Some("HTTPS")) => {
                return Err(invalid("The stand-in supports health checks over TCP and HTTP, not HTTPS"));
            }
            (_, Some(other)) => {
                return Err(invalid(format!("Health check protocol '{other}' must be one of 'TCP', 'HTTP', 'HTTPS'")));
            }
        };
        match present {
            Self::Tcp if path.is_some() => {
                Err(invalid("Health check path cannot be set for a health check with protocol 'TCP'"))
            }
            Self::Tcp if matcher.is_some() => {
                Err(invalid("Health check matcher cannot be set for a health check with protocol 'TCP'"))
            }
            Self::Tcp => Ok(Self::Tcp),
            Self::Http { path: old_path, matcher: old_matcher } => Ok(Self::Http {
                path: path.map_or(Ok(old_path), check_path)?,
                matcher: matcher.map_or(Ok(old_matcher), |matcher| check_matcher(matcher.http_code))?,
            }),
        }
    }
}

fn check_path(path: String) -> Result<String, Refusal> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    if path.starts_with('/') && path.len() <= 1024 && plain {
        return Ok(path);
    }
    Err(invalid(format!("Health check path '{path}' must begin with a '/' character and be at most 1024 characters")))
}

fn check_matcher(text: String) -> Result<String, Refusal> {
    let spans = spans(&text);
    let legal = spans.is_some_and(|spans| spans.iter().all(|(low, high)| 200 <= *low && low <= high && *high <= 599));
    if legal {
        return Ok(text);
    }
    Err(invalid(format!("Health check matcher HTTP code '{text}' must be within '200-599' inclusive")))
}

/// Whether the matcher (`200-399`, `200,204`) has `status`.
pub(super) fn matches(matcher: &str, status: u16) -> bool {
    spans(matcher).is_some_and(|spans| spans.iter().any(|(low, high)| (*low..=*high).contains(&status)))
}

fn spans(matcher: &str) -> Option<Vec<(u16, u16)>> {
    matcher
        .split(',')
        .map(|part| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
        })
        .collect()
}
