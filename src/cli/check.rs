//! `earwitness check` (in work).

use super::{Context, Exit, Usage};

/// (in work)
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {}

pub(super) fn run(_context: &Context, _args: CheckArgs) -> anyhow::Result<Exit> {
    Err(Usage("not built yet".to_owned()).into())
}
