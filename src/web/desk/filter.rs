//! Which cases are asked for, and in which order.

use super::asked::words;
use super::rows::Row;
use crate::base::Timestamp;
use crate::cases::State;

/// What cases are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::web) enum Sort {
    /// When the case was opened.
    Created,
    /// How sure the match is; the surest have the lowest figure.
    Significance,
    /// When the next period ends.
    Due,
    /// When the file was last seen.
    Seen,
}

impl Sort {
    pub(in crate::web) const ALL: [Self; 4] = [Self::Created, Self::Significance, Self::Due, Self::Seen];

    pub(in crate::web) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Significance => "significance",
            Self::Due => "due",
            Self::Seen => "seen",
        }
    }
}

/// An order; the other way round where descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) struct Order {
    pub(in crate::web) sort: Sort,
    pub(in crate::web) is_descending: bool,
}

impl Default for Order {
    /// The surest first: they are decided quickest.
    fn default() -> Self {
        Self { sort: Sort::Significance, is_descending: false }
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.is_descending { "-" } else { "" };
        write!(f, "{sign}{}", self.sort.as_str())
    }
}

impl std::str::FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (is_descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let sort = Sort::ALL.into_iter().find(|sort| sort.as_str() == name).ok_or_else(|| {
            let known = Sort::ALL.map(Sort::as_str).join(", ");
            format!("sort: it is one of {known}, with `-` before it for the other way round")
        })?;
        Ok(Self { sort, is_descending })
    }
}

/// Which cases are asked for; what is empty asks for all.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::web) struct Filter {
    /// In one of these states.
    pub(in crate::web) states: Vec<State>,
    /// At this operator.
    pub(in crate::web) operator: Option<String>,
    /// Judged for this territory.
    pub(in crate::web) territory: Option<String>,
    /// About this recording.
    pub(in crate::web) recording_id: Option<String>,
    /// At least this sure: the base-10 logarithm of the chance is at most this.
    pub(in crate::web) log10_max: Option<f64>,
    /// Opened at this instant or later.
    pub(in crate::web) created_from: Option<Timestamp>,
    /// Opened before this instant.
    pub(in crate::web) created_before: Option<Timestamp>,
    /// With a period that ends before this instant.
    pub(in crate::web) due_before: Option<Timestamp>,
    /// With licence data asked for.
    pub(in crate::web) is_asked: bool,
    /// Words that identifier, title, operator or recording hold, each of them; lower case.
    pub(in crate::web) words: Vec<String>,
}

impl Filter {
    /// Reads a filter from named values, as they stand in an address; names that are none of its own are left aside.
    ///
    /// # Errors
    /// Which value is wrong, and how it is written.
    pub(in crate::web) fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        let mut filter = Self::default();
        for (name, value) in pairs {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let instant = || -> Result<Timestamp, String> {
                value.parse().or_else(|_| format!("{value}T00:00:00Z").parse()).map_err(|_| {
                    format!("{name}: an instant is written 2026-03-02T10:00:00Z, or as a date alone")
                })
            };
            match name {
                "state" => {
                    for state in value.split(',') {
                        filter.states.push(state.parse().map_err(|error| format!("state: {error}"))?);
                    }
                }
                "operator" => filter.operator = Some(value.to_lowercase()),
                "territory" => filter.territory = Some(value.to_uppercase()),
                "recording" => filter.recording_id = Some(value.to_owned()),
                "log10_max" => {
                    let number: f64 =
                        value.parse().map_err(|_| "log10_max: a number such as -12".to_owned())?;
                    filter.log10_max = Some(number).filter(|number| number.is_finite());
                }
                "created_from" => filter.created_from = Some(instant()?),
                "created_before" => filter.created_before = Some(instant()?),
                "due_before" => filter.due_before = Some(instant()?),
                "asked" => filter.is_asked = value == "yes",
                "q" => filter.words = words(value),
                _ => {}
            }
        }
        filter.states.sort_unstable();
        filter.states.dedup();
        Ok(filter)
    }

    /// As it stands in an address.
    pub(in crate::web) fn pairs(&self) -> Vec<(&'static str, String)> {
        let states = self.states.iter().map(|state| ("state", state.as_str().to_owned()));
        let words = Some(self.words.join(" ")).filter(|words| !words.is_empty());
        let one = |name, value: Option<String>| value.map(|value| (name, value));
        states
            .chain(one("operator", self.operator.clone()))
            .chain(one("territory", self.territory.clone()))
            .chain(one("recording", self.recording_id.clone()))
            .chain(one("log10_max", self.log10_max.map(|number| number.to_string())))
            .chain(one("created_from", self.created_from.map(|at| at.to_string())))
            .chain(one("created_before", self.created_before.map(|at| at.to_string())))
            .chain(one("due_before", self.due_before.map(|at| at.to_string())))
            .chain(one("asked", self.is_asked.then(|| "yes".to_owned())))
            .chain(one("q", words))
            .collect()
    }

    pub(super) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn fits(&self, row: &Row) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        (self.states.is_empty() || self.states.contains(&row.state))
            && same(&self.operator, &row.operator)
            && self.territory.as_deref().is_none_or(|wanted| row.territory.as_deref() == Some(wanted))
            && same(&self.recording_id, &row.recording_id)
            && self.log10_max.is_none_or(|most| row.log10_false_match.is_some_and(|log10| log10 <= most))
            && self.created_from.is_none_or(|from| row.created_at >= from)
            && self.created_before.is_none_or(|before| row.created_at < before)
            && self.due_before.is_none_or(|before| row.due_at.is_some_and(|at| at < before))
            && (!self.is_asked || row.asked_at.is_some())
            && self.words.iter().all(|word| row.words.contains(word.as_str()))
    }
}
