//! The signal processing of the attacks. Plain textbook methods: what matters is that they do what they say, not
//! that they sound as good as a studio's.

pub(crate) mod dynamics;
pub(crate) mod filter;
pub(crate) mod noise;
pub(crate) mod resample;
pub(crate) mod room;
pub(crate) mod stretch;
pub(crate) mod voice;
