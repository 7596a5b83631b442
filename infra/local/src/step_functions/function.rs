//! The functions that Tasks invoke.

use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

/// One call of a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function's name or ARN, as it stands in the definition.
    pub function: String,
    /// The event.
    pub payload: Value,
}

/// A function's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// The name that `Retry` and `Catch` match.
    pub error_type: String,
    /// The function's message.
    pub message: String,
}

/// The future of a function's result.
pub type FunctionReply = Pin<Box<dyn Future<Output = Result<Value, FunctionError>> + Send>>;
/// Invokes functions.
pub type Invoke = Arc<dyn Fn(Invocation) -> FunctionReply + Send + Sync>;
