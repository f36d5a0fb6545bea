//! What a worker answers, and its bytes:
//!
//! ```text
//!   magic "EWR1" | u32 length of the body | u32 CRC-32 of the body | body
//!   body = u32 length of the head | head (JSON) | the parts' bytes, one after the other
//! ```
//!
//! Numbers are little-endian. The parent trusts none of it: a worker may have been taken over by its input.

use std::io::Write;

use serde::{Deserialize, Serialize};

use super::Protections;
use crate::audio;
use crate::base::ChannelView;

/// What a worker answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The protections in force.
    pub protections: Protections,
    /// The audio, or why there is none.
    pub outcome: Result<Decoded, audio::Error>,
}

/// What a worker made of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// What the file is.
    pub info: audio::MediaInfo,
    /// Encoded fingerprints; or, where spans were to be cut out, the samples of each.
    pub parts: Vec<(ChannelView, Vec<u8>)>,
}

/// Why an answer is not understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReplyError {
    /// Nothing, or not all of it, came.
    #[error("it is cut off")]
    CutOff,
    /// It does not start with the magic.
    #[error("it is not in our format")]
    Magic,
    /// The checksum is wrong.
    #[error("its checksum is wrong")]
    Checksum,
    /// The head is not what it must be.
    #[error("its head is not valid: {0}")]
    Head(String),
    /// A fingerprint cannot be decoded.
    #[error("a fingerprint in it is not valid: {0}")]
    Fingerprint(String),
    /// The samples are not those of the spans that were asked for.
    #[error("the sound in it is not what was asked for: {0}")]
    Sound(&'static str),
}

const MAGIC: &[u8; 4] = b"EWR1";

/// Parts of one reply: four views of the tracks that are analysed.
const PARTS_MAX: usize = 64;

#[derive(Serialize, Deserialize)]
struct Head {
    protections: Protections,
    info: Option<audio::MediaInfo>,
    error: Option<audio::Error>,
    /// View and length in bytes of each part.
    parts: Vec<(ChannelView, u64)>,
}

impl Reply {
    /// Writes the answer.
    ///
    /// # Errors
    /// When it is too long for its length field, or writing fails.
    pub fn write(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let decoded = self.outcome.as_ref().ok();
        let parts = decoded.map_or(&[][..], |decoded| &decoded.parts);
        let head = Head {
            protections: self.protections.clone(),
            info: decoded.map(|decoded| decoded.info.clone()),
            error: self.outcome.as_ref().err().cloned(),
            parts: parts.iter().map(|(view, bytes)| (*view, bytes.len() as u64)).collect(),
        };
        let head = serde_json::to_vec(&head)?;
        let mut body = length(head.len())?.to_vec();
        body.extend(head);
        parts.iter().for_each(|(_, bytes)| body.extend(bytes));
        to.write_all(MAGIC)?;
        to.write_all(&length(body.len())?)?;
        to.write_all(&crc32fast::hash(&body).to_le_bytes())?;
        to.write_all(&body)?;
        to.flush()
    }
}

fn length(bytes: usize) -> std::io::Result<[u8; 4]> {
    u32::try_from(bytes).map(u32::to_le_bytes).map_err(|_| std::io::Error::other("a reply of over 4 GB"))
}

/// Reads an answer.
///
/// # Errors
/// [`ReplyError`], whatever the bytes are.
pub fn parse_reply(bytes: &[u8]) -> Result<Reply, ReplyError> {
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(ReplyError::CutOff)?;
    if magic != MAGIC {
        return Err(ReplyError::Magic);
    }
    let (length, rest) = word(rest)?;
    let (checksum, rest) = word(rest)?;
    let body = rest.get(..length as usize).ok_or(ReplyError::CutOff)?;
    if crc32fast::hash(body) != checksum {
        return Err(ReplyError::Checksum);
    }
    let (length, rest) = word(body)?;
    let head = rest.get(..length as usize).ok_or(ReplyError::CutOff)?;
    let mut rest = &rest[length as usize..];
    let head: Head = serde_json::from_slice(head).map_err(|error| ReplyError::Head(error.to_string()))?;
    if head.parts.len() > PARTS_MAX {
        return Err(ReplyError::Head("too many parts".to_owned()));
    }
    let mut parts = Vec::new();
    for (view, length) in head.parts {
        let (part, after) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or(ReplyError::CutOff)?;
        parts.push((view, part.to_vec()));
        rest = after;
    }
    let outcome = match (head.info, head.error) {
        (Some(info), None) => Ok(Decoded { info, parts }),
        (None, Some(error)) => Err(error),
        _ => return Err(ReplyError::Head("neither audio nor an error".to_owned())),
    };
    Ok(Reply { protections: head.protections, outcome })
}

fn word(bytes: &[u8]) -> Result<(u32, &[u8]), ReplyError> {
    let (word, rest) = bytes.split_first_chunk::<4>().ok_or(ReplyError::CutOff)?;
    Ok((u32::from_le_bytes(*word), rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn example() -> Reply {
        let info = audio::MediaInfo {
            container: "MP4".to_owned(),
            codec: "HE-AAC".to_owned(),
            sample_rate_hz: 44_100,
            channels: 2,
            duration_s: 20.5,
            tracks: 1,
            warnings: vec!["cut off".to_owned()],
            tags: audio::MediaTags { title: Some("夜".to_owned()), ..audio::MediaTags::default() },
        };
        let parts = vec![(ChannelView::Mid, vec![1, 2, 3]), (ChannelView::Side, vec![])];
        Reply { protections: Protections::default(), outcome: Ok(Decoded { info, parts }) }
    }

    fn bytes(reply: &Reply) -> Vec<u8> {
        let mut bytes = Vec::new();
        reply.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn round_trips() {
        let reply = example();
        assert_eq!(parse_reply(&bytes(&reply)).unwrap(), reply);
        let text = || "x".to_owned();
        for error in [
            audio::Error::Empty,
            audio::Error::Encrypted { scheme: text() },
            audio::Error::NotAudio { looks_like: text() },
            audio::Error::Unsupported { format: text(), demuxer: Some(text()) },
            audio::Error::NoAudioTrack { container: text() },
            audio::Error::Damaged { format: text(), what: text() },
            audio::Error::Io { what: text() },
        ] {
            let failed = Reply { outcome: Err(error), ..reply.clone() };
            assert_eq!(parse_reply(&bytes(&failed)).unwrap(), failed);
        }
    }

    proptest! {
        #[test]
        fn any_cut_or_change_is_found(at in any::<usize>(), value in 1u8..) {
            let whole = bytes(&example());
            prop_assert!(parse_reply(&whole[..at % whole.len()]).is_err());
            let mut changed = whole.clone();
            changed[at % whole.len()] ^= value;
            prop_assert!(parse_reply(&changed).is_err());
        }

        #[test]
        fn a_lying_body_is_survived(body in proptest::collection::vec(any::<u8>(), 0..200), head in any::<bool>()) {
            let mut inner = Vec::new();
            if head {
                let json = br#"{"protections":{"limits":true,"landlock":"","seccomp":true},"info":null,"error":null,"parts":[["mid",99999999999]]}"#;
                inner.extend((json.len() as u32).to_le_bytes());
                inner.extend(json);
            }
            inner.extend(&body);
            let mut reply = MAGIC.to_vec();
            reply.extend((inner.len() as u32).to_le_bytes());
            reply.extend(crc32fast::hash(&inner).to_le_bytes());
            reply.extend(inner);
            prop_assert!(parse_reply(&reply).is_err());
        }
    }
}
