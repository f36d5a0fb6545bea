//! What every room shares: identifiers, units, digests, caps and the injected clock. No I/O.
//!
//! - [`RecordingId`]: the owner's own identifier of a recording.
//! - [`Digest`]: a SHA-256 digest of bytes.
//! - [`Clock`]: where "now" comes from, so that tests can choose it.
//! - [`Pcm`]: mono audio at the analysis rate, what `audio` gives and `fingerprint` takes.
//! - [`ChannelView`]: which combination of channels a [`Pcm`] holds; [`AudioSpan`]: a span of one of a file.
//! - [`without_credentials`], [`without_user`]: addresses without passwords and tokens, and without passwords alone.
//! - [`Recipient`]: the public key of who may open what is sealed.
//! - [`inert`]: text from outside without what could steer a terminal or turn a line around.
//! - [`minute()`]: an instant as people read it.
//! - [`MediaTags`]: what a media file's tags say of the recording in it.
//! - [`decode_text`]: the bytes of a table → text, in whatever encoding a spreadsheet wrote it.
//! - [`Network`]: a block of addresses.
//! - [`chain`]: an error with its causes, on one line. [`lock`]: a lock that outlives a panic.

mod chain;
mod clock;
mod credentials;
mod digest;
mod ids;
mod inert;
mod lock;
mod network;
mod minute;
mod pcm;
mod recipient;
mod tags;
mod text;

pub use chain::chain;
pub use clock::{Clock, FixedClock, SystemClock};
pub use credentials::{without_credentials, without_user};
pub use digest::{Digest, DigestError, Hasher};
pub use ids::{IdError, RecordingId};
pub use inert::{encoded, inert};
pub use jiff::Timestamp;
pub use lock::lock;
pub use minute::minute;
pub use network::{Network, NetworkError};
pub use pcm::{ANALYSIS_RATE_HZ, AudioSpan, ChannelView, Pcm, sample_16_bit};
pub use recipient::{Recipient, RecipientError};
pub use tags::{Cover, MediaTags, TagScheme};
pub use text::{DecodedText, decode_text, encoding_by_name};
