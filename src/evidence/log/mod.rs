//! The operation log: what was done about cases, by whom and when, as a chain of digests in the store.
//!
//! - [`Log::open`], [`Log::add`]: appends, in the same batch as the thing that is logged.
//! - [`entries_about`]: what was done to one subject; [`entries_after`]: what was done since.
//! - [`excerpt()`]: the entries about one subject, with what proves that they stand in the chain.
//! - [`check`]: walks the whole chain of a store.
//!
//! An entry is a line of JSON; its digest is that of the line's bytes. Link number n is the SHA-256 of three lines, each
//! ended by a line feed: link n − 1, the number n, and the digest of entry n, digests as hexadecimal digits. Link 0 is the
//! digest of the line `earwitness operation log`. Who knows the digests of all entries between two can walk from the link
//! of one to the link of the other without having seen what they say: other cases stay private. Each entry has a salt of its
//! own in its line, without which what it says could be guessed and compared with the digest.

mod excerpt;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard};

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

pub use excerpt::{Excerpt, Item, Run, excerpt};

use super::Error;
use crate::base::{Digest, Timestamp, lock};
use crate::store::{Batch, Record, Store};

/// The longest text of an entry, in bytes: a store's records are small, and as JSON within JSON a letter can take seven times
/// its room.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// 1, 2, 3 …
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What was done: `capture`, `case`, `decision`, `bundle`, `key` …
    pub what: String,
    /// What it was done to: a case's identifier, or a key's.
    pub subject: String,
    /// Who did it: a person's name, or `earwitness`.
    pub actor: String,
    /// The SHA-256 of what came of it, where it has one: a capture's, a bundle's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// 128 random bits in hexadecimal, so that nobody who is given the entry's digest alone can find out by trying what it
    /// says. Entries from before there were any have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub salt: String,
}

/// What is to be appended; number and place in the chain are the log's.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// See [`LogEntry::at`].
    pub at: Timestamp,
    /// See [`LogEntry::what`].
    pub what: &'a str,
    /// See [`LogEntry::subject`].
    pub subject: &'a str,
    /// See [`LogEntry::actor`].
    pub actor: &'a str,
    /// See [`LogEntry::sha256`].
    pub sha256: Option<Digest>,
    /// See [`LogEntry::note`]; shortened where it is very long.
    pub note: &'a str,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// The entry's number.
    pub number: u64,
    /// The entry as the line of JSON that is digested.
    pub entry: String,
    /// The link after it.
    pub link: Digest,
}

impl Record for LogRecord {
    const KIND: &'static str = "evidence_log";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        key_of(self.number)
    }
}

fn key_of(number: u64) -> String {
    format!("{number:020}")
}

/// Where the chain ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// The last entry's number; 0 before any.
    pub number: u64,
    /// The link after it.
    pub link: Digest,
}

impl Record for LogHead {
    const KIND: &'static str = "evidence_log_head";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        HEAD.to_owned()
    }
}

const HEAD: &str = "head";

/// That an entry is about a subject: finds a case's entries without reading the whole log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMention {
    /// The subject.
    pub subject: String,
    /// The entry's number.
    pub number: u64,
}

impl Record for LogMention {
    const KIND: &'static str = "evidence_log_mention";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        format!("{}{}", mentions_of(&self.subject), key_of(self.number))
    }
}

/// What the keys of a subject's mentions begin with. A long subject is cut to its digest, as keys are short.
fn mentions_of(subject: &str) -> String {
    let subject =
        if subject.len() > 200 { Digest::of(subject.as_bytes()).to_string() } else { subject.to_owned() };
    format!("{subject}\u{1f}")
}

/// Link 0.
fn first_link() -> Digest {
    Digest::of(b"earwitness operation log\n")
}

/// The link after entry number `number`, which has this digest.
#[must_use]
pub fn link(before: &Digest, number: u64, entry: &Digest) -> Digest {
    Digest::of(format!("{before}\n{number}\n{entry}\n").as_bytes())
}

/// Whoever appends is alone: a store belongs to one process, and in it to one thread at a time here.
static TURN: Mutex<()> = Mutex::new(());

/// The log of a store, open for appending by this thread alone.
pub struct Log {
    head: LogHead,
    _turn: MutexGuard<'static, ()>,
}

impl Log {
    /// Opens the log of `store`, waiting for others. Commit what was added before it is dropped, and do not open it twice
    /// in one thread.
    ///
    /// # Errors
    /// [`Error::Store`] when the store fails.
    pub fn open(store: &Store) -> Result<Self, Error> {
        // Whoever panicked has committed, or not: the head in the store is whole either way.
        let turn = lock(&TURN);
        Ok(Self { head: head(store)?, _turn: turn })
    }

    /// Appends an entry to `batch`; gives its number. It is in the log once the batch is committed.
    ///
    /// # Errors
    /// [`Error::Random`], [`Error::Json`], and [`Error::Store`] when the entry is too large.
    pub fn add(&mut self, batch: &mut Batch, new: &NewEntry<'_>) -> Result<u64, Error> {
        let NewEntry { at, what, subject, actor, sha256, note } = *new;
        let number = self.head.number + 1;
        let entry = LogEntry {
            number,
            at,
            what: what.to_owned(),
            subject: subject.to_owned(),
            actor: shortened(actor),
            sha256,
            note: shortened(note),
            salt: salt()?,
        };
        let text = line_of(&entry)?;
        let link = link(&self.head.link, number, &Digest::of(text.as_bytes()));
        batch.put(&LogRecord { number, entry: text, link })?;
        batch.put(&LogMention { subject: subject.to_owned(), number })?;
        self.head = LogHead { number, link };
        batch.put(&self.head)?;
        Ok(number)
    }
}

fn salt() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn shortened(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(TEXT_BYTES_MAX / 4).collect();
    short.push('…');
    short
}

fn line_of(entry: &LogEntry) -> Result<String, Error> {
    serde_json::to_string(entry)
        .map_err(|source| Error::Json { what: "an entry of the log".to_owned(), source })
}

/// Appends one entry that stands alone.
///
/// # Errors
/// As [`Log::open`] and [`Log::add`].
pub fn append(store: &Store, new: &NewEntry<'_>) -> Result<u64, Error> {
    let mut log = Log::open(store)?;
    let mut batch = Batch::new();
    let number = log.add(&mut batch, new)?;
    store.commit(batch)?;
    Ok(number)
}

/// Returns all entries about a subject, in their order.
///
/// # Errors
/// [`Error::Log`] where one is missing or damaged, [`Error::Store`] when the store fails.
pub fn entries_about(store: &Store, subject: &str) -> Result<Vec<LogEntry>, Error> {
    let mentions = store.scan::<LogMention>(&mentions_of(subject))?;
    let read = |mention: Result<LogMention, crate::store::Error>| {
        let number = mention?.number;
        let damaged = || Error::Log { number, what: "is missing from the store, or damaged".to_owned() };
        let record = store.get::<LogRecord>(&key_of(number))?.ok_or_else(damaged)?;
        serde_json::from_str(&record.entry).map_err(|_| damaged())
    };
    mentions.map(read).collect()
}

/// Returns the entries behind number `after` in their order, `most` of them at most.
///
/// # Errors
/// [`Error::Log`] where one is missing or damaged, [`Error::Store`] when the store fails.
pub fn entries_after(store: &Store, after: u64, most: usize) -> Result<Vec<LogEntry>, Error> {
    let records = store.scan_after::<LogRecord>("", &key_of(after))?;
    let read = |(record, number): (Result<LogRecord, crate::store::Error>, u64)| {
        let record = record?;
        let entry = serde_json::from_str::<LogEntry>(&record.entry).ok();
        entry
            .filter(|entry| entry.number == number)
            .ok_or_else(|| Error::Log { number, what: "is missing from the store, or damaged".to_owned() })
    };
    records.take(most).zip(after.saturating_add(1)..).map(read).collect()
}

/// Where the chain ends.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn head(store: &Store) -> Result<LogHead, Error> {
    Ok(store.get::<LogHead>(HEAD)?.unwrap_or_else(|| LogHead { number: 0, link: first_link() }))
}

/// Walks the whole log of a store; gives where it ends.
///
/// # Errors
/// [`Error::Log`] with the first entry that does not fit; [`Error::Store`] when the store fails.
pub fn check(store: &Store) -> Result<LogHead, Error> {
    let mut at = LogHead { number: 0, link: first_link() };
    for record in store.scan::<LogRecord>("")? {
        let record = record?;
        let number = at.number + 1;
        if record.number != number {
            return Err(Error::Log { number, what: "is missing".to_owned() });
        }
        let entry: Result<LogEntry, _> = serde_json::from_str(&record.entry);
        if entry.map_or(true, |entry| entry.number != number) {
            return Err(Error::Log { number, what: "is no entry of this number".to_owned() });
        }
        if record.link != link(&at.link, number, &Digest::of(record.entry.as_bytes())) {
            return Err(Error::Log {
                number,
                what: "its link does not follow from it and the one before".to_owned(),
            });
        }
        at = LogHead { number, link: record.link };
    }
    let head = head(store)?;
    if head == at { Ok(at) } else { Err(Error::Log { number: at.number + 1, what: "is missing".to_owned() }) }
}
