//! What a Chinese court looks at in electronic data, factor by factor, and what in a bundle answers it: here is a list of
//! what a bundle holds; gives a report as data and as a page, in Chinese and English.
//!
//! - [`factors`]: the report; [`render_factors`]: the same as one HTML page without outside resources.
//! - [`Artefact`]: a part of a bundle, there or missing; [`ArtefactKind`]: what it is.
//!
//! The factors are those of the Provisions on Internet Courts (Fa Shi \[2018\] 16), Article 11, and of the Civil Evidence
//! Rules (2019), Articles 93 and 94, in the law's own words; the English is our translation. Which artefact answers which
//! factor is our reading, and marked as such wherever the law does not name the means itself. A draft for counsel.

mod evidence_rules;
mod internet_courts;
mod law;
mod page;
mod report;
#[cfg(test)]
mod tests;

pub use page::{Error, render_factors};
pub use report::{
    Answer, Artefact, ArtefactKind, Basis, Bilingual, Factor, FactorsReport, Section, State, factors,
};
