//! What a walk tells of.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::member_path::MemberPath;
use crate::base::Digest;

/// Something in an archive.
#[derive(Debug)]
pub enum Visited {
    /// A member with its bytes.
    Member(Box<Member>),
    /// A member, or an archive, that was not taken.
    Skipped(Box<Skipped>),
}

/// What a member is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Audio or video.
    Media,
    /// A playlist: M3U, PLS, HLS, DASH. Those without a mark of their own are known by their name.
    Playlist,
    /// A cue sheet: where the tracks of another member begin.
    CueSheet,
}

/// A member with its bytes. The file is removed when this is dropped.
#[derive(Debug)]
pub struct Member {
    /// Where it stands.
    pub path: MemberPath,
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub file: tempfile::TempPath,
    /// How many they are.
    pub bytes: u64,
    /// Their digest.
    pub sha256: Digest,
    /// What is wrong with it, where its end is missing or its checksum does not fit: the bytes are still what anyone
    /// gets who unpacks it.
    pub damage: Option<String>,
}

/// A member, or an archive, that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Where it stands; the levels are empty for the outermost archive itself.
    pub path: MemberPath,
    /// Why.
    pub reason: SkipReason,
}

/// Why a member was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Its first bytes are those of no audio, video, playlist or archive.
    #[error("not audio")]
    NotAudio,
    /// It, or the archive's whole list, needs a password.
    #[error("encrypted")]
    Encrypted,
    /// It has, or says that it has, more bytes than one member may.
    #[error("larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// It inflates like nothing real does.
    #[error("inflates to more than {ratio_max} times its size")]
    Bomb {
        /// The limit.
        ratio_max: u64,
    },
    /// It shares stored bytes with other members, and these have been read often enough.
    #[error("shares its bytes with other members")]
    Overlaps,
    /// It is a symbolic or hard link; no link is followed.
    #[error("a link")]
    Link,
    /// It is a device, a pipe or the like.
    #[error("no regular file")]
    Special,
    /// The format or method is known, and not read.
    #[error("{what} is not read")]
    Unsupported {
        /// What.
        what: String,
    },
    /// Its bytes, or the archive's, are not what they should be.
    #[error("damaged: {what}")]
    Damaged {
        /// In what way.
        what: String,
    },
    /// Its decoder asks for more memory than one may have.
    #[error("needs a dictionary of {bytes} bytes, more than {bytes_max}")]
    NeedsMemory {
        /// What it asks for.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// An archive deeper than archives may nest.
    #[error("archives within archives deeper than {nesting_max}")]
    TooDeep {
        /// The limit.
        nesting_max: u32,
    },
    /// An archive that is one of those that it stands in.
    #[error("the archive holds itself")]
    HoldsItself,
    /// An archive that was gone through before, elsewhere in this one.
    #[error("the same archive was gone through before")]
    SeenBefore,
    /// It begins or goes on in another file of a set.
    #[error("goes on in another volume")]
    OtherVolume,
    /// No program is there that could unpack it.
    #[error("a compressed member of a rar needs an outside program; install one of {programs}")]
    NeedsProgram {
        /// The programs that would do.
        programs: &'static str,
    },
    /// The limit on members was reached; what follows was not looked at.
    #[error("more than {members_max} members; the rest was not looked at")]
    TooManyMembers {
        /// The limit.
        members_max: u64,
    },
    /// The limit on inflated bytes was reached; what follows was not looked at.
    #[error("more than {bytes_max} bytes unpacked; the rest was not looked at")]
    OverBudget {
        /// The limit.
        bytes_max: u64,
    },
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Everything was looked at.
    #[default]
    Done,
    /// The visitor had enough.
    Stopped,
    /// The caller called it off.
    Cancelled,
    /// The limit on members was reached.
    Members,
    /// The limit on inflated bytes was reached.
    InflatedBytes,
}

/// What a walk came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// Entries looked at: members, links, folders, at all levels.
    pub members: u64,
    /// Members that were handed over.
    pub taken: u64,
    /// Members and archives that were skipped.
    pub skipped: u64,
    /// Archives gone into, the outermost one too.
    pub archives: u64,
    /// Bytes that came out of decoders.
    pub inflated_bytes: u64,
}

/// Why an archive could not be walked at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be opened or read.
    #[error("cannot read the archive {path} ({source})")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is none, by its bytes.
    #[error("{path} is no archive that is known")]
    NotAnArchive {
        /// The file.
        path: PathBuf,
    },
    /// A member's bytes cannot be kept.
    #[error("cannot keep a member's bytes in {folder} ({source}); free some space there")]
    Keep {
        /// The folder for temporary files.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
