//! Documents from cases: here are approved cases with their recordings, the sender's and the provider's details;
//! gives a notice as data and as a page to print, or names everything that is missing.
//!
//! - [`compose_ncac`]: one notice in the NCAC's model form to one provider.
//! - [`NcacNotice`]: its data; what the JSON file holds.
//! - [`render_ncac`]: the same as one HTML page, without outside resources.
//! - [`Missing`]: mandatory fields that nothing gives, by their key in the configuration.
//! - [`inert`]: text from outside without what could steer a terminal or turn a line around.

mod chinese;
mod form;
mod ncac;
mod render;

pub use crate::base::inert;
pub use form::{AnnexItem, AnnexMatch, Claim, NcacNotice, Party, Provider, Signature, Site};
pub use ncac::{CaseItem, Missing, NcacInput, compose_ncac};
pub use render::{Error, render_ncac};
