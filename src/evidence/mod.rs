//! Evidence: here is a case with its sightings, the recorded requests and the bytes; gives one signed file that anybody
//! can verify offline.
//!
//! - [`Capture`]: what was recorded when the file was seen.

mod capture;

pub use capture::Capture;
