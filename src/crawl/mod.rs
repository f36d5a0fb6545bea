//! From seeds to [`Sighting`]s: frontier, scope, robots.txt, politeness, discovery of media.

mod sighting;

pub use sighting::{Hop, RobotsDecision, Sighting};
