//! Decoding and fingerprinting of outside bytes, in a child process of this same program.
//!
//! Here is a file, gives an [`Analysis`]: what the file is, its digest, and a fingerprint of each channel view.
//! A decoder that panics, hangs or allocates without bound costs that one file, never the service.
//!
//! ```text
//!   parent                                      child (`earwitness decode-worker`)
//!   opens the file, hands it over as stdin ──►  limits itself (rlimits, Landlock, seccomp), then reads
//!   digests the same bytes meanwhile            audio::decode → fingerprint::Analyzer, one a view
//!   reads the bounded reply, kills when late ◄─ one reply: length, checksum, JSON head, fingerprints
//! ```
//!
//! For audio of any length, and for pipes and live streams, the reply comes in frames while the child decodes
//! ([`Decoder::listen`]): neither side then holds more than some seconds of audio.
//!
//! The sound itself comes back only in spans that are asked for ([`Decoder::cut`]), as samples in the same kind of reply.
//!
//! Formats that are not decoded by ourselves are tried with an ffmpeg from the PATH: a second child limits itself
//! in the same way, becomes ffmpeg, and its samples flow into a worker that sees nothing else.

mod batch;
mod child;
mod cutting;
mod feed;
mod ffmpeg;
mod frames;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod listening;
mod parent;
mod protect;
mod reply;
mod sending;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use batch::{analyse_all, in_order};
pub use child::{ChildJob, Task, ViewAnalyzers, run_child};
pub use cutting::parse_span;
pub use feed::{Feed, FeedSender};
pub use frames::Tick;
pub use listening::{Input, Listen, Listened};
pub use parent::Decoder;
pub(super) use parent::{digest_of, open};
pub use reply::{Reply, ReplyError, parse_reply};

use crate::audio::MediaInfo;
use crate::base::{ChannelView, Digest};
use crate::fingerprint::Fingerprint;

/// What was learnt from a file.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
    /// The file's length in bytes.
    pub bytes: u64,
    /// What the file is, and what is wrong with it.
    pub info: MediaInfo,
    /// A fingerprint of each view that was worth it; mid always, and again for each further audio track.
    pub fingerprints: Vec<(ChannelView, Fingerprint)>,
    /// Which protections were in force while it was decoded.
    pub protections: Protections,
}

/// Which protections a worker was under.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protections {
    /// Limits on memory, CPU time, file size and open files.
    pub limits: bool,
    /// Landlock (no file system): `full`, `partial` or `none`.
    pub landlock: String,
    /// seccomp (no system call but those of decoding; no network).
    pub seccomp: bool,
}

/// Limits of one worker process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// Seconds, of the wall's clock and of the CPU's, that any file may take.
    pub seconds: u64,
    /// More seconds for each MiB of the file. Low bit rates decode to the most audio: a MiB of 6 kbit/s speech
    /// is 23 minutes of it.
    pub seconds_per_mib: u64,
    /// Bytes of a reply.
    pub reply_bytes: u64,
    /// Files longer than this are not analysed.
    pub file_bytes: u64,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            seconds: 120,
            seconds_per_mib: 10,
            reply_bytes: 256 << 20,
            file_bytes: 8 << 30,
        }
    }
}

impl WorkerLimits {
    /// The seconds that a file of `bytes` may take.
    #[must_use]
    pub fn seconds_for(&self, bytes: u64) -> u64 {
        self.seconds.saturating_add(self.seconds_per_mib.saturating_mul(bytes >> 20))
    }
}

/// Why a file was not analysed. One line each, naming the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// A folder, a device, a pipe.
    #[error("{name} is not a regular file")]
    NotAFile {
        /// What was named.
        name: String,
    },
    /// Longer than the limit.
    #[error("{name} has {bytes} bytes; files over {limit} bytes are not analysed")]
    TooLarge {
        /// The file.
        name: String,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// More of the sound was asked for than is cut out of a file at once.
    #[error("of {name} more of the sound was asked for than is cut out at once")]
    TooMuch {
        /// The file.
        name: String,
    },
    /// The file gives no audio.
    #[error("{name}: {source}")]
    Audio {
        /// The file.
        name: String,
        /// Why.
        source: crate::audio::Error,
    },
    /// The worker ended without an answer.
    #[error("the decoder crashed on {name} ({how}); the file was skipped")]
    Crashed {
        /// The file.
        name: String,
        /// How it ended.
        how: String,
    },
    /// The worker wanted more memory than it may have.
    #[error("the decoder wanted more than {limit_mib} MiB of memory for {name}; the file was skipped")]
    OutOfMemory {
        /// The file.
        name: String,
        /// The limit.
        limit_mib: u64,
    },
    /// The worker was stopped for taking too long.
    #[error("the decoder took more than {seconds} s on {name}; the file was skipped")]
    TimedOut {
        /// The file.
        name: String,
        /// The limit.
        seconds: u64,
    },
    /// The worker's answer makes no sense.
    #[error("the decoder gave no valid answer for {name} ({source}); the file was skipped")]
    Reply {
        /// The file.
        name: String,
        /// What is wrong with the answer.
        source: ReplyError,
    },
    /// The worker could not be started.
    #[error("cannot start the decoder {program:?}: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
