//! A function that is killed between two lines: the call that it was at never returns to it, and nothing of it goes on.
//!
//! Every invocation runs inside [`function`], through which the endpoint knows who calls it. Nobody else can vanish.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::Notify;

tokio::task_local! {
    /// Notified when the function that runs in this task is to vanish.
    static FUNCTION: Arc<Notify>;
}

/// Runs one invocation of a function. Does not return once it has vanished: whoever invoked it waits for its time limit.
pub async fn function<F: Future>(work: F) -> F::Output {
    let gone = Arc::new(Notify::new());
    let output = tokio::select! {
        biased;
        output = FUNCTION.scope(Arc::clone(&gone), work) => Some(output),
        () = gone.notified() => None,
    };
    match output {
        Some(output) => output,
        None => pending().await,
    }
}

/// Whether the call comes from a function.
#[must_use]
pub fn is_function() -> bool {
    FUNCTION.try_with(|_| ()).is_ok()
}

/// The function that calls vanishes. Returns only to a caller that is none.
pub async fn vanish() {
    if let Ok(gone) = FUNCTION.try_with(Arc::clone) {
        gone.notify_one();
        pending::<()>().await;
    }
}
