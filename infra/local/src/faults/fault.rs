//! What can go wrong with one call. What each does to the call is in `crate::endpoint`.

use std::fmt;
use std::time::Duration;

use crate::stand_in::refusal::Refusal;

/// What goes wrong with one call.
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
    /// Everything happens, this much later (AWS time), also when the caller has given up by then.
    Slow(Duration),
    /// The load balancer or VPC link that the call creates comes up failed, with this reason.
    ComesUpFailed(String),
    /// No effect; the calling function is killed. A caller that is no function meets [`Fault::Reset`].
    KillBefore,
    /// The effect happens; the calling function is killed before it knows. A caller that is no function meets
    /// [`Fault::LoseReply`].
    Kill,
    /// The calling function's process exits (a panic, no memory left), which Lambda says at once; the effect happens when
    /// the function may have been called again. A caller that is no function meets [`Fault::LoseReply`].
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
