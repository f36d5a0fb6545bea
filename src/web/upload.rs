//! A file that somebody sends: into a temporary file in the store's folder, which has no name there and so goes with whoever has
//! it open, killed or not.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{StatusCode, header};
use tokio::io::AsyncWriteExt as _;

use super::app::App;
use super::ask::Ask;
use super::body::Incoming;
use super::fault::Fault;
use super::guard;
use super::multipart::{Parts, Piece};
use super::permits::Uploading;
use super::runs::SPARE;
use crate::store::system_free_space;

/// The folder, in the store's.
const FOLDER: &str = "uploads";
/// The longest field beside a file, in bytes: a public key has some hundred.
const FIELD_BYTES_MAX: usize = 16 << 10;
/// What a form may have beside its file, in bytes.
const FORM_BYTES_MAX: u64 = 256 << 10;
/// After so many bytes is asked again whether there is room.
const ROOM_EVERY_BYTES: u64 = 16 << 20;

/// What came with a form that has a file, or as a file alone.
pub(super) struct Upload {
    /// The form's other fields.
    pub(super) fields: Vec<(String, String)>,
    /// The file; none where the form had none.
    pub(super) file: Option<File>,
    /// What the browser calls it.
    pub(super) name: Option<String>,
    /// How long it is.
    pub(super) bytes: u64,
    _place: Uploading,
}

/// Removes what a killed service may have left.
pub(super) fn sweep(store: &Path) {
    match std::fs::remove_dir_all(store.join(FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("old uploads cannot be removed: {error}");
        }
        _ => {}
    }
}

/// Receives a file: as a body of the type `application/zip`, or in a form. That the form is ours is seen from a field that comes
/// before the file, or from a header; else nothing of the file is kept.
///
/// # Errors
/// [`Fault`] where it is not for us, too long, too slow or cut off, or there is no room.
pub(super) async fn receive(app: &Arc<App>, ask: &mut Ask, body: Body) -> Result<(), Fault> {
    let bytes_max = app.settings().serve.upload_bytes_max;
    let mut incoming = Incoming::new(ask, body, bytes_max.saturating_add(FORM_BYTES_MAX), true)?;
    match take(app, ask, &mut incoming).await {
        Ok(Some(sink)) => sink.close(ask).await,
        Ok(None) => Ok(()),
        Err(fault) => {
            incoming.give_up(ask);
            Err(fault)
        }
    }
}

async fn take(app: &Arc<App>, ask: &mut Ask, incoming: &mut Incoming) -> Result<Option<Sink>, Fault> {
    let kind = ask.header(header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let alone_or_form = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let parts = match alone_or_form.as_str() {
        "multipart/form-data" => {
            Some(Parts::of(&kind).map_err(|wrong| Fault::bad_request(wrong.to_string()))?)
        }
        "application/zip" => None,
        _ => {
            return Err(Fault::unsupported(
                "a bundle is to be sent as application/zip, or in a form with a file",
            ));
        }
    };
    let place = app.permits.upload(&ask.visitor()?.name)?;
    ask.upload = Some(Upload { fields: Vec::new(), file: None, name: None, bytes: 0, _place: place });
    match parts {
        Some(parts) => form(app, ask, incoming, parts).await,
        None => alone(app, ask, incoming).await,
    }
}

async fn alone(app: &Arc<App>, ask: &Ask, incoming: &mut Incoming) -> Result<Option<Sink>, Fault> {
    guard::check_intent(app, ask)?;
    let mut sink = Sink::open(app, ask).await?;
    while let Some(bytes) = incoming.next().await? {
        sink.write(app, &bytes).await?;
    }
    Ok(Some(sink))
}

async fn form(
    app: &Arc<App>,
    ask: &mut Ask,
    incoming: &mut Incoming,
    mut parts: Parts,
) -> Result<Option<Sink>, Fault> {
    let mut sink: Option<Sink> = None;
    // The field that is being read; none while it is the file.
    let mut field: Option<(String, Vec<u8>)> = None;
    let mut is_whole = false;
    while let Some(bytes) = incoming.next().await? {
        parts.push(&bytes);
        while let Some(piece) = parts.next().map_err(|wrong| Fault::bad_request(wrong.to_string()))? {
            match piece {
                Piece::Bytes(bytes) => match (&mut field, &mut sink) {
                    (Some((_, value)), _) if value.len() + bytes.len() <= FIELD_BYTES_MAX => {
                        value.extend(bytes);
                    }
                    (None, Some(sink)) => sink.write(app, &bytes).await?,
                    _ => {
                        return Err(Fault::bad_request(format!(
                            "a field is longer than {FIELD_BYTES_MAX} bytes"
                        )));
                    }
                },
                Piece::End => {
                    keep(ask, field.take());
                    is_whole = true;
                }
                Piece::Begin(head) => {
                    keep(ask, field.take());
                    let Some(name) = head.file_name else {
                        field = Some((head.name, Vec::new()));
                        continue;
                    };
                    if sink.is_some() {
                        return Err(Fault::bad_request("a form has one file"));
                    }
                    guard::check_intent(app, ask)?;
                    if let Some(upload) = &mut ask.upload {
                        upload.name = Some(name.chars().take(200).collect());
                    }
                    sink = Some(Sink::open(app, ask).await?);
                }
            }
        }
    }
    if is_whole { Ok(sink) } else { Err(Fault::bad_request("the form is cut off")) }
}

/// Keeps a field that is whole.
fn keep(ask: &mut Ask, field: Option<(String, Vec<u8>)>) {
    if let (Some((name, value)), Some(upload)) = (field, &mut ask.upload) {
        upload.fields.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
}

/// Where a file is written to.
struct Sink {
    file: tokio::fs::File,
    bytes: u64,
    bytes_max: u64,
}

impl Sink {
    async fn open(app: &Arc<App>, ask: &Ask) -> Result<Self, Fault> {
        let said = ask.header(header::CONTENT_LENGTH).and_then(|text| text.parse().ok()).unwrap_or(0);
        check_room(app, said)?;
        let folder = app.store().path().join(FOLDER);
        let opened = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            tempfile::tempfile_in(&folder)
        });
        let file =
            opened.await.map_err(|error| Fault::internal(&error))?.map_err(|error| unwritten(&error))?;
        let bytes_max = app.settings().serve.upload_bytes_max;
        Ok(Self { file: tokio::fs::File::from_std(file), bytes: 0, bytes_max })
    }

    async fn write(&mut self, app: &App, bytes: &[u8]) -> Result<(), Fault> {
        let before = self.bytes;
        self.bytes = before.saturating_add(bytes.len() as u64);
        if self.bytes > self.bytes_max {
            let detail = format!("the file is longer than {} bytes (serve.upload_bytes_max)", self.bytes_max);
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        if before / ROOM_EVERY_BYTES != self.bytes / ROOM_EVERY_BYTES {
            check_room(app, 0)?;
        }
        self.file.write_all(bytes).await.map_err(|error| unwritten(&error))
    }

    /// Hands the file to whoever asked.
    async fn close(mut self, ask: &mut Ask) -> Result<(), Fault> {
        self.file.flush().await.map_err(|error| unwritten(&error))?;
        if let Some(upload) = &mut ask.upload {
            (upload.file, upload.bytes) = (Some(self.file.into_std().await), self.bytes);
        }
        Ok(())
    }
}

/// The store must be able to write, and crawls to go on, whatever others send.
fn check_room(app: &App, bytes: u64) -> Result<(), Fault> {
    let free = system_free_space(app.store().path()).map_err(|error| Fault::internal(&error))?;
    if !has_room(free, app.settings().storage.keep_free_bytes, bytes) {
        tracing::error!("an upload of {bytes} bytes is refused: {free} bytes are free");
        return Err(Fault::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "there is no room for the file on this machine",
        ));
    }
    Ok(())
}

/// Whether `bytes` more leave as much free as crawls need to begin.
const fn has_room(free: u64, keep: u64, bytes: u64) -> bool {
    free >= keep.saturating_mul(SPARE).saturating_add(bytes)
}

fn unwritten(error: &io::Error) -> Fault {
    let fault = Fault::internal(error);
    if error.kind() == io::ErrorKind::StorageFull {
        return Fault { status: StatusCode::INSUFFICIENT_STORAGE, ..fault };
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_leaves_room_for_crawls() {
        let keep = 64 << 20;
        assert!(has_room(4 * keep + 100, keep, 100));
        assert!(!has_room(4 * keep + 99, keep, 100));
        assert!(!has_room(u64::MAX - 1, u64::MAX, 1));
    }
}
