//! Faults by chance: how likely each is for one call, and the seeded generator that decides. `faults` asks it at every
//! call.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::fault::Fault;
use crate::stand_in::service::{AwsService, OddsOf};

/// The odds of every fault, and the callers that can meet one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chance {
    /// For calls to ELBv2, ECS and API Gateway.
    pub resources: Odds,
    /// For calls to DynamoDB and Step Functions, which the SDK retries by itself.
    pub records: Odds,
    /// Whether only calls of functions meet faults; calls of the API and of the test never do.
    pub functions_only: bool,
}

/// How likely each fault is for one call: each from 0 to 1, at most 1 together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Odds {
    /// Refused with the service's throttling error.
    pub throttled: f64,
    /// Refused with the service's 5xx, without an effect.
    pub unavailable: f64,
    /// The effect happens; the caller sees the service's 5xx.
    pub unavailable_after: f64,
    /// The connection is reset, without an effect.
    pub reset: f64,
    /// The effect happens; the reply is lost.
    pub lost: f64,
    /// The call takes longer, by up to [`Odds::slow_by`].
    pub slow: f64,
    /// How much longer at most (AWS time).
    pub slow_by: Duration,
    /// API Gateway's "concurrent modification"; only its writes meet it.
    pub conflict: f64,
    /// What the call creates comes up failed; only CreateLoadBalancer and CreateVpcLink meet it.
    pub comes_up_failed: f64,
    /// Refused because a permission is missing: the service's access-denied error.
    pub denied: f64,
    /// The calling function is killed before the effect; only functions meet it.
    pub killed_before: f64,
    /// The calling function is killed after the effect; only functions meet it.
    pub killed: f64,
    /// The calling function's process exits; the effect happens later. Only functions meet it.
    pub exits: f64,
}

impl Chance {
    /// What every client of AWS meets in the long run: faults that pass. No function is killed, no permission is
    /// missing.
    #[must_use]
    pub fn usual() -> Self {
        Self {
            resources: Odds {
                throttled: 0.03,
                unavailable: 0.01,
                unavailable_after: 0.005,
                reset: 0.01,
                lost: 0.01,
                slow: 0.02,
                slow_by: Duration::from_secs(25),
                conflict: 0.02,
                ..Odds::default()
            },
            records: Odds { throttled: 0.01, reset: 0.005, lost: 0.005, ..Odds::default() },
            functions_only: true,
        }
    }

    /// The odds for calls to `service`, if it has any.
    fn odds(&self, service: &AwsService) -> Option<Odds> {
        service.odds.map(|odds| match odds {
            OddsOf::Resources => self.resources,
            OddsOf::Records => self.records,
        })
    }
}

/// Draws the fault of each call: the same seed and the same calls give the same faults.
#[derive(Debug)]
pub(crate) struct FaultGenerator {
    chance: Chance,
    rng: ChaCha8Rng,
}

impl FaultGenerator {
    pub(crate) fn new(seed: u64, chance: Chance) -> Self {
        Self { chance, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Draws the fault of one call; `None` for most.
    pub(crate) fn draw(&mut self, service: &AwsService, operation: &str, by_function: bool) -> Option<Fault> {
        let odds = self.chance.odds(service).filter(|_| by_function || !self.chance.functions_only)?;
        let (thrown, slower): (f64, f64) = (self.rng.random(), self.rng.random());
        let only = |applies: bool, fault: Fault| applies.then_some(fault);
        let conflict = service.conflict.filter(|_| !operation.starts_with("Get"));
        let provisions = service.provisioned.as_ref().is_some_and(|provisioned| provisioned.operation == operation);
        let outcomes = [
            (odds.throttled, Some(Fault::Refuse(service.throttled()))),
            (odds.unavailable, Some(Fault::Refuse(service.unavailable()))),
            (odds.unavailable_after, Some(Fault::RefuseAfter(service.unavailable()))),
            (odds.reset, Some(Fault::Reset)),
            (odds.lost, Some(Fault::LoseReply)),
            (odds.slow, Some(Fault::Slow(odds.slow_by.mul_f64(slower)))),
            (odds.conflict, conflict.map(|refusal| Fault::Refuse(refusal()))),
            (odds.comes_up_failed, only(provisions, Fault::ComesUpFailed("Internal failure".to_owned()))),
            (odds.denied, Some(Fault::Refuse(service.denied(operation)))),
            (odds.killed_before, only(by_function, Fault::KillBefore)),
            (odds.killed, only(by_function, Fault::Kill)),
            (odds.exits, only(by_function, Fault::Exit)),
        ];
        let mut upper = 0.0;
        for (likely, fault) in outcomes {
            upper += likely;
            if thrown < upper {
                return fault;
            }
        }
        None
    }
}
