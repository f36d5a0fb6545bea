//! The command line: arguments → calls → exit code. One file per command, each thin.

mod args;
mod context;
mod output;
mod scanning;

mod case;
mod case_due;
mod case_moves;
mod case_recheck;
mod backup;
mod catalog;
mod overlaps;
mod check;
mod crawl;
mod crawl_status;
mod demo;
mod evidence;
mod identify;
mod licence;
mod notice;
mod serve;
mod store;
mod streaming;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
pub use context::{Context, Exit};

/// Reads the arguments of the process, runs the command and returns the exit code.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let command = match cli.command {
        // Before settings and logging: a worker touches nothing but its input.
        Command::DecodeWorker(args) => return worker::run(args),
        command => command,
    };
    output::init_logging(&cli.global, matches!(command, Command::Serve(_)));
    let exit = match Context::new(&cli.global) {
        Ok(context) => dispatch(&context, command).unwrap_or_else(|error| output::report(&error)),
        Err(error) => output::report(&error),
    };
    ExitCode::from(exit as u8)
}

/// Checks arguments, the program's name first, without running anything; `--help` is fine.
///
/// # Errors
/// What the argument parser would say.
pub fn check_arguments<I: IntoIterator<Item = String>>(arguments: I) -> Result<(), String> {
    match Cli::try_parse_from(arguments) {
        Ok(_) => Ok(()),
        Err(answer) if !answer.use_stderr() => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Every path the program can take.
fn dispatch(context: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(context, &args),
        Command::Catalog(args) => catalog::run(context, args),
        Command::Licence(args) => licence::run(context, args),
        Command::Identify(args) => identify::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Crawl(args) => crawl::run(context, args),
        Command::Cases(args) => case::run(context, args),
        Command::Evidence(args) => evidence::run(context, args),
        Command::Notice(args) => notice::run(context, args),
        Command::Serve(args) => serve::run(context, &args, context.settings_file.clone()),
        Command::Store(args) => store::run(context, args),
        Command::DecodeWorker(_) => {
            Err(Usage("decode-worker is started by Earwitness itself".to_owned()).into())
        }
    }
}

/// A mistake in how the program was called, beyond what the argument parser sees; ends with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);
