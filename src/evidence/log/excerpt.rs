//! The entries about one subject, and the proof of their places in the chain.

use serde::{Deserialize, Serialize};

use super::{Error, LogEntry, LogMention, LogRecord, first_link, key_of, link, mentions_of};
use crate::base::{Digest, without_credentials};
use crate::store::Store;

/// So many entries of others are bridged by their digests alone; beyond, the excerpt goes on in a new run.
const BRIDGED_MAX: u64 = 50_000;

/// The most entries about one subject that an excerpt holds: the newest.
const OWN_MAX: usize = 10_000;

/// The entries about a subject, as runs that are each whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// Runs of the log, in its order. One, but where very much lies between two entries.
    pub runs: Vec<Run>,
}

/// A stretch of the log without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The number of its first entry.
    pub first: u64,
    /// The link before that.
    pub before: Digest,
    /// Its entries in order.
    pub items: Vec<Item>,
    /// The link after its last entry.
    pub after: Digest,
}

/// One entry of a run: what it says, or its digest alone where it is about something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Item {
    /// The line of JSON, byte for byte.
    Entry(String),
    /// The digest of a line.
    Sha256(Digest),
}

impl Excerpt {
    /// Returns the excerpt with what persons entered, and what names a password or a token, by its digest alone; the chain holds as
    /// before.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        let is_of_program = |line: &str| {
            serde_json::from_str::<LogEntry>(line).is_ok_and(|entry| entry.actor == "earwitness")
        };
        for item in self.runs.iter_mut().flat_map(|run| &mut run.items) {
            if let Item::Entry(line) = item
                && !(is_of_program(line) && without_credentials(line) == *line)
            {
                *item = Item::Sha256(Digest::of(line.as_bytes()));
            }
        }
        self
    }

    /// Walks the runs from link to link; gives the entries in order.
    ///
    /// # Errors
    /// What does not fit, with the entry's number.
    pub fn walk(&self) -> Result<Vec<LogEntry>, String> {
        let (mut entries, mut next) = (Vec::new(), 1);
        for run in &self.runs {
            if run.first < next {
                return Err(format!("entry {}: its run is out of order", run.first));
            }
            if run.first == 1 && run.before != first_link() {
                return Err("entry 1: the chain does not begin where every log begins".to_owned());
            }
            next = run.walk(&mut entries)?;
        }
        Ok(entries)
    }
}

impl Run {
    fn walk(&self, entries: &mut Vec<LogEntry>) -> Result<u64, String> {
        let (mut number, mut at) = (self.first, self.before);
        for item in &self.items {
            let digest = match item {
                Item::Sha256(digest) => *digest,
                Item::Entry(line) => {
                    let entry: LogEntry =
                        serde_json::from_str(line).map_err(|error| format!("entry {number}: {error}"))?;
                    if entry.number != number {
                        return Err(format!("entry {number}: it says that it is number {}", entry.number));
                    }
                    entries.push(entry);
                    Digest::of(line.as_bytes())
                }
            };
            at = link(&at, number, &digest);
            number = number.checked_add(1).ok_or("the numbers of the log run out")?;
        }
        if at == self.after {
            Ok(number)
        } else {
            Err(format!("entry {}: the chain of digests does not lead to the link told for it", number - 1))
        }
    }
}

/// Returns the entries about `subject` with their proof.
///
/// # Errors
/// [`Error::Log`] where an entry is missing, [`Error::Store`] when the store fails.
pub fn excerpt(store: &Store, subject: &str) -> Result<Excerpt, Error> {
    let mentions = store.scan::<LogMention>(&mentions_of(subject))?;
    let mut own = mentions.map(|mention| Ok(mention?.number)).collect::<Result<Vec<u64>, Error>>()?;
    own.drain(..own.len().saturating_sub(OWN_MAX));
    let mut runs: Vec<Run> = Vec::new();
    let mut bridged = 0;
    for number in own {
        let gap = runs.last().map(|run| number - (run.first + run.items.len() as u64));
        match gap.filter(|gap| bridged + gap <= BRIDGED_MAX) {
            Some(gap) => bridged += gap,
            None => runs.push(begin(store, number)?),
        }
        if let Some(run) = runs.last_mut() {
            extend(store, run, number)?;
        }
    }
    Ok(Excerpt { runs })
}

fn begin(store: &Store, first: u64) -> Result<Run, Error> {
    let before = if first == 1 { first_link() } else { record(store, first - 1)?.link };
    Ok(Run { first, before, items: Vec::new(), after: before })
}

/// Adds the digests of what lies between, and entry `number` itself.
fn extend(store: &Store, run: &mut Run, number: u64) -> Result<(), Error> {
    for between in run.first + run.items.len() as u64..number {
        let digest = Digest::of(record(store, between)?.entry.as_bytes());
        run.items.push(Item::Sha256(digest));
    }
    let record = record(store, number)?;
    run.items.push(Item::Entry(record.entry));
    run.after = record.link;
    Ok(())
}

fn record(store: &Store, number: u64) -> Result<LogRecord, Error> {
    let missing = || Error::Log { number, what: "is missing from the store".to_owned() };
    store.get::<LogRecord>(&key_of(number))?.ok_or_else(missing)
}
