//! Evidence: here is a case with its sightings, the recorded requests and the bytes; gives one signed file that anybody
//! can verify offline.
//!
//! - [`Capture`]: what was recorded when the file was seen; [`keep_capture`] keeps it with the case, [`captures`] gives
//!   those of a case.
//! - [`Error`]: what can go wrong.

mod capture;
mod error;

pub use capture::{Capture, CaptureRecord, captures, keep_capture};
pub use error::Error;
