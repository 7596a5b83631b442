//! The faults that one call can meet. What each does to the call is in `crate::endpoint`.

use std::fmt;
use std::time::Duration;

use crate::stand_in::refusal::Refusal;

/// A fault of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused, with no effect.
    Refuse(Refusal),
    /// The effect happens; the caller sees this refusal.
    RefuseAfter(Refusal),
    /// No effect; the connection is reset.
    Reset,
    /// The effect happens; the caller never gets the reply.
    LoseReply,
    /// The effect and the reply come this much later (AWS time), even if the caller has given up by then.
    Slow(Duration),
    /// The load balancer or VPC link that the call creates comes up failed, with this reason.
    ComesUpFailed(String),
    /// No effect; the calling function is killed. Another caller meets [`Fault::Reset`].
    KillBefore,
    /// The effect happens; the calling function is killed before it gets the reply. Another caller meets
    /// [`Fault::LoseReply`].
    Kill,
    /// The calling function's process exits (a panic, out of memory), which Lambda reports at once. The effect happens
    /// later, when the function may have been called again. Another caller meets [`Fault::LoseReply`].
    Exit,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(refusal) => write!(f, "refused, {refusal}"),
            Self::RefuseAfter(refusal) => write!(f, "refused after its effect, {refusal}"),
            Self::Reset => f.write_str("reset"),
            Self::LoseReply => f.write_str("reply lost"),
            Self::Slow(by) => write!(f, "slower by {:.1} s", by.as_secs_f64()),
            Self::ComesUpFailed(why) => write!(f, "comes up failed, {why}"),
            Self::KillBefore => f.write_str("function killed before the effect"),
            Self::Kill => f.write_str("function killed after the effect"),
            Self::Exit => f.write_str("function exits before the effect"),
        }
    }
}
