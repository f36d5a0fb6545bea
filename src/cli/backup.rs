//! `earwitness store backup` and `store restore`: a copy of the whole store, in use or not, and the way back.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::{Context, Exit, output, scanning};
use crate::scan::Library;
use crate::scan::backup::{BackupScope, back_up, restore as restore_library};
use crate::store::{BackupReport, Copied, Error, Kinds, RestorePlan, Store};
use crate::web::{self, Order, Said};

/// The longest answer of a service, in bytes.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// Copies the store into a folder, by the service that has it open, if there is one.
pub(super) fn backup(context: &Context, folder: &Path) -> anyhow::Result<Exit> {
    let folder = std::path::absolute(folder).with_context(|| format!("{}", folder.display()))?;
    if !Store::is_in(&context.store_path) {
        let store = context.store_path.display();
        return Err(
            super::Usage(format!("there is no store in {store}; say with --store where it is")).into()
        );
    }
    let report = match context.open_store() {
        Ok(store) => {
            let library = Library::open(store)?;
            let scope = BackupScope {
                at: context.clock.now(),
                without: &web::PASSING_KINDS,
                folders: &[web::PAPERS_FOLDER],
            };
            going(context, "copied", |going| Ok(back_up(&library, &folder, &scope, going)?))?
        }
        Err(locked @ Error::Locked { .. }) => match ask_service(context, &folder)? {
            Some(report) => report,
            None => return Err(locked.into()),
        },
        Err(error) => return Err(error.into()),
    };
    told(context, &report, &format!("backed up into {}", folder.display()))
}

/// Makes the store of a backup.
pub(super) fn restore(
    context: &Context,
    backup: &Path,
    take_damaged: bool,
    kinds: &Kinds,
) -> anyhow::Result<Exit> {
    let plan = RestorePlan { options: context.store_options(), kinds, take_damaged };
    let to = &context.store_path;
    let report = going(context, "restored", |going| Ok(restore_library(backup, to, &plan, going)?))?;
    told(context, &report, &format!("restored into {}", to.display()))
}

fn told(context: &Context, report: &BackupReport, what: &str) -> anyhow::Result<Exit> {
    for problem in &report.problems {
        output::failed(problem);
    }
    if context.json {
        output::json(report)?;
    } else {
        let Copied { files, bytes } = report.copied;
        let at = report.at.map(|at| at.to_string()).unwrap_or_default();
        output::line(&format!("{what}: {files} files, {bytes} bytes, as it was at {at}"));
    }
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::SomeFailed })
}

/// Runs long work that tells how far it is and ends at Ctrl-C.
fn going<T>(
    context: &Context,
    word: &str,
    work: impl FnOnce(&mut dyn FnMut(Copied) -> bool) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let stop = CancellationToken::new();
    runtime.spawn(scanning::cancel_on_ctrl_c(stop.clone()));
    let bar = output::spinner(context);
    let done = work(&mut |copied| {
        bar.set_message(format!("{} files, {} MiB {word}", copied.files, copied.bytes >> 20));
        bar.tick();
        !stop.is_cancelled()
    });
    bar.finish_and_clear();
    runtime.shutdown_background();
    done
}

/// Has the service that has the store open take the backup; nothing where none answers.
fn ask_service(context: &Context, folder: &Path) -> anyhow::Result<Option<BackupReport>> {
    let Ok((path, _folder)) = web::socket_of(&context.store_path) else { return Ok(None) };
    let Ok(mut stream) = UnixStream::connect(&path) else { return Ok(None) };
    let mut order = serde_json::to_vec(&Order::BackUp { folder: folder.to_owned() })?;
    order.push(b'\n');
    let asked = "asking the service that has the store open";
    stream.write_all(&order).context(asked)?;
    let bar = output::spinner(context);
    let mut answers = BufReader::new(stream.take(ANSWER_BYTES_MAX));
    let mut line = String::new();
    loop {
        line.clear();
        if answers.read_line(&mut line).context(asked)? == 0 {
            anyhow::bail!(
                "the service ended before the backup was taken; nothing is in {}",
                folder.display()
            );
        }
        match serde_json::from_str(&line).context(asked)? {
            Said::Copied(copied) => {
                bar.set_message(format!("{} files, {} MiB copied", copied.files, copied.bytes >> 20));
                bar.tick();
            }
            Said::Done(report) => {
                bar.finish_and_clear();
                return Ok(Some(report));
            }
            Said::Failed(what) => anyhow::bail!("{what}"),
        }
    }
}
