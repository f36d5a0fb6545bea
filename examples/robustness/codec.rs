//! Lossy codecs, by an ffmpeg on the PATH: the only attacks that need another program.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::sound::{RATE_HZ, Sound, Stretch, cut};

/// A codec at a bit rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Mp3At32,
    Mp3At64,
    Mp3At128,
    AacAt64,
    OpusAt24,
    OpusAt48,
}

impl Codec {
    pub(crate) const ALL: [Self; 6] =
        [Self::Mp3At32, Self::Mp3At64, Self::Mp3At128, Self::AacAt64, Self::OpusAt24, Self::OpusAt48];

    /// Name, ffmpeg's encoder, bit rate and the ending that tells it the container.
    const fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Mp3At32 => ("mp3-32k", "libmp3lame", "32k", "mp3"),
            Self::Mp3At64 => ("mp3-64k", "libmp3lame", "64k", "mp3"),
            Self::Mp3At128 => ("mp3-128k", "libmp3lame", "128k", "mp3"),
            Self::AacAt64 => ("aac-64k", "aac", "64k", "m4a"),
            Self::OpusAt24 => ("opus-24k", "libopus", "24k", "opus"),
            Self::OpusAt48 => ("opus-48k", "libopus", "48k", "opus"),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        self.parts().0
    }

    /// Codes and decodes: ffmpeg writes the file, Earwitness's own decoder reads it.
    pub(crate) fn through(self, sound: &Sound) -> Result<Sound, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (name, encoder, bit_rate, ending) = self.parts();
        let (input, output) = (folder.path().join("in.f32"), folder.path().join(format!("out.{ending}")));
        let written = File::create(&input).and_then(|mut file| file.write_all(&sound.interleaved_bytes()));
        written.map_err(|error| format!("{}: {error}", input.display()))?;
        let rate = RATE_HZ.to_string();
        let done = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-f", "f32le", "-ac", "2", "-ar", &rate, "-i"])
            .arg(&input)
            .args(["-c:a", encoder, "-b:a", bit_rate])
            .arg(&output)
            .output()
            .map_err(|error| format!("ffmpeg: {error}"))?;
        if !done.status.success() {
            return Err(format!("ffmpeg, {name}: {}", String::from_utf8_lossy(&done.stderr).trim()));
        }
        read_back(&output, sound)
    }
}

fn read_back(path: &Path, sound: &Sound) -> Result<Sound, String> {
    let all = Stretch { start_s: 0.0, length_s: sound.duration_s() + 5.0 };
    let mut cut = cut(path, &[all]).map_err(|error| format!("{}: {error}", path.display()))?;
    cut.pop().ok_or_else(|| format!("{}: no audio", path.display()))
}

/// Whether there is an ffmpeg on the PATH.
pub(crate) fn is_there() -> bool {
    let run = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}
