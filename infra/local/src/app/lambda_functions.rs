//! The two Lambda functions, worker and janitor, as Lambda runs them: within their time limits and the account's concurrency,
//! and so that a fault can end them (`crate::faults::lambda_process`). The janitor's schedules are here as well; its events are
//! in `events`.

use std::sync::Arc;
use std::time::Duration;

use berth_app::App;
use berth_domain::Clock;
use berth_domain::operation::StepInput;
use berth_janitor::{JanitorCall, ScheduledTask};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::faults::lambda_process::{self, Exited};
use crate::step_functions::{FunctionError, Invocation};

/// The worker's name as a Lambda function.
pub(super) const WORKER: &str = "berth-worker";
/// The worker's time limit as a Lambda. It is below the state machine's `TimeoutSeconds`, so that a call has always
/// ended before the state machine retries.
pub const WORKER_TIMEOUT: Duration = Duration::from_secs(60);

/// The janitor's time limit as a Lambda.
const JANITOR_TIMEOUT: Duration = Duration::from_secs(300);
/// The interval between two sweeps of the janitor, in AWS time.
const SWEEP: Duration = Duration::from_secs(60);
/// The janitor audits on every 15th sweep.
const AUDIT: u32 = 15;

/// How many calls of functions the account allows at one time; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Concurrency(Arc<Semaphore>);

impl Concurrency {
    pub(super) fn new(calls: usize) -> Self {
        Self(Arc::new(Semaphore::new(calls)))
    }
}

/// Runs the worker as Lambda does: JSON in, JSON or a named error out, within its time limit. A call above the account's
/// concurrency is refused (docs/aws.md#lambda).
pub(super) async fn call_worker(
    context: berth_worker::Context,
    concurrency: Concurrency,
    invocation: Invocation,
) -> Result<Value, FunctionError> {
    let error = |error_type: &str, message: String| FunctionError { error_type: error_type.to_owned(), message };
    let Ok(_running) = concurrency.0.try_acquire() else {
        let message = "Rate Exceeded. (Service: Lambda, Status Code: 429)".to_owned();
        return Err(error("Lambda.TooManyRequestsException", message));
    };
    if invocation.function != WORKER {
        return Err(error("Lambda.ResourceNotFoundException", format!("Function not found: {}", invocation.function)));
    }
    let input: StepInput =
        serde_json::from_value(invocation.payload).map_err(|e| error("BadPayload", e.to_string()))?;
    let limit = context.clock.limit(WORKER_TIMEOUT);
    let run = lambda_process::function(Box::pin(berth_worker::run(&context, input)));
    match tokio::time::timeout(limit, run).await {
        Ok(Ok(Ok(outcome))) => serde_json::to_value(outcome).map_err(|e| error("BadOutcome", e.to_string())),
        Ok(Ok(Err(failure))) => Err(error(failure.name(), failure.message())),
        Ok(Err(Exited)) => Err(error("Runtime.ExitError", "Runtime exited without providing a reason".to_owned())),
        Err(_) => Err(error("Sandbox.Timedout", format!("Task timed out after {} seconds", WORKER_TIMEOUT.as_secs()))),
    }
}

/// Runs the janitor's two schedules.
pub(super) async fn run_schedules(janitor: App, clock: Clock, concurrency: Concurrency) {
    for minute in 1_u32.. {
        clock.sleep(SWEEP).await;
        let mut tasks = vec![ScheduledTask::Sweep];
        tasks.extend(minute.is_multiple_of(AUDIT).then_some(ScheduledTask::Audit));
        for task in tasks {
            call_janitor(&janitor, &concurrency, JanitorCall::Scheduled { task }).await;
        }
    }
}

/// Runs the janitor as Lambda does, within its time limit. A later sweep repeats what failed. These calls are asynchronous: above
/// the account's concurrency they wait in Lambda's queue.
pub(super) async fn call_janitor(janitor: &App, concurrency: &Concurrency, call: JanitorCall) {
    let Ok(_running) = concurrency.0.acquire().await else { return };
    let limit = janitor.clock.limit(JANITOR_TIMEOUT);
    let run = lambda_process::function(Box::pin(berth_janitor::run(janitor, call.clone())));
    match tokio::time::timeout(limit, run).await {
        // CloudWatch, which would read the metrics from the log, is not played.
        Ok(Ok(Ok(metrics))) => tracing::debug!(?metrics, "measured"),
        Ok(Ok(Err(error))) => {
            tracing::warn!(?call, cause = error.cause(), "the janitor failed; a later sweep tries again")
        }
        Ok(Err(Exited)) => tracing::warn!(?call, "the janitor's process has exited"),
        Err(_) => tracing::warn!(?call, "the janitor reached its time limit"),
    }
}
