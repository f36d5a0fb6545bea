//! What HLS and DASH have in common: a choice of streams, or the pieces of one, and the keys that some pieces need.

use aes::Aes128;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use url::Url;

/// Segments that are taken of one stream: eleven hours at the customary six seconds.
pub(super) const SEGMENTS_MAX: usize = 7000;
/// Segments that are taken of a live stream's window, its newest: an hour at the customary six seconds. More of it
/// would be gone before it is fetched.
pub(super) const LIVE_SEGMENTS_MAX: usize = 600;
/// A stream of fewer bits per second is a mistake or a picture, not music; it is taken only where nothing else is.
pub(super) const BANDWIDTH_MIN: u64 = 8000;

/// What a streaming playlist (HLS, RFC 8216) or manifest (DASH, ISO/IEC 23009-1) holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Stream {
    /// A choice of streams that have playlists of their own.
    Choice {
        /// The one to take: the default audio rendition, or the variant of the lowest bandwidth, since the audio is
        /// what is wanted and is mostly the same in all.
        chosen: Url,
    },
    /// The pieces of one stream, in order.
    Segments {
        /// Initialisation segments (fragmented MP4), each before those that need it, and the segments.
        segments: Vec<Segment>,
        /// The encryption that cannot be undone with an openly served key, if there is any: `SAMPLE-AES`,
        /// `cenc (Widevine)`, an unknown method.
        encrypted: Option<String>,
        /// Whether the playlist is whole; a live stream's is not.
        ended: bool,
        /// How long a segment is at most, in seconds; after about this time a live playlist has new ones.
        target_s: Option<f64>,
    },
}

/// One piece of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where it is.
    pub url: Url,
    /// First byte and number of bytes, where it is a part of the resource.
    pub range: Option<(u64, u64)>,
    /// What it is to be decrypted with, where the key is openly served. The range counts in encrypted bytes.
    pub key: Option<SegmentKey>,
    /// Its number in the stream, by which a live playlist that is read again tells what is new (HLS: the media
    /// sequence number; DASH: `$Number$`, or the place in the list). An initialisation segment has that of the first
    /// segment that needs it.
    pub number: u64,
    /// Its length in seconds; an initialisation segment has none.
    pub duration_s: Option<f64>,
    /// Whether it only prepares the decoder for those that follow.
    pub is_init: bool,
    /// Whether timestamps, format or encoding break before it.
    pub discontinuity: bool,
}

/// How a segment is encrypted: AES-128 in CBC mode with PKCS #7 padding (RFC 8216, section 4.3.2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentKey {
    /// Where the key's 16 bytes are; always http or https.
    pub url: Url,
    /// The initialisation vector: the playlist's, or the media sequence number (section 5.2).
    pub iv: [u8; 16],
}

/// Why a segment could not be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// What was served as the key is none, most likely an error page.
    #[error("the key has {bytes} bytes instead of 16; the server may give it to its own player only")]
    KeyLength {
        /// Bytes served.
        bytes: usize,
    },
    /// The segment cannot be a whole number of cipher blocks.
    #[error("the encrypted segment has {bytes} bytes, which is no multiple of 16; it may be cut short")]
    Length {
        /// Bytes of the segment.
        bytes: usize,
    },
    /// Wrong key, wrong vector or torn segment.
    #[error("the segment's padding is not PKCS #7 after decryption; the key does not fit")]
    Padding,
}

/// Decrypts one whole segment in place with `key`, as served, and `iv` of [`SegmentKey`].
///
/// # Errors
///
/// [`DecryptError`], where the key is not 16 bytes, the segment not whole, or the two do not fit.
pub fn decrypt(mut segment: Vec<u8>, key: &[u8], iv: &[u8; 16]) -> Result<Vec<u8>, DecryptError> {
    let bytes = segment.len();
    let key: &[u8; 16] = key.try_into().map_err(|_| DecryptError::KeyLength { bytes: key.len() })?;
    if bytes == 0 || !bytes.is_multiple_of(16) {
        return Err(DecryptError::Length { bytes });
    }
    let cipher = cbc::Decryptor::<Aes128>::new(key.into(), iv.into());
    let plain_bytes = cipher.decrypt_padded::<Pkcs7>(&mut segment).map_err(|_| DecryptError::Padding)?.len();
    segment.truncate(plain_bytes);
    Ok(segment)
}

/// Cuts the window of a live stream to its newest segments, with the initialisation segment that these need.
pub(super) fn newest(segments: &mut Vec<Segment>) {
    if segments.len() <= LIVE_SEGMENTS_MAX {
        return;
    }
    let old = segments.len() - LIVE_SEGMENTS_MAX;
    let init = segments[..=old].iter().rev().find(|segment| segment.is_init).cloned();
    segments.drain(..old);
    if let Some(init) = init.filter(|_| !segments[0].is_init) {
        segments[0] = init;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    const IV: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42];
    const PLAIN: &[u8] = include_bytes!("testdata/segment.bin");
    /// Made from it by `openssl enc -aes-128-cbc -K 000102…0e0f -iv 00…2a -in segment.bin -out segment.aes`.
    const ENCRYPTED: &[u8] = include_bytes!("testdata/segment.aes");

    #[test]
    fn what_openssl_encrypted() {
        assert_eq!(decrypt(ENCRYPTED.to_vec(), &KEY, &IV).unwrap(), PLAIN);
        let other_iv = decrypt(ENCRYPTED.to_vec(), &KEY, &[0; 16]).unwrap();
        assert_ne!(other_iv[..16], PLAIN[..16]);
        assert_eq!(other_iv[16..], PLAIN[16..]);
    }

    #[test]
    fn what_cannot_be_decrypted() {
        let run = |bytes: &[u8], key: &[u8]| decrypt(bytes.to_vec(), key, &IV);
        assert_eq!(run(ENCRYPTED, b"<html>"), Err(DecryptError::KeyLength { bytes: 6 }));
        assert_eq!(run(&ENCRYPTED[1..], &KEY), Err(DecryptError::Length { bytes: ENCRYPTED.len() - 1 }));
        assert_eq!(run(b"", &KEY), Err(DecryptError::Length { bytes: 0 }));
        assert_eq!(run(ENCRYPTED, &[9; 16]), Err(DecryptError::Padding));
    }

    proptest! {
        #[test]
        fn any_bytes_are_decrypted_or_refused(bytes: Vec<u8>, key in prop::collection::vec(any::<u8>(), 14..18), iv: [u8; 16]) {
            let length = bytes.len();
            if let Ok(plain) = decrypt(bytes, &key, &iv) {
                prop_assert!(plain.len() < length);
            }
        }
    }
}
