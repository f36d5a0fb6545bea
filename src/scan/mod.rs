//! From a sighting to a case: the pipeline, and the worker processes that touch outside bytes for it.

pub mod worker;
