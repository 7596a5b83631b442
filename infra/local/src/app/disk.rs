//! The state that survives a restart: one SQLite file with the stand-in's account and the executions, beside DynamoDB's
//! own file.
//!
//! A document is written before the caller sees the reply to its change, so that `kill -9` loses no change that was
//! acknowledged.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder of `--data`; cheap to clone.
#[derive(Clone)]
pub struct Disk {
    folder: PathBuf,
    documents: Arc<Mutex<Connection>>,
}

impl Disk {
    /// Opens the folder, and creates it if it is missing.
    ///
    /// # Errors
    /// One line that says what cannot be done with which file.
    pub fn open(folder: &Path) -> Result<Self, String> {
        // Only the owner may read it: it contains the key that signs tokens.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))?;
        let file = folder.join("cloud.sqlite");
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(&file)?;
            connection.busy_timeout(Duration::ZERO)?;
            // In a folder that existed before, other users could read the file. Failure is ignored: a file system
            // without modes has no other users.
            let _ = std::fs::set_permissions(&file, Permissions::from_mode(0o600));
            // One process at a time: a second berth-local on the same folder fails here instead of mixing states.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection
                .execute("CREATE TABLE IF NOT EXISTS document (name TEXT PRIMARY KEY, body TEXT NOT NULL)", [])?;
            connection.execute("INSERT OR REPLACE INTO document VALUES ('opened', '')", [])?;
            Ok(connection)
        };
        let connection = open().map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy) => {
                format!(
                    "{} is in use by another berth-local; stop it, or choose another folder with --data",
                    file.display()
                )
            }
            _ => format!("cannot write {}: {error}", file.display()),
        })?;
        Ok(Self { folder: folder.to_owned(), documents: Arc::new(Mutex::new(connection)) })
    }

    /// The path of DynamoDB's file.
    #[must_use]
    pub fn table_file(&self) -> PathBuf {
        self.folder.join("table.sqlite")
    }

    /// Reads the document `name`.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        let connection = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let body: Option<String> = connection
            .query_row("SELECT body FROM document WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|error| format!("cannot read {name} from {}: {error}", self.folder.display()))?;
        let understood = body.map(|body| serde_json::from_str(&body)).transpose();
        understood.map_err(|error| {
            format!(
                "{name} in {} is from another version of berth-local ({error}); delete the folder",
                self.folder.display()
            )
        })
    }

    /// A writer of the document `name`. It writes only when the document has changed.
    ///
    /// The change has already happened in memory, so an error of the disk is logged, not returned.
    pub fn writer<T: Serialize>(&self, name: &'static str) -> Box<dyn Fn(&T) + Send + Sync> {
        let documents = Arc::clone(&self.documents);
        let last = Mutex::new(String::new());
        Box::new(move |document| {
            let body = match serde_json::to_string(document) {
                Ok(body) => body,
                Err(error) => return tracing::error!(name, %error, "cannot be written as JSON"),
            };
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if *last == body {
                return;
            }
            let connection = documents.lock().unwrap_or_else(PoisonError::into_inner);
            match connection.execute("INSERT OR REPLACE INTO document VALUES (?1, ?2)", params![name, body]) {
                Ok(_) => *last = body,
                Err(error) => tracing::error!(name, %error, "cannot be kept"),
            }
        })
    }
}
