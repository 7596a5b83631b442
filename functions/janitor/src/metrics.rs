//! What operators must hear of, as CloudWatch's metrics: one line in the function's log in the embedded metric format
//! (docs/aws.md#metrics). The alarms on them are in `infra/template.yaml`.

use std::time::Duration;

use berth_app::AuditReport;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of Berth's metrics.
const NAMESPACE: &str = "Berth";
/// Their one dimension: the deployment, by its table's name.
const DIMENSION: &str = "Deployment";

/// What one call of the janitor measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics(Vec<Metric>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Metric {
    name: &'static str,
    unit: &'static str,
    value: u64,
}

impl Metrics {
    /// Of an event: nothing is measured.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Of a sweep: how long a caller that arrived now would wait for a slot.
    pub(crate) fn of_sweep(longest_queue: Duration) -> Self {
        Self(vec![Metric { name: "QueueSeconds", unit: "Seconds", value: longest_queue.as_secs() }])
    }

    /// Of an audit.
    pub(crate) fn of_audit(report: &AuditReport) -> Self {
        let count = |name, value: usize| Metric { name, unit: "Count", value: value as u64 };
        Self(vec![
            count("Orphans", report.orphans),
            count("OrphansHeld", usize::from(report.are_held)),
            count("MissingResources", report.missing),
            count("UnreadableRecords", report.unreadable),
            count("CleanupFailed", report.cleanup_failed),
            count("EnvironmentsWaiting", report.waiting),
        ])
    }

    /// The line for the log, if anything was measured. `level` is the function's own: Lambda drops lines below it
    /// (docs/aws.md#metrics), and a metric must not go with them.
    #[must_use]
    pub fn line(&self, deployment: &str, level: &str, now: Timestamp) -> Option<String> {
        let metrics: Vec<Value> =
            self.0.iter().map(|metric| json!({"Name": metric.name, "Unit": metric.unit})).collect();
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics});
        let mut line = Map::from_iter([
            ("level".to_owned(), level.into()),
            ("timestamp".to_owned(), now.to_string().into()),
            ("_aws".to_owned(), json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive]})),
            (DIMENSION.to_owned(), deployment.into()),
        ]);
        line.extend(self.0.iter().map(|metric| (metric.name.to_owned(), metric.value.into())));
        (!self.0.is_empty()).then(|| Value::Object(line).to_string())
    }
}
