//! Executions, as an operator of Step Functions sees and stops them.

use berth_aws::sdk::ProvideErrorMetadata;
use berth_aws::sdk::sfn_types::ExecutionListItem;

use crate::World;

const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:berth-environment";

impl World {
    /// The ARNs of all executions, the newest first.
    pub async fn executions(&self) -> Vec<String> {
        self.executions_that(|_| true).await
    }

    /// The ARNs of the executions that run, the newest first.
    pub async fn executions_running(&self) -> Vec<String> {
        self.executions_that(|execution| execution.stop_date().is_none()).await
    }

    async fn executions_that(&self, wanted: impl Fn(&ExecutionListItem) -> bool) -> Vec<String> {
        let list = self.system.clients.sfn.list_executions().state_machine_arn(MACHINE).into_paginator().items().send();
        let list: Vec<_> = list.try_collect().await.expect("executions");
        list.iter().filter(|one| wanted(one)).map(|one| one.execution_arn().to_owned()).collect()
    }

    /// Aborts one execution; whether it was there.
    pub async fn abort(&self, execution: &str) -> bool {
        match self.system.clients.sfn.stop_execution().execution_arn(execution).send().await {
            Ok(_) => true,
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => false,
            Err(error) => panic!("StopExecution: {error:?}"),
        }
    }

    /// Aborts every execution that runs.
    pub async fn abort_executions(&self) {
        for execution in self.executions_running().await {
            self.abort(&execution).await;
        }
    }
}
