//! How values stand in pages.

// What the macro makes of a filter is public in this file.
#![allow(unreachable_pub)]

use std::fmt::Display;

use askama::Values;

use crate::base::{Timestamp, inert as made_inert, minute as to_the_minute};

/// Text from outside: what could steer or hide is written out. That it is no markup, the template sees to.
#[askama::filter_fn]
pub(super) fn inert(text: impl Display, _: &dyn Values) -> askama::Result<String> {
    Ok(made_inert(&text.to_string()))
}

/// An instant to the minute, in UTC.
#[askama::filter_fn]
pub(super) fn minute(at: &Timestamp, _: &dyn Values) -> askama::Result<String> {
    Ok(to_the_minute(*at))
}

/// A chance as a power of ten, of its base-10 logarithm.
#[askama::filter_fn]
pub(super) fn chance(log10: &f64, _: &dyn Values) -> askama::Result<String> {
    Ok(format!("10^{log10:.1}").replace('-', "−"))
}
