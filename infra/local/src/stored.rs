//! What is stored of an account: rows, one for each thing, and which of them a change has touched.
//!
//! [`Stored`] is a map that remembers its touched entries. `crate::disk` writes the rows and leaves out those whose text is
//! still the same.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::Deref;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// One thing as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub kind: &'static str,
    /// Its key, unique in its kind.
    pub key: String,
    /// JSON; `None` when the thing is gone.
    pub body: Option<String>,
}

impl Row {
    /// The row of `thing`; `None` when it is no JSON, which is logged: the row that is stored stays.
    pub fn of<T: Serialize>(kind: &'static str, key: impl Display, thing: &T) -> Option<Self> {
        let body = serde_json::to_string(thing).inspect_err(|error| tracing::error!(kind, %error, "is no JSON"));
        Some(Self { kind, key: key.to_string(), body: Some(body.ok()?) })
    }

    /// The row of a thing that is gone, or that is not stored.
    pub fn gone(kind: &'static str, key: impl Display) -> Self {
        Self { kind, key: key.to_string(), body: None }
    }
}

/// Stores rows. It is called with what a change has touched, before the caller sees the change's reply.
pub type Keep = Box<dyn Fn(Vec<Row>) + Send + Sync>;

/// The rows of one change, as far as anything stores them.
pub struct Rows(Option<Vec<Row>>);

impl Rows {
    /// Lets `take` take the rows of what was touched, and hands them to `keep`; without it they are not even written out.
    pub fn pass(keep: Option<&Keep>, take: impl FnOnce(&mut Self)) {
        let mut rows = Self(keep.map(|_| Vec::new()));
        take(&mut rows);
        if let (Some(keep), Some(rows)) = (keep, rows.0) {
            keep(rows);
        }
    }

    /// Adds a row.
    pub fn add(&mut self, row: impl FnOnce() -> Option<Row>) {
        if let Some(rows) = &mut self.0 {
            rows.extend(row());
        }
    }
}

/// A map whose entries are stored. All reading is a `BTreeMap`'s.
#[derive(Clone, Debug)]
pub struct Stored<K, V> {
    entries: BTreeMap<K, V>,
    touched: BTreeSet<K>,
}

impl<K, V> Default for Stored<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), touched: BTreeSet::new() }
    }
}

impl<K, V> Deref for Stored<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.entries
    }
}

impl<K: Ord + Clone, V> Stored<K, V> {
    /// The value of `key`, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (key, _) = self.entries.get_key_value(key)?;
        self.touched.insert(key.clone());
        self.entries.get_mut(key.clone().borrow())
    }

    /// Inserts, and returns the value that was there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.touched.insert(key.clone());
        self.entries.insert(key, value)
    }

    /// Removes.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, value) = self.entries.remove_entry(key)?;
        self.touched.insert(key);
        Some(value)
    }

    /// Removes the entries that `which` is true of, and returns them.
    pub fn remove_where(&mut self, mut which: impl FnMut(&K, &V) -> bool) -> BTreeMap<K, V> {
        let removed: BTreeMap<K, V> = self.entries.extract_if(.., |key, value| which(key, value)).collect();
        self.touched.extend(removed.keys().cloned());
        removed
    }

    /// The value of `key`, to be changed; a new one if there is none.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.touched.insert(key.clone());
        self.entries.entry(key).or_default()
    }

    /// Every value, to be changed.
    pub fn all_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.touched.extend(self.entries.keys().cloned());
        self.entries.iter_mut()
    }

    /// The entries, for changes that are taken back before anything is stored.
    pub fn untouched(&mut self) -> &mut BTreeMap<K, V> {
        &mut self.entries
    }
}

impl<K: Ord + Clone + Display, V> Stored<K, V> {
    /// Adds the rows of what was touched to `rows`, and forgets what was touched.
    pub fn take_rows(&mut self, kind: &'static str, rows: &mut Rows)
    where
        V: Serialize,
    {
        self.take_rows_of(kind, rows, |key, value| Row::of(kind, key, value));
    }

    /// The same with rows of another form; a value without a row stays as it is stored.
    pub fn take_rows_of(&mut self, kind: &'static str, rows: &mut Rows, row: impl Fn(&K, &V) -> Option<Row>) {
        for key in std::mem::take(&mut self.touched) {
            rows.add(|| match self.entries.get(&key) {
                Some(value) => row(&key, value),
                None => Some(Row::gone(kind, &key)),
            });
        }
    }
}

impl<K: Ord + Clone + FromStr, V: DeserializeOwned> Stored<K, V> {
    /// The map that was stored as these rows: keys and bodies.
    ///
    /// # Errors
    /// One line that names the row.
    pub fn read(kind: &str, rows: &mut StoredRows) -> Result<Self, String> {
        let entries = rows.take(kind).into_iter().map(|(key, body)| {
            let value = serde_json::from_str(&body).map_err(|error| format!("{kind} {key}: {error}"))?;
            let key = key.parse().map_err(|_| format!("{kind} {key}: no such key"))?;
            Ok((key, value))
        });
        Ok(Self { entries: entries.collect::<Result<_, String>>()?, touched: BTreeSet::new() })
    }
}

/// Rows that were stored, by kind: keys and bodies.
#[derive(Debug, Default)]
pub struct StoredRows(pub BTreeMap<String, Vec<(String, String)>>);

impl StoredRows {
    /// Takes the rows of `kind`.
    pub fn take(&mut self, kind: &str) -> Vec<(String, String)> {
        self.0.remove(kind).unwrap_or_default()
    }

    /// Takes the one row of `kind`.
    ///
    /// # Errors
    /// One line when it is not what it should be.
    pub fn take_one<T: DeserializeOwned>(&mut self, kind: &str) -> Result<Option<T>, String> {
        let found = self.take(kind).into_iter().next();
        found.map(|(_, body)| serde_json::from_str(&body).map_err(|error| format!("{kind}: {error}"))).transpose()
    }
}
