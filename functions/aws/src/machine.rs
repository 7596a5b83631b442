//! The state machine: starting an operation's execution.

use aws_sdk_sfn::types::ExecutionStatus;
use berth_domain::Error;
use berth_domain::operation::Identity;

use crate::error::{code, convert};

/// What has become of an execution that was to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It runs, now or since earlier.
    Running,
    /// It ran before and has ended.
    Ended,
}

/// Step Functions, for one state machine; cheap to clone.
#[derive(Clone, Debug)]
pub struct Machine {
    client: aws_sdk_sfn::Client,
    arn: String,
}

impl Machine {
    /// The state machine `arn`.
    #[must_use]
    pub fn new(client: aws_sdk_sfn::Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into() }
    }

    /// Starts the execution of an operation, named by it. Starting it again changes nothing: Step Functions refuses a
    /// second execution of the same name for 90 days (docs/aws.md#executions).
    ///
    /// # Errors
    /// `Unavailable` when Step Functions cannot be reached; the operation stays recorded, and may be started later.
    pub async fn start(&self, identity: &Identity) -> Result<Started, Error> {
        let input = serde_json::to_string(identity).map_err(Error::internal)?;
        let started = self
            .client
            .start_execution()
            .state_machine_arn(&self.arn)
            .name(identity.operation.to_string())
            .input(input)
            .send()
            .await;
        match started {
            Ok(_) => Ok(Started::Running),
            Err(error) if code(&error) == Some("ExecutionAlreadyExists") => self.state_of(identity).await,
            Err(error) => Err(convert("StartExecution", error)),
        }
    }

    async fn state_of(&self, identity: &Identity) -> Result<Started, Error> {
        let arn = format!("{}:{}", self.arn.replace(":stateMachine:", ":execution:"), identity.operation);
        let runs = match self.client.describe_execution().execution_arn(arn).send().await {
            Ok(execution) => {
                matches!(execution.status(), ExecutionStatus::Running | ExecutionStatus::PendingRedrive)
            }
            // Reads lag: it exists, as StartExecution has just said.
            Err(error) if code(&error) == Some("ExecutionDoesNotExist") => true,
            Err(error) => return Err(convert("DescribeExecution", error)),
        };
        Ok(if runs { Started::Running } else { Started::Ended })
    }
}
