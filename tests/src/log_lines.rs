//! What a test's own thread logs.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::util::SubscriberInitExt;

/// Lines of the log; cheap to clone.
#[derive(Clone, Default)]
pub struct LogLines(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics in here").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogLines {
    /// Collects what this thread logs, until what it returns is dropped.
    pub fn collect(&self) -> impl Drop + use<> {
        // With a single dispatcher in the process, `tracing` asks the thread that first meets an event whether it is
        // wanted: that is another test's thread, which wants none. With two dispatchers it asks them.
        static SECOND: OnceLock<tracing::Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        subscriber.set_default()
    }

    /// What was logged since the last call.
    ///
    /// # Panics
    /// When it is no text.
    #[must_use]
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("no test panics in here"))).expect("text")
    }
}
