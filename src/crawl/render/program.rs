//! Finding the machine's Chromium.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::Error;
use crate::config::RenderSettings;

/// The names that packages give it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Finds the configured program, or the first known name in the absolute folders of `path`.
///
/// # Errors
/// [`Error::Missing`], which says what to install.
pub(super) fn find(settings: &RenderSettings, path: Option<&OsStr>) -> Result<PathBuf, Error> {
    if let Some(program) = &settings.program {
        if program.is_file() {
            return Ok(program.clone());
        }
        let looked_for = format!("{} (render.program) is not there", program.display());
        return Err(Error::Missing { looked_for });
    }
    let folders: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_absolute() && program.is_file())
        .ok_or_else(|| Error::Missing { looked_for: format!("none of {} is on the PATH", NAMES.join(", ")) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let none = find(&RenderSettings::default(), Some(folder.path().as_os_str())).unwrap_err().to_string();
        assert!(none.contains("apt-get install chromium") && none.contains("google-chrome"), "{none}");
        let settings =
            RenderSettings { program: Some(folder.path().join("nothing")), ..RenderSettings::default() };
        assert!(find(&settings, None).unwrap_err().to_string().contains("render.program"));
        std::fs::write(folder.path().join("google-chrome"), "").unwrap();
        assert!(find(&RenderSettings::default(), Some(folder.path().as_os_str())).is_ok());
        assert!(find(&RenderSettings::default(), Some(OsStr::new("."))).is_err());
    }
}
