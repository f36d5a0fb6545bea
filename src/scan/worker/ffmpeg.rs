//! The formats that we do not decode, through an ffmpeg of the machine.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The rate that ffmpeg is asked for.
pub(super) const RATE_HZ: u32 = 44_100;

/// The channels that ffmpeg is asked for: mono comes on both, 5.1 is mixed down.
pub(super) const CHANNELS: usize = 2;

/// Finds `ffmpeg` on the PATH.
pub(super) fn find(path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("ffmpeg"))
        .find(|program| program.is_file())
        // The real file: sealing in the child allows what is run, not a link to it.
        .map(|program| program.canonicalize().unwrap_or(program))
}

/// The command line: reads stdin with the given demultiplexers and no other (a playlist could name other files),
/// writes samples to stdout.
pub(super) fn arguments(program: &Path, demuxers: &str, seconds_max: u64) -> Vec<OsString> {
    let seconds = seconds_max.to_string();
    let (rate, channels) = (RATE_HZ.to_string(), CHANNELS.to_string());
    let fixed: [&str; 28] = [
        "-nostdin",
        "-hide_banner",
        "-loglevel",
        "error",
        "-threads",
        "1",
        "-protocol_whitelist",
        "file,pipe",
        "-format_whitelist",
        demuxers,
        "-i",
        "file:/dev/stdin",
        "-map",
        "0:a:0",
        "-vn",
        "-sn",
        "-dn",
        "-t",
        &seconds,
        "-ac",
        &channels,
        "-ar",
        &rate,
        "-c:a",
        "pcm_f32le",
        "-f",
        "f32le",
        "pipe:1",
    ];
    std::iter::once(program.as_os_str().to_owned()).chain(fixed.into_iter().map(OsString::from)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn only_absolute_folders_of_the_path_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(Some(folder.path().as_os_str())), None);
        std::fs::write(folder.path().join("ffmpeg"), "").unwrap();
        assert!(find(Some(folder.path().as_os_str())).is_some());
        assert_eq!(find(Some(OsStr::new("."))), None);
        assert_eq!(find(None), None);
    }
}
