//! A door for the fuzz targets: notices with outside text in all places that such text can come to.

use std::sync::LazyLock;

use super::{Form, Format, Templates, files, sample};

static TEMPLATES: LazyLock<Option<Templates>> = LazyLock::new(|| Templates::load(None).ok());

/// Writes such a notice in one format.
#[must_use]
pub fn written(form: Form, format: Format, text: &str) -> Option<Vec<u8>> {
    let files = files(&sample::filled(form, text), TEMPLATES.as_ref()?, &[format]).ok()?;
    files.into_iter().next().map(|file| file.bytes)
}
