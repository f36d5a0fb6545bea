//! The door for other commands on this machine: a socket in the store's folder, by which whoever may read the store has the
//! service do what needs the open store. A line of JSON asks, lines of JSON answer.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::app::App;
use super::{PAPERS_FOLDER, PASSING_KINDS};
use crate::scan::backup::{BackupScope, back_up};
use crate::store::{BackupReport, Copied};

/// The socket's name in the store's folder.
const NAME: &str = "control";
/// The longest path of a socket that every system takes, in bytes.
const PATH_BYTES_MAX: usize = 100;
/// The longest order, in bytes.
const ORDER_BYTES_MAX: u64 = 64 << 10;
/// For how long an order may take to be told.
const ORDER_WAIT: Duration = Duration::from_secs(5);
/// How often it is told how far a backup is.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// What a service can be asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Copy the store into this new folder, an absolute path.
    BackUp {
        /// The folder.
        folder: PathBuf,
    },
}

/// What a service says of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// How far it is.
    Copied(Copied),
    /// It is done.
    Done(BackupReport),
    /// It cannot be done.
    Failed(String),
}

/// Where the socket of a store's service is. The folder stays open for as long as the path is used: long paths lead
/// through it.
///
/// # Errors
/// Where the folder cannot be opened.
pub fn socket_of(store: &Path) -> io::Result<(PathBuf, File)> {
    let folder = File::open(store)?;
    let plain = store.join(NAME);
    if cfg!(target_os = "linux") && plain.as_os_str().len() > PATH_BYTES_MAX {
        let number = std::os::fd::AsRawFd::as_raw_fd(&folder);
        return Ok((PathBuf::from(format!("/proc/self/fd/{number}/{NAME}")), folder));
    }
    Ok((plain, folder))
}

/// Answers orders until the service ends. A failure costs this door alone.
pub(super) async fn listen(app: Arc<App>) {
    let Ok((path, _folder)) = socket_of(app.store().path()) else { return };
    // Of a service that was killed: the store's lock says that there is no other.
    let _ = std::fs::remove_file(&path);
    let listener = match UnixListener::bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!("no backups by `earwitness store backup` while the service runs: {error}");
            return;
        }
    };
    let turn = Arc::new(Mutex::new(()));
    loop {
        let accepted =
            tokio::select! { () = app.stop.cancelled() => break, accepted = listener.accept() => accepted };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(TELL_EVERY).await;
            continue;
        };
        // The folder may be open to others; what is done here is for whoever runs the service, and for root.
        let own = rustix::process::geteuid().as_raw();
        if stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0) {
            tokio::spawn(answer(Arc::clone(&app), stream, Arc::clone(&turn)));
        }
    }
    let _ = std::fs::remove_file(&path);
}

async fn answer(app: Arc<App>, stream: UnixStream, turn: Arc<Mutex<()>>) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader.take(ORDER_BYTES_MAX));
    let mut line = String::new();
    let read = tokio::time::timeout(ORDER_WAIT, reader.read_line(&mut line)).await;
    if !matches!(read, Ok(Ok(count)) if count > 0) {
        return;
    }
    let (tell, mut told) = mpsc::channel(16);
    let is_gone = Arc::new(AtomicBool::new(false));
    let working = tokio::task::spawn_blocking({
        let is_gone = Arc::clone(&is_gone);
        move || obey(&app, &line, &turn, &is_gone, &tell)
    });
    let mut rest = [0; 1];
    loop {
        tokio::select! {
            said = told.recv() => {
                let Some(said) = said else { break };
                if say(&mut writer, &said).await.is_err() {
                    is_gone.store(true, Ordering::Relaxed);
                }
            }
            // Whoever asked says nothing more; an end means that they no longer want it.
            _ = reader.read(&mut rest), if !is_gone.load(Ordering::Relaxed) => {
                is_gone.store(true, Ordering::Relaxed);
            }
        }
    }
    if let Ok(said) = working.await {
        let _ = say(&mut writer, &said).await;
    }
}

async fn say(writer: &mut (impl tokio::io::AsyncWrite + Unpin), said: &Said) -> io::Result<()> {
    let mut text = serde_json::to_vec(said)?;
    text.push(b'\n');
    writer.write_all(&text).await
}

/// Does what was asked; one thing at a time.
fn obey(app: &App, line: &str, turn: &Mutex<()>, is_gone: &AtomicBool, tell: &mpsc::Sender<Said>) -> Said {
    let order: Order = match serde_json::from_str(line) {
        Ok(order) => order,
        Err(error) => return Said::Failed(format!("the order is not understood: {error}")),
    };
    let _alone = match turn.try_lock() {
        Err(TryLockError::WouldBlock) => {
            return Said::Failed("another backup is being taken; try again when it is done".to_owned());
        }
        // Whoever panicked takes no backup any more.
        Err(TryLockError::Poisoned(left)) => left.into_inner(),
        Ok(alone) => alone,
    };
    let Order::BackUp { folder } = order;
    let scope = BackupScope { at: app.now(), without: &PASSING_KINDS, folders: &[PAPERS_FOLDER] };
    let mut last = Instant::now();
    let mut going = |copied: Copied| {
        if last.elapsed() >= TELL_EVERY {
            last = Instant::now();
            // Whoever reads slowly misses some of it.
            let _ = tell.try_send(Said::Copied(copied));
        }
        !is_gone.load(Ordering::Relaxed) && !app.stop.is_cancelled()
    };
    let taken = if folder.is_absolute() {
        back_up(&app.library, &folder, &scope, &mut going).map_err(|error| error.to_string())
    } else {
        Err(format!("{} is no absolute path", folder.display()))
    };
    match taken {
        Ok(report) => {
            tracing::info!("a backup was taken into {}: {} files", folder.display(), report.copied.files);
            Said::Done(report)
        }
        Err(what) => Said::Failed(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_answers_are_lines_of_json() -> Result<(), serde_json::Error> {
        let order = Order::BackUp { folder: "/backups/monday".into() };
        assert_eq!(serde_json::to_string(&order)?, r#"{"back_up":{"folder":"/backups/monday"}}"#);
        let said = Said::Copied(Copied { files: 1, bytes: 2 });
        assert_eq!(serde_json::to_string(&said)?, r#"{"copied":{"files":1,"bytes":2}}"#);
        for said in [said, Said::Failed("no".to_owned()), Said::Done(BackupReport::default())] {
            assert_eq!(serde_json::from_str::<Said>(&serde_json::to_string(&said)?)?, said);
        }
        Ok(())
    }
}
