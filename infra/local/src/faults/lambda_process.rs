//! A function that ends between two lines: the call that it was at never returns to it, and nothing of it goes on. It is
//! killed, which nobody is told, or its process exits, which Lambda says at once.
//!
//! Every invocation runs inside [`function`], through which the endpoint knows who calls it. Nobody else can end so.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::Notify;

tokio::task_local! {
    /// Through which the function that runs in this task is ended.
    static FUNCTION: Arc<Ends>;
}

#[derive(Default)]
struct Ends {
    killed: Notify,
    exited: Notify,
}

/// The function's process is gone, and Lambda has seen it go.
#[derive(Debug)]
pub struct Exited;

/// Runs one invocation of a function. Does not return once it has vanished: whoever invoked it waits for its time limit.
///
/// # Errors
/// [`Exited`] when its process has.
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

/// Whether the call comes from a function.
#[must_use]
pub fn is_function() -> bool {
    FUNCTION.try_with(|_| ()).is_ok()
}

/// The function that calls vanishes. Returns only to a caller that is none.
pub async fn kill() {
    end(|ends| &ends.killed).await;
}

/// The process of the function that calls exits. Returns only to a caller that is none.
pub async fn exit() {
    end(|ends| &ends.exited).await;
}

async fn end(how: impl Fn(&Ends) -> &Notify) {
    if let Ok(ends) = FUNCTION.try_with(Arc::clone) {
        how(&ends).notify_one();
        pending::<()>().await;
    }
}
