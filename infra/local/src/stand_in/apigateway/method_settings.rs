//! The settings of a stage's methods, which UpdateStage changes by paths like `/*/*/throttling/rateLimit`, and AWS's list of
//! the paths that UpdateStage takes. Only the throttle has an effect here; the rest is stored and described.

use serde::{Deserialize, Serialize};

use super::patch::Patch;
use super::wire::{bad, not_played};
use crate::stand_in::refusal::Refusal;

/// The settings for every method without its own.
pub const ALL: &str = "*/*";

/// Every path that UpdateStage takes, as AWS lists them: with its missing commas (docs/aws.md#deployments-and-stages).
const PATHS: &str = "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled";

/// AWS's error for a path that UpdateStage does not take.
pub fn invalid_path(path: &str) -> Refusal {
    bad(format!("Invalid method setting path: {path}. Must be one of: [{PATHS}]"))
}

/// The settings of a stage's methods, as on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MethodSettings {
    metrics_enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logging_level: Option<String>,
    data_trace_enabled: bool,
    /// How many requests at once; below 0: as many as the account may.
    pub throttling_burst_limit: i64,
    /// How many requests a second, over time; below 0: as many as the account may.
    pub throttling_rate_limit: f64,
    caching_enabled: bool,
    cache_ttl_in_seconds: u32,
    cache_data_encrypted: bool,
    require_authorization_for_cache_control: bool,
    unauthorized_cache_control_header_strategy: String,
}

impl Default for MethodSettings {
    fn default() -> Self {
        Self {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: 5_000,
            throttling_rate_limit: 10_000.0,
            caching_enabled: false,
            cache_ttl_in_seconds: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: true,
            unauthorized_cache_control_header_strategy: "SUCCEED_WITH_RESPONSE_HEADER".to_owned(),
        }
    }
}

/// The name of a method's settings: its path without the first slash, and the method.
pub fn key(path: &str, method: &str) -> String {
    match path.strip_prefix('/').unwrap_or(path) {
        "" => format!("~1/{method}"),
        path => format!("{path}/{method}"),
    }
}

/// The name of the settings that a patch path below `/` means: `*/*`, or a path (its slashes plain, or as `~1`) and a method.
fn key_of(path: &str) -> Option<String> {
    let (path, method) = path.rsplit_once('/')?;
    let named = !path.is_empty() && !method.is_empty();
    named.then(|| key(&path.replace("~1", "/"), method))
}

/// The settings that a patch removes: its path is only a method's.
pub fn removed(patch: &Patch) -> Option<String> {
    key_of(patch.path.strip_prefix('/')?).filter(|_| patch.op == "remove")
}

/// The settings and the setting that a patch path names.
pub fn setting(path: &str) -> Option<(String, &str)> {
    let rest = path.strip_prefix('/')?;
    let (method, setting) = SETTINGS.iter().find_map(|setting| Some((rest.strip_suffix(*setting)?, *setting)))?;
    Some((key_of(method)?, setting))
}

const SETTINGS: [&str; 10] = [
    "/metrics/enabled",
    "/logging/dataTrace",
    "/logging/loglevel",
    "/throttling/burstLimit",
    "/throttling/rateLimit",
    "/caching/ttlInSeconds",
    "/caching/enabled",
    "/caching/dataEncrypted",
    "/caching/requireAuthorizationForCacheControl",
    "/caching/unauthorizedCacheControlHeaderStrategy",
];

impl MethodSettings {
    /// Changes one setting.
    pub fn set(&mut self, setting: &str, patch: &Patch) -> Result<(), Refusal> {
        if patch.op != "replace" {
            return Err(not_played(format_args!("op '{}' on {}", patch.op, patch.path)));
        }
        match setting {
            "/metrics/enabled" => self.metrics_enabled = patch.flag()?,
            "/logging/dataTrace" => self.data_trace_enabled = patch.flag()?,
            "/logging/loglevel" => {
                if patch.value.as_deref() != Some("OFF") {
                    return Err(no_logging());
                }
                self.logging_level = patch.value.clone();
            }
            "/throttling/burstLimit" => self.throttling_burst_limit = patch.number()?,
            "/throttling/rateLimit" => self.throttling_rate_limit = patch.number()?,
            "/caching/ttlInSeconds" => self.cache_ttl_in_seconds = patch.number()?,
            "/caching/enabled" => self.caching_enabled = patch.flag()?,
            "/caching/dataEncrypted" => self.cache_data_encrypted = patch.flag()?,
            "/caching/requireAuthorizationForCacheControl" => {
                self.require_authorization_for_cache_control = patch.flag()?;
            }
            _ => self.unauthorized_cache_control_header_strategy = patch.value()?,
        }
        Ok(())
    }
}

/// The error for logs without a role; the stand-in's account has none.
pub fn no_logging() -> Refusal {
    bad("CloudWatch Logs role ARN must be set in account settings to enable logging")
}
