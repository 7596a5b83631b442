//! One execution's history, as `GetExecutionHistory` returns it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

/// Step Functions' limit of events. The last event is reserved for the execution's end.
pub(super) const MOST_EVENTS: usize = 25_000;

/// An event's details: the name of their member, and the details.
pub(super) type Details = Option<(&'static str, Value)>;

/// The events of one execution, in branches too.
#[derive(Default)]
pub(super) struct History(Mutex<Vec<HistoryEvent>>);

struct HistoryEvent {
    at: Timestamp,
    previous: u64,
    kind: String,
    details: Details,
}

/// The history is full: only the execution's end may still be added.
#[derive(Debug)]
pub(super) struct Full;

impl History {
    /// Adds an event and gives its id; `previous` is the id of the event that led to it.
    pub(super) fn add(
        &self,
        at: Timestamp,
        previous: u64,
        kind: impl Into<String>,
        details: Details,
    ) -> Result<u64, Full> {
        let mut events = self.events();
        if events.len() + 1 >= MOST_EVENTS {
            return Err(Full);
        }
        events.push(HistoryEvent { at, previous, kind: kind.into(), details });
        Ok(events.len() as u64)
    }

    /// Adds the execution's end.
    pub(super) fn end(&self, at: Timestamp, previous: u64, kind: &str, details: Details) {
        self.events().push(HistoryEvent { at, previous, kind: kind.to_owned(), details });
    }

    /// Up to `count` events after the first `skip`, and whether there are more.
    pub(super) fn page(&self, skip: usize, count: usize, newest_first: bool) -> (Vec<Value>, bool) {
        let events = self.events();
        let numbered = events.iter().enumerate();
        let page = if newest_first {
            numbered.rev().skip(skip).take(count).map(written).collect()
        } else {
            numbered.skip(skip).take(count).map(written).collect()
        };
        (page, events.len() > skip.saturating_add(count))
    }

    fn events(&self) -> MutexGuard<'_, Vec<HistoryEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written((index, event): (usize, &HistoryEvent)) -> Value {
    let mut written = json!({
        "id": index + 1,
        "previousEventId": event.previous,
        "timestamp": seconds(event.at),
        "type": event.kind,
    });
    if let (Some(members), Some((member, details))) = (written.as_object_mut(), &event.details) {
        members.insert((*member).to_owned(), details.clone());
    }
    written
}

/// The details of a failure: error and cause, as far as they are known.
pub(super) fn error_details(error: Option<&str>, cause: Option<&str>) -> Value {
    let members = [("error", error), ("cause", cause)];
    members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?)))).collect()
}

/// A time as awsJson writes it: seconds since 1970, with milliseconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds stay exact for 285,000 years")]
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}
