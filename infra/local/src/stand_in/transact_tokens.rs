//! The idempotency of `TransactWriteItems`: a request that is repeated with its `ClientRequestToken` within ten minutes has no
//! second effect. The SDK sends a token with every one, and repeats it after a lost reply.
//!
//! `dynoxide` has this too, but looks at every token of the last ten minutes at every call: after some thousand environments
//! that was a quarter of the CPU time.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use berth_domain::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::service::Reply;

/// How long a token is known, in AWS time (docs/aws.md#dynamodb).
const KNOWN: Duration = Duration::from_secs(600);

/// The tokens of the last ten minutes.
pub(super) struct TransactTokens {
    clock: Clock,
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The request's hash and its reply.
    by_token: BTreeMap<String, (u64, Reply)>,
    /// The oldest first.
    since: VecDeque<(Timestamp, String)>,
}

impl TransactTokens {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, hasher: RandomState::new(), known: Mutex::default() }
    }

    /// Answers the call `input`: `transact` gets it without its token, unless the token is known. Of two calls with one token the
    /// second waits for the first.
    ///
    /// # Errors
    /// `IdempotentParameterMismatchException` when the token came with another request, or what `transact` refuses.
    pub(super) fn once(
        &self,
        input: &Value,
        transact: impl Fn(&Value) -> Result<Reply, Refusal>,
    ) -> Result<Reply, Refusal> {
        // A token of another length is refused by the database.
        let token = input["ClientRequestToken"].as_str().filter(|token| (1..=36).contains(&token.len()));
        let Some(token) = token else { return transact(input) };
        let mut request = input.clone();
        if let Some(members) = request.as_object_mut() {
            members.remove("ClientRequestToken");
        }
        let hash = self.hasher.hash_one(request.to_string());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        known.forget_until(&self.clock, now);
        match known.by_token.get(token) {
            Some((earlier, reply)) if *earlier == hash => Ok(reply.clone()),
            Some(_) => Err(mismatch()),
            None => {
                let reply = transact(&request)?;
                known.by_token.insert(token.to_owned(), (hash, reply.clone()));
                known.since.push_back((now, token.to_owned()));
                Ok(reply)
            }
        }
    }
}

impl Known {
    fn forget_until(&mut self, clock: &Clock, now: Timestamp) {
        while let Some((_, token)) = self.since.pop_front_if(|(at, _)| clock.add(*at, KNOWN) <= now) {
            self.by_token.remove(&token);
        }
    }
}

fn mismatch() -> Refusal {
    let code = "IdempotentParameterMismatchException";
    let message = format!("An error occurred ({code})");
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "Message": message});
    Refusal { status: 400, code: code.to_owned(), message, body: Some(Box::new(body)) }
}
