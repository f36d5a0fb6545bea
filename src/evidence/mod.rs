//! Evidence: here is a case with its sightings, the recorded requests and the bytes; gives one signed file that anybody
//! can verify offline.
//!
//! - [`Capture`]: what was recorded when the file was seen.
//! - [`timestamp`]: time-stamps of a third party (RFC 3161), obtained and verified.
//! - [`pictures`]: what a match rests on, as pictures.
//! - [`factors`]: which part of a bundle answers which factor that a Chinese court looks at.

mod capture;
pub mod factors;
pub mod pictures;
pub mod timestamp;

pub use capture::Capture;
