//! The issuer's keys, cached. They are fetched at most once in [`PAUSE`], by one caller at a time, whatever tokens arrive.
//!
//! Keys are fetched when there are none, when they are older than [`MAX_AGE`], or when a token's key is not among
//! them (the issuer may have a new one). While the issuer cannot be asked, old keys stay valid for [`GRACE`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use berth_domain::token::Presented;
use berth_domain::{Clock, Error};
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;

use crate::issuer::Issuer;

/// Between two fetches.
const PAUSE: Duration = Duration::from_secs(10);
/// Between two fetches for a token whose key is cached, while the issuer cannot be asked: a fetch would only delay the caller.
const PAUSE_IN_OUTAGE: Duration = Duration::from_secs(60);
/// Older keys are fetched again before they are used, so a revoked key is accepted for no longer than this.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// Keys of this age are no longer used, whatever the issuer's state.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// The issuer's keys; cheap to clone, and all clones are one cache.
#[derive(Clone, Debug)]
pub(crate) struct Keys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: Issuer,
    clock: Clock,
    cache: Mutex<Cache>,
    /// Held by the caller that fetches.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Cache {
    held: Option<Held>,
    tried_at: Option<Timestamp>,
    /// Why the last try failed, if it did.
    failure: Option<String>,
}

#[derive(Clone, Debug)]
struct Held {
    keys: Arc<JwkSet>,
    from: Timestamp,
}

/// The keys must be fetched.
struct Due {
    /// The keys for a caller that finds another one fetching.
    meanwhile: Option<Arc<JwkSet>>,
}

impl Cache {
    /// The keys, unless they are too old for anything.
    fn usable(&self, clock: &Clock) -> Option<&Held> {
        self.held.as_ref().filter(|held| clock.since(held.from) <= GRACE)
    }
}

impl Keys {
    pub(crate) fn new(issuer: Issuer) -> Self {
        let clock = issuer.clock.clone();
        Self(Arc::new(Inner { issuer, clock, cache: Mutex::default(), fetching: Arc::default() }))
    }

    /// Fetches the keys before any token asks for them. A failure is logged, and does not keep the first token from trying
    /// again at once.
    pub(crate) async fn warm(&self) {
        let _fetching = self.0.fetching.lock().await;
        self.fetch().await;
        let mut cache = self.cache();
        if cache.held.is_none() {
            cache.tried_at = None;
        }
    }

    /// The keys to check `token` with. Whether they have its key is for the verifier to say.
    ///
    /// # Errors
    /// `Unavailable` when its key may be one of the issuer's, and the issuer cannot be asked.
    pub(crate) async fn for_token(&self, token: &Presented<'_>) -> Result<Arc<JwkSet>, Error> {
        if let Some(Due { meanwhile }) = self.due(token) {
            let fetching = self.0.fetching.clone();
            let guard = match meanwhile {
                None => fetching.lock_owned().await,
                Some(old) => match fetching.try_lock_owned() {
                    Ok(guard) => guard,
                    Err(_) => return Ok(old),
                },
            };
            // Another caller may have fetched them while this one waited for the lock.
            if self.due(token).is_some() {
                // A task of its own: others wait for this fetch even if its caller hangs up.
                let keys = self.clone();
                let fetched = tokio::spawn(async move {
                    keys.fetch().await;
                    drop(guard);
                });
                fetched.await.map_err(Error::internal)?;
            }
        }
        let keys = self.answer(token);
        keys.map_err(|cause| {
            Error::unavailable(
                "Tokens cannot be checked now, because the issuer does not answer. Try again in a few seconds.",
                cause,
            )
        })
    }

    /// Whether the keys must be fetched for `token`, and may be.
    fn due(&self, token: &Presented<'_>) -> Option<Due> {
        let clock = &self.0.clock;
        let cache = self.cache();
        let known = cache.usable(clock).filter(|held| token.has_key_in(&held.keys));
        if known.is_some_and(|held| clock.since(held.from) <= MAX_AGE) {
            return None;
        }
        let pause = if known.is_some() && cache.failure.is_some() { PAUSE_IN_OUTAGE } else { PAUSE };
        let rested = cache.tried_at.is_none_or(|tried| clock.since(tried) >= pause);
        rested.then(|| Due { meanwhile: known.map(|held| held.keys.clone()) })
    }

    /// The issuer's keys as known now, or why it cannot be decided whether `token` is good.
    fn answer(&self, token: &Presented<'_>) -> Result<Arc<JwkSet>, String> {
        let cache = self.cache();
        match (cache.usable(&self.0.clock), &cache.failure) {
            (Some(held), None) => Ok(held.keys.clone()),
            // While the issuer cannot be asked, a key that is missing here may still be one of the issuer's.
            (Some(held), Some(_)) if token.has_key_in(&held.keys) => Ok(held.keys.clone()),
            (_, Some(failure)) => Err(failure.clone()),
            (None, None) => Err("there are no keys yet".to_owned()),
        }
    }

    /// Fetches, whether or not it is due. Whoever calls this holds `fetching`.
    async fn fetch(&self) {
        let fetched = self.0.issuer.keys().await;
        let now = self.0.clock.now();
        let mut cache = self.cache();
        // From the end of the try, so that a slow issuer is not asked without a pause either.
        cache.tried_at = Some(now);
        match fetched {
            Ok(keys) => {
                tracing::info!(keys = keys.keys.len(), "the issuer's keys were fetched");
                cache.held = Some(Held { keys: Arc::new(keys), from: now });
                cache.failure = None;
            }
            Err(cause) => {
                tracing::error!(cause, "the issuer's keys cannot be fetched");
                cache.failure = Some(cause);
            }
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
