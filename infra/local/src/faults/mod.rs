//! Faults at the AWS endpoint, scripted ("on the n-th call of X do Y") or by chance, and a journal of every call.
//!
//! The faults are listed in `fault`; `chance` has their odds, `lambda_process` ends functions. What a fault does to a
//! call is in `crate::endpoint`.

pub mod chance;
mod fault;
pub mod lambda_process;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chance::{Chance, FaultGenerator};
pub use fault::Fault;

use crate::stand_in::service::AwsService;

/// The scripted faults, the generator of others, and the calls so far.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By operation (`elasticloadbalancing:CreateLoadBalancer`) and number of the call, counted from 1.
    scripted: BTreeMap<(String, u64), Fault>,
    counts: BTreeMap<String, u64>,
    /// By number of the call among all calls of functions, counted from 1.
    scripted_for_functions: BTreeMap<u64, Fault>,
    calls_of_functions: u64,
    generator: Option<FaultGenerator>,
    journal: Option<Vec<(String, u64)>>,
    log: Vec<String>,
}

impl Faults {
    /// On the `nth` call of `operation` from now on (1 is the next), do `fault`. An operation is `service:Operation`, with
    /// the service as IAM names it.
    pub fn script(&self, operation: &str, nth: u64, fault: Fault) {
        let mut inner = self.lock();
        let so_far = inner.counts.get(operation).copied().unwrap_or(0);
        inner.scripted.insert((operation.to_owned(), so_far + nth), fault);
    }

    /// On the `nth` call that functions make from now on, whatever the operation, do `fault`.
    pub fn script_for_functions(&self, nth: u64, fault: Fault) {
        let mut inner = self.lock();
        let nth = inner.calls_of_functions + nth;
        inner.scripted_for_functions.insert(nth, fault);
    }

    /// How many calls functions have made.
    #[must_use]
    pub fn calls_of_functions(&self) -> u64 {
        self.lock().calls_of_functions
    }

    /// From now on faults come by chance too. The same seed and the same calls give the same faults.
    pub fn chance(&self, seed: u64, chance: Chance) {
        self.lock().generator = Some(FaultGenerator::new(seed, chance));
    }

    /// Ends faults by chance, so that operations under way can end.
    pub fn calm(&self) {
        self.lock().generator = None;
    }

    /// The faults so far, scripted or by chance, one a line: operation, number of the call of that operation, fault.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    /// Begins a journal of all calls.
    pub fn record(&self) {
        self.lock().journal = Some(Vec::new());
    }

    /// The calls since [`Faults::record`]: operation, and number of the call of that operation.
    #[must_use]
    pub fn journal(&self) -> Vec<(String, u64)> {
        self.lock().journal.clone().unwrap_or_default()
    }

    /// Whether every scripted fault has been used.
    #[must_use]
    pub fn all_came(&self) -> bool {
        let inner = self.lock();
        inner.scripted.is_empty() && inner.scripted_for_functions.is_empty()
    }

    /// Counts one call and takes its fault: the scripted one, else one by chance.
    pub(crate) fn next(&self, service: &AwsService, operation: &str, by_function: bool) -> Option<Fault> {
        let name = format!("{}:{operation}", service.prefix);
        let mut inner = self.lock();
        let count = inner.counts.entry(name.clone()).or_default();
        *count += 1;
        let nth = *count;
        inner.calls_of_functions += u64::from(by_function);
        let of_functions = inner.calls_of_functions;
        if let Some(journal) = &mut inner.journal {
            journal.push((name.clone(), nth));
        }
        let mut fault = inner.scripted.remove(&(name.clone(), nth));
        if by_function && let Some(scripted) = inner.scripted_for_functions.remove(&of_functions) {
            fault.get_or_insert(scripted);
        }
        // Drawn for every call, so that a script does not change the faults of the other calls.
        let thrown = inner.generator.as_mut().and_then(|generator| generator.draw(service, operation, by_function));
        let fault = fault.or(thrown);
        if let Some(fault) = &fault {
            inner.log.push(format!("{name} call {nth}: {fault}"));
        }
        fault
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
