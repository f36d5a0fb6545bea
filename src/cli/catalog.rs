//! `earwitness catalog` (in work).

use super::{Context, Exit, Usage};

/// (in work)
#[derive(Debug, clap::Args)]
pub(super) struct CatalogArgs {}

pub(super) fn run(_context: &Context, _args: CatalogArgs) -> anyhow::Result<Exit> {
    Err(Usage("not built yet".to_owned()).into())
}
