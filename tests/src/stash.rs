//! What a stand-in stores, kept in memory: a disk without files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use berth_local::stored::{Keep, Row, StoredRows};

/// Stored rows; cheap to clone, and all clones are one.
#[derive(Clone, Default)]
pub struct Stash(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    rows: BTreeMap<(&'static str, String), String>,
    writes: usize,
}

impl Stash {
    /// What stores rows here.
    #[must_use]
    pub fn keep(&self) -> Keep {
        let stash = self.clone();
        Box::new(move |rows| stash.write(rows))
    }

    /// Everything that is stored.
    #[must_use]
    pub fn rows(&self) -> StoredRows {
        let mut stored = StoredRows::default();
        for ((kind, key), body) in &self.state().rows {
            stored.0.entry((*kind).to_owned()).or_default().push((key.clone(), body.clone()));
        }
        stored
    }

    /// How often something that was new has been stored.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    fn write(&self, rows: Vec<Row>) {
        let mut state = self.state();
        let mut is_new = false;
        for Row { kind, key, body } in rows {
            let key = (kind, key);
            let before = match body.clone() {
                Some(body) => state.rows.insert(key, body),
                None => state.rows.remove(&key),
            };
            is_new |= before != body;
        }
        state.writes += usize::from(is_new);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics in here")
    }
}
