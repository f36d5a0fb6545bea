//! What the law gives whom how long: forums, forms, and the clocks that a notice sets running.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::calendar::{Calendars, Ends, Region};
use crate::base::Timestamp;

/// Under which law a notice is sent: which clocks it sets running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forum {
    /// China, a provider of storage, search or links: Regulation on the Protection of the Right to Network Dissemination of
    /// Information, Arts. 14 to 17; Civil Code, Arts. 1195 and 1196.
    Cn,
    /// China, a provider to whom one of the NCAC's sector notices gives 24 hours.
    CnSector,
    /// China, an e-commerce platform: E-Commerce Law, Arts. 42 and 43.
    CnEcommerce,
    /// The United States: 17 U.S.C. 512.
    Us,
    /// The European Union: Digital Services Act, Art. 16.
    Eu,
    /// Japan: Information Distribution Platform Act and its guidelines.
    Jp,
}

/// Which form a notice has.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The model form of the National Copyright Administration of China.
    Ncac,
    /// A complaint to a Chinese copyright authority.
    Complaint,
    /// 17 U.S.C. 512(c)(3).
    Dmca,
    /// Digital Services Act, Art. 16.
    Dsa,
    /// Form A of the Japanese guidelines.
    Japan,
    /// Automated Copyright Notice System 2.0.
    Acns,
    /// A record for the Lumen database; tells of a notice and is none.
    Lumen,
    /// Google's text for many addresses at once.
    Google,
}

macro_rules! words {
    ($of:ident: $($variant:ident $word:literal),+) => {
        impl $of {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word used in JSON, tables and arguments.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $of {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $of {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let word = text.trim().to_lowercase();
                Self::ALL.iter().copied().find(|one| one.as_str() == word).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    format!("`{}` is none of {}", text.chars().take(40).collect::<String>(), known.join(", "))
                })
            }
        }
    };
}

words!(Forum: Cn "cn", CnSector "cn-sector", CnEcommerce "cn-ecommerce", Us "us", Eu "eu", Jp "jp");
words!(Form: Ncac "ncac", Complaint "complaint", Dmca "dmca", Dsa "dsa", Japan "japan", Acns "acns",
    Lumen "lumen", Google "google");

impl Form {
    /// Returns the forum that the form is made for.
    #[must_use]
    pub const fn forum(self) -> Forum {
        match self {
            Self::Ncac | Self::Complaint => Forum::Cn,
            Self::Dmca | Self::Acns | Self::Google | Self::Lumen => Forum::Us,
            Self::Dsa => Forum::Eu,
            Self::Japan => Forum::Jp,
        }
    }

    /// Returns what a document of this form is for; `None` for one that asks nothing of anybody, which is not recorded as a
    /// notice.
    #[must_use]
    pub const fn purpose(self) -> Option<Purpose> {
        match self {
            Self::Lumen => None,
            Self::Complaint => Some(Purpose::Complaint),
            _ => Some(Purpose::Takedown),
        }
    }
}

/// What a notice asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// That a provider take something down, or no longer link to it.
    Takedown,
    /// That an authority act.
    Complaint,
}

/// Who has to act while a clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owes {
    /// The provider.
    Provider,
    /// The right holder.
    Us,
}

/// What sets a clock running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Starts {
    /// The notice was sent.
    Sent,
    /// A counter-notice arrived.
    Countered,
}

/// How long a clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Hours by the clock.
    Hours(i64),
    /// Calendar days. For a provider they end on a working day, for us on the day itself: nobody is accused too early, and
    /// we are never too late.
    Days(u32),
    /// Working days of the forum's calendar.
    WorkingDays(u32),
}

/// One period of the law.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// What is to happen before it ends.
    pub what: &'static str,
    /// Who has to act.
    pub owes: Owes,
    /// What sets it running.
    pub starts: Starts,
    /// How long it runs.
    pub length: Length,
    /// Whether the law names this length. Otherwise it is this program's own measure of an indefinite term ("in time",
    /// "expeditiously"), after which the provider is looked at again.
    pub is_fixed: bool,
    /// Where it stands.
    pub source: &'static str,
}

const TAKE_DOWN: &str = "the provider takes it down";
const PROVE_SUIT: &str = "the provider has proof of a complaint or suit from us";

const fn take_down(length: Length, is_fixed: bool, source: &'static str) -> Term {
    Term { what: TAKE_DOWN, owes: Owes::Provider, starts: Starts::Sent, length, is_fixed, source }
}

const fn after_counter(
    what: &'static str,
    owes: Owes,
    length: Length,
    is_fixed: bool,
    source: &'static str,
) -> Term {
    Term { what, owes, starts: Starts::Countered, length, is_fixed, source }
}

const CIVIL_CODE_1196: Term = after_counter(
    PROVE_SUIT,
    Owes::Us,
    Length::WorkingDays(20),
    false,
    "Civil Code Art. 1196 (reasonable period); SPC Reply Fa Shi [2020] 9, no. 3 (at most 20 working days)",
);

const CN: &[Term] = &[
    take_down(
        Length::WorkingDays(5),
        false,
        "Regulation Art. 15 (immediately), Civil Code Art. 1195 (in time); five working days are our own measure",
    ),
    CIVIL_CODE_1196,
];

const CN_SECTOR: &[Term] = &[
    take_down(
        Length::Hours(24),
        true,
        "the NCAC's sector notices (online literature 2016, net disks 2015): 24 hours",
    ),
    CIVIL_CODE_1196,
];

const CN_ECOMMERCE: &[Term] = &[
    take_down(
        Length::WorkingDays(5),
        false,
        "E-Commerce Law Art. 42 (in time); five working days are our own measure",
    ),
    after_counter(PROVE_SUIT, Owes::Us, Length::Days(15), true, "E-Commerce Law Art. 43 (15 days)"),
];

const US: &[Term] = &[
    take_down(
        Length::WorkingDays(5),
        false,
        "17 U.S.C. 512(c)(1)(C) (expeditiously); five business days are our own measure",
    ),
    after_counter(
        "the provider's agent has notice of an action that we filed",
        Owes::Us,
        // On the tenth day the provider may restore already.
        Length::WorkingDays(9),
        true,
        "17 U.S.C. 512(g)(2)(C): restored not less than 10 business days after the counter-notice",
    ),
    after_counter(
        "the provider restores it, unless we filed an action",
        Owes::Provider,
        Length::WorkingDays(14),
        true,
        "17 U.S.C. 512(g)(2)(C): not more than 14 business days after the counter-notice",
    ),
];

const EU: &[Term] = &[take_down(
    Length::WorkingDays(5),
    false,
    "DSA Art. 16(6) (timely, diligent); five working days are our own measure",
)];

const JP: &[Term] = &[take_down(
    Length::Days(7),
    true,
    "the provider asks the sender first, who has seven days to object; to be confirmed by counsel",
)];

impl Forum {
    /// Returns the periods that a notice to take something down sets running.
    #[must_use]
    pub const fn terms(self) -> &'static [Term] {
        match self {
            Self::Cn => CN,
            Self::CnSector => CN_SECTOR,
            Self::CnEcommerce => CN_ECOMMERCE,
            Self::Us => US,
            Self::Eu => EU,
            Self::Jp => JP,
        }
    }

    /// Returns whose calendar counts.
    #[must_use]
    pub const fn region(self) -> Region {
        match self {
            Self::Cn | Self::CnSector | Self::CnEcommerce => Region::Cn,
            Self::Us => Region::Us,
            Self::Eu => Region::Eu,
            Self::Jp => Region::Jp,
        }
    }
}

impl Term {
    /// Returns when the period ends that began with an event at `from`.
    #[must_use]
    pub fn ends(&self, forum: Forum, from: Timestamp, calendars: &Calendars) -> Ends {
        let calendar = calendars.get(forum.region());
        match (self.length, calendar) {
            (Length::Hours(hours), _) => Ends { at: hours_later(from, hours), is_sure: true },
            (Length::Days(days), Some(calendar)) => {
                calendar.after_days(from, days, self.owes == Owes::Provider)
            }
            (Length::WorkingDays(days), Some(calendar)) => calendar.after_working_days(from, days),
            (Length::Days(days) | Length::WorkingDays(days), None) => {
                Ends { at: hours_later(from, 24 * (i64::from(days) + 1)), is_sure: false }
            }
        }
    }
}

fn hours_later(from: Timestamp, hours: i64) -> Timestamp {
    from.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ends(forum: Forum, number: usize, from: &str) -> String {
        let calendars = Calendars::built_in().unwrap();
        forum.terms()[number].ends(forum, from.parse().unwrap(), &calendars).at.to_string()
    }

    #[test]
    fn each_forum_has_its_clocks() {
        // Thursday, 26 February 2026, 10:00 in China. The Saturday after is worked.
        let thursday = "2026-02-26T02:00:00Z";
        assert_eq!(ends(Forum::CnSector, 0, thursday), "2026-02-27T02:00:00Z");
        assert_eq!(ends(Forum::Cn, 0, thursday), "2026-03-04T16:00:00Z");
        assert_eq!(ends(Forum::Cn, 1, thursday), "2026-03-25T16:00:00Z");
        assert_eq!(ends(Forum::CnEcommerce, 1, thursday), "2026-03-13T16:00:00Z");
        // Wednesday evening in New York: to Wednesday, 11 March, when the clocks have been turned; to 17 March.
        assert_eq!(ends(Forum::Us, 1, thursday), "2026-03-11T04:00:00Z");
        assert_eq!(ends(Forum::Us, 2, thursday), "2026-03-18T04:00:00Z");
        assert_eq!(ends(Forum::Eu, 0, thursday), "2026-03-05T23:00:00Z");
        assert_eq!(ends(Forum::Jp, 0, thursday), "2026-03-05T15:00:00Z");
    }

    #[test]
    fn words_are_read_back() {
        for forum in Forum::ALL {
            assert_eq!(forum.as_str().parse(), Ok(*forum));
            assert_eq!(serde_json::to_value(forum).unwrap(), forum.as_str());
        }
        for form in Form::ALL {
            assert_eq!(form.as_str().parse(), Ok(*form));
            assert_eq!(serde_json::to_value(form).unwrap(), form.as_str());
        }
        assert!("moon".parse::<Forum>().is_err());
    }
}
