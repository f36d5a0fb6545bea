//! How it goes, and what is due next; in an empty store, what to do first.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;

use super::filters;
use super::shell::Shell;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{Figures, Named, Overview, Row};
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::words::{DeskWords, OverviewWords};

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage<'a> {
    shell: Shell<'a>,
    w: &'static OverviewWords,
    figures: Figures,
    due: Vec<Row>,
    /// The lines of the plot: its bars as path data, in a box of 260 × 100.
    opened: String,
    removed: String,
    most: usize,
}

impl OverviewPage<'_> {
    fn state_name(&self, row: &Row) -> &'static str {
        DeskWords::state_name(self.shell.lang, row.state)
    }

    /// Operators and recordings: heading, name in an address, rows.
    fn tables(&self) -> [(&'static str, &'static str, &[Named]); 2] {
        [
            (self.w.operators, "operator", &self.figures.operators),
            (self.w.recordings, "recording", &self.figures.recordings),
        ]
    }

    /// Each week with its two figures, for those who read the plot as a table.
    fn weeks(&self) -> Vec<(usize, usize, usize)> {
        let pairs = self.figures.opened.iter().zip(&self.figures.removed);
        pairs.enumerate().map(|(at, (opened, removed))| (at + 1, *opened, *removed)).collect()
    }
}

pub(super) fn page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let Overview { figures, due } = app.desk.overview(app.store(), ask.now)?;
    let most = figures.opened.iter().chain(&figures.removed).copied().max().unwrap_or(0).max(1);
    let (opened, removed) = (bars(&figures.opened, most, 0), bars(&figures.removed, most, 4));
    let (shell, w) = (Shell::of(app, ask, "/overview"), OverviewWords::of(ask.lang));
    Reply::page(&OverviewPage { shell, w, figures, due, opened, removed, most })
}

/// Bars of four units in every ten, in a box 100 high.
fn bars(counts: &[usize], most: usize, offset: usize) -> String {
    let mut path = String::new();
    for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = 95.0 * *count as f64 / most as f64;
        let left = 10 * at + offset + 1;
        // Writing to a string cannot fail.
        let _ = write!(path, "M{left} 100v-{height:.1}h4v{height:.1}z");
    }
    path
}
