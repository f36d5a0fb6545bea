//! Sets of small numbers: the removed recordings of a segment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Recordings of a segment by their numbers in it. Written as base64 of the distances from one to the next, seven bits
/// to a byte, the lowest first, the high bit set on all but the last: thousands fit into a small record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Removed {
    /// Sorted, each once.
    numbers: Vec<u32>,
}

impl Removed {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Whether a recording is among them.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }

    /// Adds a recording; whether it was not there.
    pub fn insert(&mut self, number: u32) -> bool {
        match self.numbers.binary_search(&number) {
            Ok(_) => false,
            Err(at) => {
                self.numbers.insert(at, number);
                true
            }
        }
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.numbers.iter().copied()
    }
}

impl From<Removed> for String {
    fn from(removed: Removed) -> Self {
        let mut bytes = Vec::with_capacity(removed.numbers.len());
        let mut before = 0;
        for number in removed.numbers {
            let mut distance = number - before;
            before = number;
            while distance >= 0x80 {
                bytes.push(distance as u8 | 0x80);
                distance >>= 7;
            }
            bytes.push(distance as u8);
        }
        STANDARD.encode(bytes)
    }
}

impl TryFrom<String> for Removed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = STANDARD.decode(text).map_err(|_| "removed recordings are not base64")?;
        let mut numbers: Vec<u32> = Vec::new();
        let (mut distance, mut shift) = (0u64, 0u32);
        for byte in bytes {
            distance |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                let number = numbers.last().map_or(0, |&last| u64::from(last)) + distance;
                let number = u32::try_from(number).map_err(|_| "a removed recording is out of range")?;
                if numbers.last().is_some_and(|&last| last >= number) {
                    return Err("removed recordings are out of order");
                }
                numbers.push(number);
                (distance, shift) = (0, 0);
            } else if shift > 28 {
                return Err("a removed recording is out of range");
            }
        }
        if shift == 0 { Ok(Self { numbers }) } else { Err("removed recordings end early") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_comes_back(numbers in prop::collection::btree_set(any::<u32>(), 0..60), shift in 0u32..32) {
            let mut removed = Removed::default();
            for number in &numbers {
                let new = !removed.contains(number >> shift);
                prop_assert_eq!(removed.insert(number >> shift), new);
            }
            let text = serde_json::to_string(&removed).unwrap();
            prop_assert_eq!(serde_json::from_str::<Removed>(&text).unwrap(), removed);
        }

        #[test]
        fn other_text_is_refused_or_a_set(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(removed) = Removed::try_from(STANDARD.encode(bytes)) {
                prop_assert!(removed.iter().collect::<Vec<_>>().is_sorted());
            }
        }
    }
}
