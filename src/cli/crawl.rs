//! `earwitness crawl` (in work).

use super::{Context, Exit, Usage};

/// (in work)
#[derive(Debug, clap::Args)]
pub(super) struct CrawlArgs {}

pub(super) fn run(_context: &Context, _args: CrawlArgs) -> anyhow::Result<Exit> {
    Err(Usage("not built yet".to_owned()).into())
}
