//! `earwitness demo` (in work).

use super::{Context, Exit, Usage};

/// (in work)
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {}

pub(super) fn run(_context: &Context, _args: DemoArgs) -> anyhow::Result<Exit> {
    Err(Usage("not built yet".to_owned()).into())
}
