//! How many of a batch of accusations are to be expected to be wrong.
//!
//! A match's `log10_false_match` is the probability that *one* file that holds nothing of the catalogue reaches its score
//! against the whole catalogue, so that the catalogue's size is in it already. What is not in it is how many files were
//! listened to: of a million strangers, one reaches a score of −6 by chance. So a case as sure as `p` stands for at most
//! `heard × p` strangers that would look like it, and at most for one wrong accusation; a batch, for the sum over its cases.
//!
//! That is an upper bound: it takes every file that was heard for a stranger, and counts the room above a very sure case
//! again for each less sure one. What it does not see are errors that are no chance: a catalogue that lists another's
//! recording, the same audio under two titles, a licence that nobody recorded. People look for those when they approve.

use serde::{Deserialize, Serialize};

use super::case::Case;
use crate::store::{Error, Record, Store};

/// How many files this store's owner has listened to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardCount {
    /// Files of sites that were decoded and matched, each time that they were.
    pub files: u64,
}

impl Record for HeardCount {
    const KIND: &'static str = "heard";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        KEY.to_owned()
    }
}

const KEY: &str = "files";

/// Counts one more file that was listened to; the caller sees to it that nobody else counts at the same time.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn count_heard(store: &Store) -> Result<(), Error> {
    let HeardCount { files } = store.get::<HeardCount>(KEY)?.unwrap_or_default();
    store.put(&HeardCount { files: files.saturating_add(1) })
}

/// Returns how many files were listened to.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn heard(store: &Store) -> Result<u64, Error> {
    Ok(store.get::<HeardCount>(KEY)?.unwrap_or_default().files)
}

/// What is to be expected of a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpectedWrong {
    /// How many accusations are in it.
    pub cases: usize,
    /// How many files were listened to, at least as many as there are cases.
    pub heard: u64,
    /// How many are to be expected to be wrong, at most.
    pub expected: f64,
    /// The least sure cases with what each adds, the worst first; ten at most.
    pub worst: Vec<(String, f64)>,
}

/// Returns an upper bound on how many of `cases` are to be expected to accuse wrongly by chance, where `heard` files were
/// listened to. A case without a match counts as one.
#[must_use]
pub fn expected_wrong(cases: &[Case], heard: u64) -> f64 {
    expected_wrong_of(cases, heard).expected
}

/// As [`expected_wrong`], with what a person needs to act on it.
#[must_use]
pub fn expected_wrong_of(cases: &[Case], heard: u64) -> ExpectedWrong {
    let heard = heard.max(cases.len() as u64);
    let mut worst: Vec<(String, f64)> =
        cases.iter().map(|case| (case.case_id.clone(), wrong_of(case, heard))).collect();
    // The sum of nothing would be -0.
    let expected = worst.iter().fold(0.0, |sum, (_, wrong)| sum + wrong);
    worst.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    worst.truncate(10);
    ExpectedWrong { cases: cases.len(), heard, expected, worst }
}

fn wrong_of(case: &Case, heard: u64) -> f64 {
    let log10 = case.log10_false_match().filter(|log10| log10.is_finite());
    log10.map_or(1.0, |log10| (heard as f64 * 10_f64.powf(log10)).min(1.0))
}
