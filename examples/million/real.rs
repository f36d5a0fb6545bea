//! Fingerprints of real music.

use std::path::{Path, PathBuf};

use earwitness::base::{ChannelView, RecordingId};
use earwitness::fingerprint::{Fingerprint, decode, encode};
use earwitness::scan::worker::{Decoder, analyse_all};

const SUFFIX: &str = "ewfp";

/// Reads the fingerprints of a folder, or those of its audio files, which are kept in `kept`; what is shorter than so many
/// seconds is left out.
pub(crate) fn load(
    music: &Path,
    kept: &Path,
    most: usize,
    least_s: f64,
) -> anyhow::Result<Vec<(RecordingId, Fingerprint)>> {
    let mut files = files(music)?;
    files.truncate(most);
    if !files.iter().any(|file| file.extension().is_some_and(|suffix| suffix == SUFFIX)) {
        std::fs::create_dir_all(kept)?;
        analyse(&files, kept)?;
        files = self::files(kept)?;
        files.truncate(most);
    }
    let mut real = Vec::new();
    for file in files {
        let fingerprint = decode(&std::fs::read(&file)?)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().take(100).collect();
        if fingerprint.duration_s() >= least_s {
            real.push((RecordingId::new(&name)?, fingerprint));
        }
    }
    Ok(real)
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// Analyses what is not yet kept.
fn analyse(files: &[PathBuf], kept: &Path) -> anyhow::Result<()> {
    let name = |file: &Path| {
        kept.join(format!("{}.{SUFFIX}", file.file_stem().unwrap_or_default().to_string_lossy()))
    };
    let missing: Vec<PathBuf> = files.iter().filter(|file| !name(file).exists()).cloned().collect();
    let program = std::env::current_exe()?;
    let program = program.ancestors().nth(2).unwrap_or(&program).join("earwitness");
    let mut failure = None;
    analyse_all(&Decoder::new(program), &missing, 2, &mut |index, result| {
        match result {
            Ok(analysis) => {
                let mid = analysis.fingerprints.iter().find(|(view, _)| *view == ChannelView::Mid);
                let written =
                    mid.map(|(_, fingerprint)| std::fs::write(name(&missing[index]), encode(fingerprint)));
                failure = written.and_then(Result::err);
            }
            Err(error) => eprintln!("{error}"),
        }
        failure.is_none()
    });
    failure.map_or(Ok(()), |error| Err(error.into()))
}
