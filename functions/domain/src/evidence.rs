//! What is kept of what was seen of a failure: short lines, and little enough of them in all for the record (a DynamoDB
//! item has at most 400 KB, docs/aws.md#dynamodb). Where evidence comes from is in `functions/worker/src/evidence.rs`; what
//! follows from it, in `causes`.

use crate::environment::Evidence;

/// The most that one entry holds, in bytes.
const ENTRY: usize = 600;
/// The most that one line of a program's log holds, in bytes.
const LOG_LINE: usize = 300;
/// The most that all entries of one failure hold, in bytes.
const ALL: usize = 16_000;
/// How an entry begins whose source could not be read.
const UNREAD: &str = "could not be read: ";

/// A program's own words, and AWS's, are told apart by this source.
pub(crate) const LOG: &str = "log";

impl Evidence {
    /// `detail` as it was seen at `source`, cut to what is kept.
    #[must_use]
    pub fn new(source: &str, detail: impl Into<String>) -> Self {
        Self { source: source.to_owned(), detail: cut(detail.into(), ENTRY) }
    }

    /// A line that `container` wrote.
    #[must_use]
    pub fn log_line(container: &str, line: &str) -> Self {
        Self { source: LOG.to_owned(), detail: cut(format!("container {container}: {line}"), LOG_LINE) }
    }

    /// What stands at `source` could not be read.
    #[must_use]
    pub fn unread(source: &str, why: &str) -> Self {
        Self::new(source, format!("{UNREAD}{why}"))
    }

    /// Whether its source could be read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        !self.detail.starts_with(UNREAD)
    }

    fn size(&self) -> usize {
        self.source.len() + self.detail.len()
    }
}

/// `evidence`, cut to what a record may hold: the oldest lines of logs go first, then what stands last. That something
/// was left out is said.
#[must_use]
pub fn bounded(mut evidence: Vec<Evidence>) -> Vec<Evidence> {
    let mut size: usize = evidence.iter().map(Evidence::size).sum();
    let mut left_out = 0;
    while size > ALL && !evidence.is_empty() {
        let oldest = evidence.iter().position(|entry| entry.source == LOG).unwrap_or(evidence.len() - 1);
        size -= evidence.remove(oldest).size();
        left_out += 1;
    }
    if left_out > 0 {
        evidence.push(Evidence::new("evidence", format!("{left_out} more entries were seen than are kept")));
    }
    evidence
}

/// At most `limit` bytes of `text`, cut between two characters.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit.saturating_sub('…'.len_utf8())));
        text.push('…');
    }
    text
}
