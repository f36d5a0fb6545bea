//! Licence data that was asked for, for those who know licences.

use super::{Desk, Filter, Order, Row, Sort};
use crate::cases::{Case, HistoryEntry};
use crate::store::{self, Store};

/// A case that waits for licence data.
pub(in crate::web) struct AskedFor {
    pub(in crate::web) row: Row,
    /// Who asked, when and what.
    pub(in crate::web) asked: HistoryEntry,
}

/// The cases that wait for licence data, at most `most`, and how many there are; the oldest first.
pub(in crate::web) fn asked_for(
    desk: &Desk,
    store: &Store,
    most: usize,
) -> Result<(Vec<AskedFor>, usize), store::Error> {
    let filter = Filter { is_asked: true, ..Filter::default() };
    let order = Order { sort: Sort::Created, is_descending: false };
    let page = desk.page(store, &filter, order, None, most)?;
    let mut asked = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        // What was settled a moment ago is no longer asked.
        let entry = store.get::<Case>(&row.case_id)?.and_then(|case| case.asked().cloned());
        asked.extend(entry.map(|entry| AskedFor { row, asked: entry }));
    }
    Ok((asked, page.total))
}
