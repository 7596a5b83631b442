//! The state that survives a restart: one SQLite file with a row for each thing of the stand-in's account and each execution,
//! beside DynamoDB's own file.
//!
//! Rows are written before the caller sees the reply to its change, so that `kill -9` loses no change that was acknowledged.
//! A row whose text is still the same is not written.

use std::collections::{BTreeMap, HashMap};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use serde::de::DeserializeOwned;

use crate::stored::{Row, StoredRows};

/// The version of the rows. Files of another version are refused.
const VERSION: i64 = 2;

/// The folder of `--data`; cheap to clone.
#[derive(Clone)]
pub struct Disk {
    folder: PathBuf,
    file: Arc<Mutex<File>>,
}

/// The open file of rows.
struct File {
    path: PathBuf,
    connection: Connection,
    hasher: RandomState,
    /// A hash of each row's text as it stands in the file.
    written: HashMap<(String, String), u64>,
    /// What could not be written yet.
    unwritten: BTreeMap<(&'static str, String), Option<String>>,
}

impl Disk {
    /// Opens the folder, and creates it if it is missing.
    ///
    /// # Errors
    /// One line that names the file, says what cannot be done with it, and what to do.
    pub fn open(folder: &Path) -> Result<Self, String> {
        // Only the owner may read it: it contains the key that signs tokens.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| format!("cannot create the folder {}: {error}; {}", folder.display(), remedy(&error)))?;
        let path = folder.join("cloud.sqlite");
        for file in [&path, &table_file(folder)] {
            create_private(file)?;
        }
        let connection = open(&path).map_err(|error| sqlite_trouble(&path, &error))?;
        let file =
            File { path, connection, hasher: RandomState::new(), written: HashMap::new(), unwritten: BTreeMap::new() };
        Ok(Self { folder: folder.to_owned(), file: Arc::new(Mutex::new(file)) })
    }

    /// The path of DynamoDB's file.
    #[must_use]
    pub fn table_file(&self) -> PathBuf {
        table_file(&self.folder)
    }

    /// Reads every row, by kind.
    ///
    /// # Errors
    /// One line that names the file and says what to do.
    pub fn read(&self) -> Result<StoredRows, String> {
        let mut file = self.file();
        file.read().map_err(|error| sqlite_trouble(&file.path, &error))
    }

    /// Reads the one row of `kind`.
    ///
    /// # Errors
    /// One line that names the file and says what to do.
    pub fn read_one<T: DeserializeOwned>(&self, kind: &str) -> Result<Option<T>, String> {
        let file = self.file();
        let body =
            file.connection.query_row("SELECT body FROM thing WHERE kind = ?1 AND key = ''", [kind], |row| row.get(0));
        let body: Option<String> = body.optional().map_err(|error| sqlite_trouble(&file.path, &error))?;
        drop(file);
        let read = body.map(|body| serde_json::from_str(&body)).transpose();
        self.explain(read.map_err(|error| format!("{kind}: {error}")))
    }

    /// Passes on what was read of the rows; of an error it says which file it concerns, and what to do.
    ///
    /// # Errors
    /// One line that names the file and says what to do.
    pub fn explain<T>(&self, read: Result<T, String>) -> Result<T, String> {
        let path = self.file().path.display().to_string();
        read.map_err(|what| {
            format!("{path} is not what this version of berth-local writes ({what}); start with another folder (--data DIR), or delete this one")
        })
    }

    /// Writes rows in one transaction.
    ///
    /// The change has already happened in memory, so an error of the disk is logged, not returned: once, until writing works
    /// again. What could not be written is written with the next rows.
    pub fn write(&self, rows: Vec<Row>) {
        self.file().write(rows);
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl File {
    fn read(&mut self) -> rusqlite::Result<StoredRows> {
        let mut statement = self.connection.prepare("SELECT kind, key, body FROM thing ORDER BY kind, key")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut stored = StoredRows::default();
        for row in rows {
            let (kind, key, body): (String, String, String) = row?;
            self.written.insert((kind.clone(), key.clone()), self.hasher.hash_one(&body));
            stored.0.entry(kind).or_default().push((key, body));
        }
        Ok(stored)
    }

    fn write(&mut self, rows: Vec<Row>) {
        let failed_before = !self.unwritten.is_empty();
        self.unwritten.extend(rows.into_iter().map(|Row { kind, key, body }| ((kind, key), body)));
        let (hasher, written) = (&self.hasher, &self.written);
        self.unwritten.retain(|(kind, key), body| {
            let there = written.get(&((*kind).to_owned(), key.clone())).copied();
            there != body.as_ref().map(|body| hasher.hash_one(body))
        });
        if self.unwritten.is_empty() {
            return;
        }
        tracing::trace!(rows = ?self.unwritten.keys(), "written");
        match self.write_all() {
            Ok(()) => {
                for ((kind, key), body) in std::mem::take(&mut self.unwritten) {
                    match body {
                        Some(body) => self.written.insert((kind.to_owned(), key), self.hasher.hash_one(&body)),
                        None => self.written.remove(&(kind.to_owned(), key)),
                    };
                }
                if failed_before {
                    tracing::warn!(file = %self.path.display(), "everything is stored again");
                }
            }
            Err(error) if !failed_before => {
                let what = sqlite_trouble(&self.path, &error);
                tracing::error!("{what}. Until then, what changes is lost when this process ends");
            }
            Err(_) => {}
        }
    }

    fn write_all(&mut self) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for ((kind, key), body) in &self.unwritten {
            match body {
                Some(body) => transaction
                    .prepare_cached("INSERT OR REPLACE INTO thing VALUES (?1, ?2, ?3)")?
                    .execute(params![kind, key, body])?,
                None => transaction
                    .prepare_cached("DELETE FROM thing WHERE kind = ?1 AND key = ?2")?
                    .execute(params![kind, key])?,
            };
        }
        transaction.commit()
    }
}

fn table_file(folder: &Path) -> PathBuf {
    folder.join("table.sqlite")
}

/// Creates `file` so that only its owner may read it, also in a folder that others may read. SQLite gives its other files the
/// same mode.
fn create_private(file: &Path) -> Result<(), String> {
    let trouble = |error: &std::io::Error| format!("cannot write {}: {error}; {}", file.display(), remedy(error));
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    opened.map_err(|error| trouble(&error))?;
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).map_err(|error| trouble(&error))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::ZERO)?;
    // One process at a time: a second berth-local on the same folder fails here instead of mixing states.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        connection.execute_batch(&format!(
            "BEGIN;
             CREATE TABLE thing (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
             PRAGMA user_version = {VERSION};
             COMMIT;"
        ))?;
    }
    // Takes the lock.
    connection.execute("INSERT OR REPLACE INTO thing VALUES ('opened', '', '')", [])?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match version {
        VERSION => Ok(connection),
        _ => Err(rusqlite::Error::IntegralValueOutOfRange(0, version)),
    }
}

/// What is wrong with the SQLite file at `path`, and what to do.
pub(super) fn sqlite_trouble(path: &Path, error: &rusqlite::Error) -> String {
    let path = path.display();
    let other = "start with another folder (--data DIR), or delete this one";
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => {
            format!("{path} is in use by another berth-local; stop it, or choose another folder with --data")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => format!("{path} is damaged ({error}); {other}"),
        Some(ErrorCode::DiskFull) => format!("{path} cannot be written, because the disk is full; free some space"),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            format!(
                "{path} cannot be written ({error}); make the folder writable for you, or choose another with --data"
            )
        }
        Some(ErrorCode::SystemIoFailure) => {
            format!("{path} cannot be read or written ({error}); check the disk and its free space")
        }
        Some(ErrorCode::Unknown) | None => format!("{path} is from another version of berth-local ({error}); {other}"),
        Some(_) => format!("{path} cannot be used ({error}); {other}"),
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull => "free some space",
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => "name a folder with --data",
        _ => "make it writable for you, or choose another folder with --data",
    }
}
