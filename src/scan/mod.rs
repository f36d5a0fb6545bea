//! The pipeline: from sightings to cases, and from the owner's files to the catalogue and its index.

pub mod register;
