//! What one archive may cost.

/// Limits of one [`walk`](super::walk). The defaults take the largest collections that are shared, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries that are looked at, at all levels together. Default 10,000: discographies hold a few thousand files.
    pub members: u64,
    /// Archives within archives; the outermost counts as one. Default 4: parts in a zip in a rar are real, more is not.
    pub nesting: u32,
    /// Bytes that come out of all decoders together, those of skipped members too. Default 32 GiB.
    pub inflated_bytes: u64,
    /// Bytes of one member, or of one archive within. Default 4 GiB: a lossless concert of a few hours.
    pub member_bytes: u64,
    /// How many times its stored size a stream may inflate to, beyond its first MiB. Default 1,000: deflate's most is
    /// 1,032, and music does not come near.
    pub ratio: u64,
    /// Bytes of an archive's directory (zip, 7z), or of one header (tar, rar). Default 16 MiB.
    pub header_bytes: u64,
    /// Memory that a decoder may ask for its dictionary. Default 128 MiB: 7-Zip's highest level asks for 64.
    pub decoder_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 10_000,
            nesting: 4,
            inflated_bytes: 32 << 30,
            member_bytes: 4 << 30,
            ratio: 1000,
            header_bytes: 16 << 20,
            decoder_bytes: 128 << 20,
        }
    }
}

/// A stream may inflate to this many bytes whatever its stored size: small files of zeros are no bombs.
pub(super) const RATIO_FREE_BYTES: u64 = 1 << 20;

/// The most levels whatever the limits say: each is a recursion and an open file.
pub(super) const NESTING_MAX: u32 = 16;

/// The longest name that is kept, in bytes; the rest is cut. File systems allow 4,096 for a whole path.
pub(super) const NAME_BYTES_MAX: usize = 4096;

/// The longest playlist or cue sheet that is kept, in bytes.
pub(super) const TEXT_BYTES_MAX: u64 = 1 << 20;
