//! Why a file gives no audio: one line each, for people.

use serde::{Deserialize, Serialize};

/// Why a file gives no audio. Travels from the worker process to its parent, hence serialisable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum Error {
    /// The file holds no bytes.
    #[error("the file is empty")]
    Empty,
    /// A platform's encrypted file, or one under a copy protection: recognised, never decrypted.
    #[error("encrypted by {scheme}; Earwitness records such files and does not decrypt them")]
    Encrypted {
        /// Whose scheme, in words.
        scheme: String,
    },
    /// The content is something else than audio.
    #[error("not audio: this is {looks_like}")]
    NotAudio {
        /// What the content looks like, with its article.
        looks_like: String,
    },
    /// The format is known, and no built-in decoder reads it.
    #[error("{format} is not decoded by Earwitness itself; install ffmpeg and put it on the PATH")]
    Unsupported {
        /// The format, by its common name.
        format: String,
        /// The name of the ffmpeg demultiplexer(s) that read it, comma-separated; `None` where ffmpeg does not either.
        demuxer: Option<String>,
    },
    /// The container is readable and holds no audio track.
    #[error("no audio track in this {container} file")]
    NoAudioTrack {
        /// The container, by its common name.
        container: String,
    },
    /// The file is damaged or cut so that nothing could be decoded.
    #[error("damaged {format} file: {what}")]
    Damaged {
        /// The format, by its common name.
        format: String,
        /// What is wrong.
        what: String,
    },
    /// The container can only be read with jumps, and came through a pipe.
    #[error("this {format} cannot be read front to back as it comes; save it to a file first")]
    NeedsFile {
        /// The container, by its common name.
        format: String,
    },
    /// Reading failed.
    #[error("cannot read: {what}")]
    Io {
        /// Why.
        what: String,
    },
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io { what: error.to_string() }
    }
}

impl Error {
    /// A [`Error::Damaged`] of `format`.
    pub(super) fn damaged(format: &str, what: impl Into<String>) -> Self {
        Self::Damaged { format: format.to_owned(), what: what.into() }
    }
}
