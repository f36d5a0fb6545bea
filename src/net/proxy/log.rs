//! What went through the proxy and what did not.

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A connection stood.
    Passed,
    /// A rule forbids it; says which.
    Refused(String),
    /// It was allowed, but no connection came about; says why.
    Failed(String),
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What for: a URL, or `https://host:port/` for a tunnel, whose inside is not seen.
    pub target: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was asked of a proxy, in order.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The requests.
    pub asked: Vec<Asked>,
    /// Requests that were left out of the list for its length.
    pub left_out: u64,
}

/// Entries of a log that has not been taken. A page of a thousand requests is a very busy one.
const ENTRIES_MAX: usize = 2000;

/// Characters of a target or a reason that are kept.
const TEXT_CHARS_MAX: usize = 2000;

impl Log {
    pub(super) fn add(&mut self, target: &str, outcome: Outcome) {
        if self.asked.len() >= ENTRIES_MAX {
            self.left_out += 1;
            return;
        }
        self.asked.push(Asked { target: target.chars().take(TEXT_CHARS_MAX).collect(), outcome });
    }

    /// Returns the targets that were refused, with the reason.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &str)> {
        self.asked.iter().filter_map(|asked| match &asked.outcome {
            Outcome::Refused(why) => Some((asked.target.as_str(), why.as_str())),
            Outcome::Passed | Outcome::Failed(_) => None,
        })
    }
}
