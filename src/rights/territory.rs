//! Countries by ISO 3166-1 alpha-2, and the lists of them that a licence names.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The officially assigned alpha-2 codes of ISO 3166-1, in order. Mainland China is `CN`; Hong Kong, Macao and
/// Taiwan have codes of their own, as in DDEX deals, and none of them is part of another here.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ \
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE \
    IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC \
    MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE \
    PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV \
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT \
    ZA ZM ZW";

/// One country or territory: an assigned ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Territory([u8; 2]);

/// Why a text is not a territory or a list of territories.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerritoryError {
    /// Not an assigned code; the hint names the code that was probably meant.
    #[error("`{text}` is not an ISO 3166-1 alpha-2 code{hint}")]
    Unknown {
        /// What was written.
        text: String,
        /// Empty, or ` (…)`.
        hint: &'static str,
    },
    /// Nothing but white space.
    #[error("no territory is named; write `Worldwide` if the whole world is meant")]
    Empty,
    /// A code is both included and excluded, or only the excluded remain.
    #[error("{0} is both included and excluded")]
    Contradiction(Territory),
}

impl FromStr for Territory {
    type Err = TerritoryError;

    fn from_str(text: &str) -> Result<Self, TerritoryError> {
        let code = text.trim().to_ascii_uppercase();
        let known = code.len() == 2 && CODES.split_ascii_whitespace().any(|known| known == code);
        match (known, code.as_bytes()) {
            (true, &[first, second]) => Ok(Self([first, second])),
            _ => Err(TerritoryError::Unknown {
                text: text.trim().chars().take(40).collect(),
                hint: hint(&code),
            }),
        }
    }
}

/// Names the code for what people write most often instead of one.
fn hint(code: &str) -> &'static str {
    match code {
        "UK" => " (the United Kingdom is GB)",
        "EU" | "EEA" => " (list the member states)",
        "CHINA" | "CHN" | "PRC" => {
            " (mainland China is CN; Hong Kong HK, Macao MO and Taiwan TW are separate)"
        }
        "JAPAN" | "JPN" => " (Japan is JP)",
        "USA" => " (the United States are US)",
        "WW" | "WORLD" | "GLOBAL" => " (write Worldwide)",
        _ => "",
    }
}

impl fmt::Display for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or("??"))
    }
}

impl fmt::Debug for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Territory {
    type Error = TerritoryError;

    fn try_from(text: String) -> Result<Self, TerritoryError> {
        text.parse()
    }
}

impl From<Territory> for String {
    fn from(territory: Territory) -> Self {
        territory.to_string()
    }
}

/// Where a licence holds: everywhere but the listed, or only in the listed. Written `CN|JP`, `Worldwide`,
/// `Worldwide -CN`, or `-CN -HK` for the whole world without these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Territories {
    /// Only these; never empty.
    Only(BTreeSet<Territory>),
    /// The whole world without these.
    AllBut(BTreeSet<Territory>),
}

impl Territories {
    /// The whole world.
    pub const WORLDWIDE: Self = Self::AllBut(BTreeSet::new());

    /// Whether the licence holds in `territory`.
    #[must_use]
    pub fn contains(&self, territory: Territory) -> bool {
        match self {
            Self::Only(listed) => listed.contains(&territory),
            Self::AllBut(listed) => !listed.contains(&territory),
        }
    }

    /// Whether the licence holds everywhere, so that no territory need be known.
    #[must_use]
    pub fn is_worldwide(&self) -> bool {
        matches!(self, Self::AllBut(listed) if listed.is_empty())
    }

    /// Whether some territory is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AllBut(_), Self::AllBut(_)) => true,
            (Self::Only(listed), rest) | (rest, Self::Only(listed)) => {
                listed.iter().any(|&territory| rest.contains(territory))
            }
        }
    }

    /// Whether every territory of `self` is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Only(listed), _) => listed.iter().all(|&territory| other.contains(territory)),
            (Self::AllBut(mine), Self::AllBut(theirs)) => theirs.is_subset(mine),
            (Self::AllBut(_), Self::Only(_)) => false,
        }
    }
}

impl FromStr for Territories {
    type Err = TerritoryError;

    fn from_str(text: &str) -> Result<Self, TerritoryError> {
        let mut included = BTreeSet::new();
        let mut excluded = BTreeSet::new();
        let mut worldwide = false;
        let separators = |c: char| c.is_whitespace() || matches!(c, '|' | ',' | ';' | '/');
        for token in text.split(separators).filter(|token| !token.is_empty()) {
            match token.strip_prefix(['-', '!', '−']) {
                Some(code) => _ = excluded.insert(code.parse::<Territory>()?),
                None if token.trim_start_matches('+').eq_ignore_ascii_case("worldwide") => worldwide = true,
                None => _ = included.insert(token.trim_start_matches('+').parse::<Territory>()?),
            }
        }
        if let Some(&both) = included.intersection(&excluded).next() {
            return Err(TerritoryError::Contradiction(both));
        }
        match (worldwide, included.is_empty(), excluded.is_empty()) {
            (false, true, true) => Err(TerritoryError::Empty),
            (false, false, _) => Ok(Self::Only(included)),
            _ => Ok(Self::AllBut(excluded)),
        }
    }
}

impl fmt::Display for Territories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, sign, listed) = match self {
            Self::Only(listed) => ("", "", listed),
            Self::AllBut(listed) => ("Worldwide", "-", listed),
        };
        f.write_str(first)?;
        for (n, territory) in listed.iter().enumerate() {
            let gap = if n > 0 || !first.is_empty() { " " } else { "" };
            write!(f, "{gap}{sign}{territory}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Territories {
    type Error = TerritoryError;

    fn try_from(text: String) -> Result<Self, TerritoryError> {
        text.parse()
    }
}

impl From<Territories> for String {
    fn from(territories: Territories) -> Self {
        territories.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> Territories {
        text.parse().unwrap()
    }

    #[test]
    fn mainland_china_is_apart_from_hong_kong_macao_and_taiwan() {
        let mainland = list("CN");
        for other in ["HK", "MO", "TW"] {
            assert!(!mainland.contains(other.parse().unwrap()));
        }
        assert!(list("cn | hk").contains("HK".parse().unwrap()));
    }

    #[test]
    fn lists_are_read_as_they_are_written() {
        assert!(list("Worldwide").is_worldwide());
        assert_eq!(list("-CN -HK"), list("worldwide;-HK,-CN"));
        assert!(!list("Worldwide -CN").contains("CN".parse().unwrap()));
        assert_eq!(list("JP CN").to_string(), "CN JP");
        assert_eq!(
            "CN -CN".parse::<Territories>().unwrap_err().to_string(),
            "CN is both included and excluded"
        );
        assert_eq!(" ".parse::<Territories>(), Err(TerritoryError::Empty));
        assert!("China".parse::<Territories>().unwrap_err().to_string().contains("mainland China is CN"));
        assert!("ZZ".parse::<Territory>().is_err());
    }

    #[test]
    fn within_and_overlap() {
        assert!(list("CN").is_within(&list("Worldwide -JP")));
        assert!(!list("Worldwide").is_within(&list("CN")));
        assert!(list("Worldwide -CN -JP").is_within(&list("-JP")));
        assert!(!list("CN").overlaps(&list("-CN")));
        assert!(list("CN JP").overlaps(&list("JP US")));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_round_trips(text in "\\PC{0,40}") {
            if let Ok(territories) = text.parse::<Territories>() {
                prop_assert_eq!(territories.to_string().parse::<Territories>().unwrap(), territories);
            }
        }
    }
}
