//! The kinds of postings that a segment holds.

/// A kind of tuples of peaks with its own keys and its own sections in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Quads: their keys say nothing of pitch and duration, so that postings carry both.
    Quads,
}

impl Family {
    /// All families that this version writes, in the order of their sections.
    pub(super) const ALL: [Self; 1] = [Self::Quads];

    /// The number that stands for the family in a segment's header.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Quads => 0,
        }
    }

    /// The place of the family's sections among those of all families.
    pub(super) fn place(self) -> usize {
        usize::from(self.number())
    }
}
