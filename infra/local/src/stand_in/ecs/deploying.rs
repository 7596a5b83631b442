//! `deploymentConfiguration`: the bounds of the number of tasks during a deployment, and the circuit breaker.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::{invalid, unsupported};
use crate::stand_in::refusal::Refusal;

/// `deploymentConfiguration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Configuration {
    maximum_percent: Option<u32>,
    minimum_healthy_percent: Option<u32>,
    #[serde(default)]
    deployment_circuit_breaker: Breaker,
    strategy: Option<String>,
    bake_time_in_minutes: Option<u32>,
    #[serde(default)]
    alarms: Option<Value>,
    #[serde(default)]
    lifecycle_hooks: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Breaker {
    enable: bool,
    rollback: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_on_healthy_task: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_configuration: Option<Threshold>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Threshold {
    #[serde(rename = "type")]
    kind: String,
    value: u32,
}

impl Configuration {
    pub(super) fn check(&self, operation: &str) -> Result<(), Refusal> {
        unsupported(
            operation,
            &[
                ("deploymentConfiguration.alarms", &self.alarms),
                ("deploymentConfiguration.lifecycleHooks", &self.lifecycle_hooks),
            ],
        )?;
        if let Some(strategy) = self.strategy.as_deref().filter(|strategy| *strategy != "ROLLING") {
            return Err(invalid(format!("berth-local does not play the deployment strategy {strategy}.")));
        }
        if self.bake_time_in_minutes.is_some_and(|minutes| minutes > 0) {
            return Err(invalid("berth-local does not play deploymentConfiguration.bakeTimeInMinutes."));
        }
        if let Some(threshold) = &self.deployment_circuit_breaker.threshold_configuration
            && !["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"].contains(&threshold.kind.as_str())
        {
            return Err(invalid(format!("Invalid threshold type: {}.", threshold.kind)));
        }
        let (most, least) = (self.maximum_percent.unwrap_or(200), self.minimum_healthy_percent.unwrap_or(100));
        if most < 100 {
            return Err(invalid("maximumPercent must be greater than or equal to 100."));
        }
        if least > 100 {
            return Err(invalid("minimumHealthyPercent must be less than or equal to 100."));
        }
        if most == 100 && least == 100 {
            return Err(invalid(
                "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
            ));
        }
        Ok(())
    }

    /// This configuration with the members of `newer` in place of its own.
    pub(super) fn with(&self, newer: Self, breaker_given: bool) -> Self {
        Self {
            maximum_percent: newer.maximum_percent.or(self.maximum_percent),
            minimum_healthy_percent: newer.minimum_healthy_percent.or(self.minimum_healthy_percent),
            deployment_circuit_breaker: match breaker_given {
                true => newer.deployment_circuit_breaker,
                false => self.deployment_circuit_breaker.clone(),
            },
            ..Self::default()
        }
    }

    /// The upper bound of tasks.
    pub(super) fn most(&self, desired: u32) -> u32 {
        let most = u64::from(desired) * u64::from(self.maximum_percent.unwrap_or(200)) / 100;
        u32::try_from(most).unwrap_or(u32::MAX)
    }

    /// The lower bound of serving tasks.
    pub(super) fn least(&self, desired: u32) -> u32 {
        let least = (u64::from(desired) * u64::from(self.minimum_healthy_percent.unwrap_or(100))).div_ceil(100);
        u32::try_from(least).unwrap_or(u32::MAX)
    }

    /// The number of failed tasks at which the circuit breaker stops a deployment; `None` when it is off.
    pub(super) fn breaks_after(&self, desired: u32) -> Option<u32> {
        let breaker = &self.deployment_circuit_breaker;
        let percent =
            |value: u32| u32::try_from((u64::from(desired) * u64::from(value)).div_ceil(100)).unwrap_or(u32::MAX);
        let failures = match &breaker.threshold_configuration {
            None => percent(50).clamp(3, 200),
            Some(threshold) => match threshold.kind.as_str() {
                "COUNT" => threshold.value.max(1),
                "UNBOUNDED_PERCENT" => percent(threshold.value).max(1),
                _ => percent(threshold.value).clamp(3, 200),
            },
        };
        breaker.enable.then_some(failures)
    }

    pub(super) fn rolls_back(&self) -> bool {
        self.deployment_circuit_breaker.rollback
    }

    /// Whether a task that becomes healthy resets the count of failures.
    pub(super) fn forgives(&self) -> bool {
        self.deployment_circuit_breaker.reset_on_healthy_task.unwrap_or(true)
    }

    pub(super) fn shown(&self) -> Value {
        json!({
            "deploymentCircuitBreaker": self.deployment_circuit_breaker,
            "maximumPercent": self.maximum_percent.unwrap_or(200),
            "minimumHealthyPercent": self.minimum_healthy_percent.unwrap_or(100),
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        })
    }
}
