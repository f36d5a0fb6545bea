//! What an address asks of a list: pages and the API read it the same way.

use super::filter::{Filter, Order};
use super::rows::Cursor;
use crate::web::ask::Ask;
use crate::web::fault::Fault;

/// The most entries of one answer.
pub(in crate::web) const PAGE_MAX: usize = 500;
/// How many there are where nothing is said.
pub(in crate::web) const PAGE: usize = 50;
/// Words beyond these are not looked for.
const WORDS_MAX: usize = 8;

/// Which cases are asked for.
pub(in crate::web) struct Asked {
    pub(in crate::web) filter: Filter,
    pub(in crate::web) order: Order,
    /// Where the list goes on; its begin where nothing is said.
    pub(in crate::web) after: Option<Cursor>,
}

/// Reads filter, order and cursor of a list of cases.
///
/// # Errors
/// [`Fault`] that names the value that is wrong.
pub(in crate::web) fn asked(ask: &Ask) -> Result<Asked, Fault> {
    let pairs = ask.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let filter = Filter::read(pairs).map_err(Fault::bad_request)?;
    let mut order: Order =
        ask.query("sort").map(str::parse).transpose().map_err(Fault::bad_request)?.unwrap_or_default();
    // A form has a box of its own for the other way round.
    order.is_descending |= ask.query("descending").is_some();
    let after = ask.query("after").map(str::parse).transpose().map_err(Fault::bad_request)?;
    Ok(Asked { filter, order, after })
}

/// How many entries are asked for.
///
/// # Errors
/// [`Fault`] where it is no number from 1 to [`PAGE_MAX`].
pub(in crate::web) fn most(ask: &Ask) -> Result<usize, Fault> {
    let Some(text) = ask.query("limit") else { return Ok(PAGE) };
    let most = text.parse().ok().filter(|most| (1..=PAGE_MAX).contains(most));
    most.ok_or_else(|| Fault::bad_request(format!("limit: 1 to {PAGE_MAX}")))
}

/// The words of a search, lower case.
pub(in crate::web) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect()
}
