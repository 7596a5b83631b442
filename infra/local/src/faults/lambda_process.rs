//! A Lambda function that ends in the middle of an AWS call: the call never returns, and no later line of the function
//! runs.
//!
//! - A killed function ends silently: its invocation waits until the time limit.
//! - A function whose process exits fails at once: Lambda reports the exit.
//!
//! Every invocation runs inside [`function`], so that the endpoint can tell calls of functions from others. Only
//! functions can be ended this way.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::Notify;

tokio::task_local! {
    /// Ends the function that runs in this task.
    static FUNCTION: Arc<Ends>;
}

#[derive(Default)]
struct Ends {
    killed: Notify,
    exited: Notify,
}

/// The function's process has exited, and Lambda has noticed it.
#[derive(Debug)]
pub struct Exited;

/// Runs one invocation of a function. Never returns once the function was killed: the caller must apply its time limit.
///
/// # Errors
/// [`Exited`] when the function's process has exited.
pub async fn function<F: Future>(work: F) -> Result<F::Output, Exited> {
    let ends = Arc::new(Ends::default());
    let output = tokio::select! {
        biased;
        output = FUNCTION.scope(Arc::clone(&ends), work) => Some(Ok(output)),
        () = ends.exited.notified() => Some(Err(Exited)),
        () = ends.killed.notified() => None,
    };
    match output {
        Some(output) => output,
        None => pending().await,
    }
}

/// Whether this task runs a function.
#[must_use]
pub fn is_function() -> bool {
    FUNCTION.try_with(|_| ()).is_ok()
}

/// Kills the calling function. Returns only if the caller is no function.
pub async fn kill() {
    end(|ends| &ends.killed).await;
}

/// Lets the process of the calling function exit. Returns only if the caller is no function.
pub async fn exit() {
    end(|ends| &ends.exited).await;
}

async fn end(how: impl Fn(&Ends) -> &Notify) {
    if let Ok(ends) = FUNCTION.try_with(Arc::clone) {
        how(&ends).notify_one();
        pending::<()>().await;
    }
}
