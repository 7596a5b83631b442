//! Words of a request that API Gateway reserves for its own health checks, `/ping` and `/sping`: a stage of that name is never
//! reached, nor is such a path behind a custom domain (docs/aws.md#the-gateways-own-answers). The words are well formed, so this
//! is no rule of a value (`values`).

use percent_encoding::percent_decode_str;

use super::EnvironmentRequest;
use crate::error::{Error, Field};

/// The paths that API Gateway reserves.
const RESERVED: [&str; 2] = ["/ping", "/sping"];

impl EnvironmentRequest {
    /// Refuses a stage or a health-check path that API Gateway reserves.
    ///
    /// # Errors
    /// `Unprocessable` with a pointer to each.
    pub(super) fn refuse_reserved(&self) -> Result<(), Error> {
        let path = self.health_check.path.0.split('?').next().unwrap_or_default();
        let places =
            [("/health_check/path", is_reserved(path)), ("/api/stage", is_reserved(&format!("/{}", self.api.stage.0)))];
        let fields: Vec<Field> = places
            .into_iter()
            .filter(|(_, reserved)| *reserved)
            .map(|(pointer, _)| Field {
                pointer: pointer.to_owned(),
                message: "must not be ping or sping: API Gateway reserves these for its own health checks".to_owned(),
            })
            .collect();
        match fields.as_slice() {
            [] => Ok(()),
            [first, ..] => Err(Error::Unprocessable {
                code: "reserved_by_api_gateway",
                message: format!(
                    "API Gateway reserves /ping and /sping for its own health checks. Choose another value for {}.",
                    first.pointer
                ),
                fields,
            }),
        }
    }
}

/// Whether API Gateway answers `path` itself: it decodes escapes and drops a slash at the end.
fn is_reserved(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    RESERVED.contains(&decoded.trim_end_matches('/'))
}
