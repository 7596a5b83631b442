//! What is kept of an execution, and the event that EventBridge gets about it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arns::{execution_arn, machine_arn};
use super::history::seconds;
use crate::stored::{Rows, Stored, StoredRows};

/// The kind of the rows of executions.
const EXECUTION: &str = "execution";
/// How long a closed execution's name stays taken.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Longer inputs and outputs are left out of events.
const LARGEST_IN_AN_EVENT: usize = 248 * 1024;

/// An execution's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Under way.
    Running,
    /// Ended with success.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Took longer than the machine's `TimeoutSeconds`.
    TimedOut,
    /// Stopped by `StopExecution`.
    Aborted,
}

impl Status {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// An execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// The state machine's name.
    pub machine: String,
    /// The execution's name.
    pub name: String,
    /// Its place in the order of starts.
    pub number: u64,
    /// Its status.
    pub status: Status,
    /// When it was started.
    pub start: Timestamp,
    /// When it ended.
    pub stop: Option<Timestamp>,
    /// Its input, JSON as it was given.
    pub input: String,
    /// Its output, JSON.
    pub output: Option<String>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The error's cause.
    pub cause: Option<String>,
}

/// All executions by ARN: what is kept over a restart.
#[derive(Clone, Debug, Default)]
pub struct Executions {
    /// By ARN.
    pub by_arn: Stored<String, Execution>,
    /// The number of the last one that was started.
    pub started: u64,
}

impl Executions {
    /// Forgets what was closed more than 90 days ago.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        let is_old = |execution: &Execution| execution.stop.is_some_and(|stop| now.duration_since(stop) >= RETENTION);
        self.by_arn.remove_where(|_, execution| is_old(execution));
    }

    /// Adds the rows of the executions that were touched since the last call.
    pub(super) fn take_rows(&mut self, rows: &mut Rows) {
        self.by_arn.take_rows(EXECUTION, rows);
    }

    /// The executions that were stored as these rows.
    ///
    /// # Errors
    /// One line that names the row which is not what it should be.
    pub fn read_rows(rows: &mut StoredRows) -> Result<Self, String> {
        let by_arn = Stored::<String, Execution>::read(EXECUTION, rows)?;
        let started = by_arn.values().map(|execution| execution.number).max().unwrap_or_default();
        Ok(Self { by_arn, started })
    }
}

impl Execution {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        execution_arn(&self.machine, &self.name)
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status == Status::Running
    }

    /// As `ListExecutions` gives it; `DescribeExecution` gives more.
    pub(super) fn listed(&self) -> Value {
        let mut listed = json!({
            "executionArn": self.arn(),
            "stateMachineArn": machine_arn(&self.machine),
            "name": self.name,
            "status": self.status,
            "startDate": seconds(self.start),
            "redriveCount": 0,
        });
        if let (Some(stop), Some(listed)) = (self.stop, listed.as_object_mut()) {
            listed.insert("stopDate".to_owned(), seconds(stop).into());
        }
        listed
    }

    /// As `DescribeExecution` gives it.
    pub(super) fn described(&self) -> Value {
        let mut described = self.listed();
        if let Some(members) = described.as_object_mut() {
            let mut set = |key: &str, value: Value| drop(members.insert(key.to_owned(), value));
            set("input", self.input.clone().into());
            set("inputDetails", json!({"included": true}));
            if let Some(output) = &self.output {
                set("output", output.clone().into());
                set("outputDetails", json!({"included": true}));
            }
            if let Some(error) = &self.error {
                set("error", error.clone().into());
            }
            if let Some(cause) = &self.cause {
                set("cause", cause.clone().into());
            }
        }
        described
    }
}

/// The detail of EventBridge's "Step Functions Execution Status Change" (source `aws.states`).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionChange {
    /// The execution's ARN.
    pub execution_arn: String,
    /// The state machine's ARN.
    pub state_machine_arn: String,
    /// The execution's name.
    pub name: String,
    /// The new status.
    pub status: Status,
    /// Milliseconds since 1970.
    pub start_date: i64,
    /// Milliseconds since 1970; `None` while it runs.
    pub stop_date: Option<i64>,
    /// `None` when it is too large.
    pub input: Option<String>,
    /// Whether `input` is there.
    pub input_details: Included,
    /// `None` when it is too large, or the execution has none.
    pub output: Option<String>,
    /// Whether `output` is there; `None` when the execution has no output.
    pub output_details: Option<Included>,
    /// The error that ended it.
    pub error: Option<String>,
    /// The error's cause.
    pub cause: Option<String>,
    /// Always 0: executions are not redriven here.
    pub redrive_count: u32,
    /// Always `None`.
    pub redrive_date: Option<i64>,
    /// Always `None`: machines have no versions here.
    pub state_machine_version_arn: Option<String>,
    /// Always `None`: machines have no aliases here.
    pub state_machine_alias_arn: Option<String>,
}

/// Whether a text is included, or was too large.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Included {
    /// Whether the text is included.
    pub included: bool,
}

impl From<&Execution> for ExecutionChange {
    fn from(execution: &Execution) -> Self {
        let fitting = |text: &String| Some(text.clone()).filter(|text| text.len() <= LARGEST_IN_AN_EVENT);
        let input = fitting(&execution.input);
        let output = execution.output.as_ref().and_then(fitting);
        Self {
            execution_arn: execution.arn(),
            state_machine_arn: machine_arn(&execution.machine),
            name: execution.name.clone(),
            status: execution.status,
            start_date: execution.start.as_millisecond(),
            stop_date: execution.stop.map(Timestamp::as_millisecond),
            input_details: Included { included: input.is_some() },
            input,
            output_details: execution.output.as_ref().map(|_| Included { included: output.is_some() }),
            output,
            error: execution.error.clone(),
            cause: execution.cause.clone(),
            redrive_count: 0,
            redrive_date: None,
            state_machine_version_arn: None,
            state_machine_alias_arn: None,
        }
    }
}
