//! The parent's side: start a worker on a file, wait for it no longer than agreed, read its answer.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::reply::Decoded;
use super::{Analysis, Error, Protections, WorkerLimits, cutting, ffmpeg, parse_reply};
use crate::audio;
use crate::base::{AudioSpan, Digest, Hasher, Pcm};
use crate::fingerprint;

/// Decodes and fingerprints files in worker processes. Cheap to clone; calls block, and may run in parallel.
#[derive(Debug, Clone)]
pub struct Decoder {
    program: PathBuf,
    pub(super) ffmpeg: Option<PathBuf>,
    pub(super) limits: WorkerLimits,
    pub(super) fault: Option<String>,
}

impl Decoder {
    /// Uses `program`, an `earwitness` binary, for the workers, and the ffmpeg on this process's PATH, if any.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        let ffmpeg = ffmpeg::find(std::env::var_os("PATH").as_deref());
        Self { program, ffmpeg, limits: WorkerLimits::default(), fault: None }
    }

    /// Uses this very program for the workers.
    ///
    /// # Errors
    /// When the path of the program is not known.
    pub fn of_this_program() -> io::Result<Self> {
        Ok(Self::new(std::env::current_exe()?))
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: WorkerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// With this ffmpeg, or none.
    #[must_use]
    pub fn with_ffmpeg(mut self, ffmpeg: Option<PathBuf>) -> Self {
        self.ffmpeg = ffmpeg;
        self
    }

    /// With workers that misbehave, for tests; only workers of debug builds know how.
    #[doc(hidden)]
    #[must_use]
    pub fn with_fault(mut self, fault: &str) -> Self {
        self.fault = Some(fault.to_owned());
        self
    }

    /// Decodes and fingerprints a file.
    ///
    /// # Errors
    /// [`Error`], one line naming the file.
    pub fn analyse(&self, file: &Path) -> Result<Analysis, Error> {
        let name = file.display().to_string();
        let opened = open(file).map_err(|source| Error::Read { name: name.clone(), source })?;
        under_its_name(file, self.analyse_open(&opened, &name))
    }

    /// Decodes and fingerprints bytes in memory; `name` is used in messages only.
    ///
    /// # Errors
    /// As [`Self::analyse`].
    pub fn analyse_bytes(&self, bytes: &[u8], name: &str) -> Result<Analysis, Error> {
        use std::io::{Seek as _, Write as _};
        let spooled = || -> io::Result<File> {
            let mut file = tempfile::tempfile()?;
            file.write_all(bytes)?;
            file.rewind()?;
            Ok(file)
        };
        let file = spooled().map_err(|source| Error::Read { name: name.to_owned(), source })?;
        self.analyse_open(&file, name)
    }

    /// Decodes and fingerprints an open file, from its start; `name` is used in messages only. The file's cursor
    /// is shared with the worker.
    ///
    /// # Errors
    /// As [`Self::analyse`].
    pub fn analyse_open(&self, file: &File, name: &str) -> Result<Analysis, Error> {
        let named = |source| Error::Read { name: name.to_owned(), source };
        let bytes = self.length_of(file, name)?;
        let job = Job { decoder: self, name, seconds: self.limits.seconds_for(bytes) };
        let mut digest = Ok(Digest::of(b""));
        let decoded = job.decode(file, &[], || digest = digest_of(file));
        let digest = digest.map_err(named)?;
        let (decoded, protections) = decoded?;
        job.analysis(digest, bytes, decoded, protections)
    }

    /// Decodes an open file, from its start, as far as `spans` reach, and gives the sound of each as the fingerprint
    /// hears it, in 16 bits; shorter than asked for, or empty, where the file ends before. `name` is used in messages only.
    ///
    /// # Errors
    /// As [`Self::analyse`]; [`Error::TooMuch`] for more than eight spans, or one that is longer than
    /// [`AudioSpan::SAMPLES_MAX`].
    pub fn cut(&self, file: &File, name: &str, spans: &[AudioSpan]) -> Result<Vec<Pcm>, Error> {
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        if !cutting::may_be_cut(spans) {
            return Err(Error::TooMuch { name: name.to_owned() });
        }
        let bytes = self.length_of(file, name)?;
        let mut bounded = self.clone();
        bounded.limits.reply_bytes = cutting::reply_bytes(spans).min(self.limits.reply_bytes);
        let job = Job { decoder: &bounded, name, seconds: self.limits.seconds_for(bytes) };
        let (decoded, _) = job.decode(file, spans, || {})?;
        cutting::sounds(spans, &decoded.parts)
            .map_err(|source| Error::Reply { name: name.to_owned(), source })
    }

    /// The length of a regular file that is not too long.
    pub(super) fn length_of(&self, file: &File, name: &str) -> Result<u64, Error> {
        let metadata = file.metadata().map_err(|source| Error::Read { name: name.to_owned(), source })?;
        let (bytes, limit) = (metadata.len(), self.limits.file_bytes);
        if !metadata.is_file() {
            return Err(Error::NotAFile { name: name.to_owned() });
        }
        if bytes > limit {
            return Err(Error::TooLarge { name: name.to_owned(), bytes, limit });
        }
        Ok(bytes)
    }
}

/// Content that means nothing to us under a name that does is what the name says.
pub(super) fn under_its_name<T>(file: &Path, result: Result<T, Error>) -> Result<T, Error> {
    match (result, audio::scheme_by_name(file)) {
        (Err(Error::Audio { name, source }), Some(scheme)) if may_be_encrypted(&source) => {
            let source = audio::Error::Encrypted { scheme: scheme.to_owned() };
            Err(Error::Audio { name, source })
        }
        (result, _) => result,
    }
}

/// Opens without waiting for the other end of a named pipe.
pub(in crate::scan) fn open(file: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().read(true).custom_flags(NONBLOCK).open(file)
}

/// `O_NONBLOCK`; it means nothing on regular files, and a pipe is refused once it is open.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

fn may_be_encrypted(error: &audio::Error) -> bool {
    use audio::Error as E;
    matches!(error, E::NotAudio { .. } | E::Unsupported { .. } | E::Damaged { .. })
}

/// Digests a file without moving its cursor, which the worker shares.
pub(in crate::scan) fn digest_of(file: &File) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut at = 0;
    loop {
        let got = file.read_at(&mut buffer, at)?;
        if got == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..got]);
        at += got as u64;
    }
}

/// One file's work.
pub(super) struct Job<'a> {
    pub(super) decoder: &'a Decoder,
    pub(super) name: &'a str,
    pub(super) seconds: u64,
}

/// How a child ended.
pub(super) struct Ended {
    pub(super) stdout: Vec<u8>,
    /// The end of what it said on stderr.
    pub(super) stderr: String,
    pub(super) status: Option<ExitStatus>,
    pub(super) timed_out: bool,
}

impl Job<'_> {
    pub(super) fn command(&self, task: &[OsString]) -> Command {
        let limits = &self.decoder.limits;
        let mut command = Command::new(&self.decoder.program);
        command
            .arg("decode-worker")
            .args([OsStr::new("--memory"), OsStr::new(&limits.memory_bytes.to_string())])
            .args([OsStr::new("--cpu"), OsStr::new(&self.seconds.to_string())])
            .args(task)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn start(&self, command: &mut Command) -> Result<Child, Error> {
        command.spawn().map_err(|source| Error::Start { program: self.decoder.program.clone(), source })
    }

    /// Decodes a file, through ffmpeg where it must be, and does `meanwhile` beside it.
    fn decode(
        &self,
        file: &File,
        spans: &[AudioSpan],
        meanwhile: impl FnOnce(),
    ) -> Result<(Decoded, Protections), Error> {
        let named = |source| Error::Read { name: self.name.to_owned(), source };
        let cut: Vec<OsString> =
            spans.iter().flat_map(|span| ["--cut".into(), cutting::span_text(span).into()]).collect();
        let mut task = cut.clone();
        task.extend(self.decoder.fault.iter().flat_map(|fault| ["--fault".into(), fault.into()]));
        let stdin = Stdio::from(file.try_clone().map_err(named)?);
        let ended = self.run(&task, stdin, meanwhile)?;
        match self.read(&ended) {
            Err(Error::Audio {
                source: audio::Error::Unsupported { format, demuxer: Some(demuxer) },
                ..
            }) if self.decoder.ffmpeg.is_some() => self.through_ffmpeg(file, (&format, &demuxer), &cut),
            other => other,
        }
    }

    /// Runs a worker to its end, and `meanwhile` beside it.
    fn run(&self, task: &[OsString], stdin: Stdio, meanwhile: impl FnOnce()) -> Result<Ended, Error> {
        let child = self.start(self.command(task).stdin(stdin))?;
        Ok(wait(child, Duration::from_secs(self.seconds), self.decoder.limits.reply_bytes, meanwhile))
    }

    /// Reads a worker's answer.
    fn read(&self, ended: &Ended) -> Result<(Decoded, Protections), Error> {
        let name = || self.name.to_owned();
        if ended.timed_out {
            return Err(Error::TimedOut { name: name(), seconds: self.seconds });
        }
        match parse_reply(&ended.stdout) {
            Ok(reply) => {
                let decoded = reply.outcome.map_err(|source| Error::Audio { name: name(), source })?;
                Ok((decoded, reply.protections))
            }
            Err(source) => Err(self.death(ended).unwrap_or(Error::Reply { name: name(), source })),
        }
    }

    /// Says how a worker died, if it did.
    pub(super) fn death(&self, ended: &Ended) -> Option<Error> {
        let name = self.name.to_owned();
        let status = ended.status.filter(|status| !status.success())?;
        if ended.stderr.contains("memory allocation of") || ended.stderr.contains("capacity overflow") {
            return Some(Error::OutOfMemory { name, limit_mib: self.decoder.limits.memory_bytes >> 20 });
        }
        let how = match (status.signal(), panic_message(&ended.stderr)) {
            (Some(SIGXCPU), _) => return Some(Error::TimedOut { name, seconds: self.seconds }),
            // Our own kill follows the end of its output: it had said all, and more than it may.
            (Some(SIGKILL), _) if ended.stdout.len() as u64 > self.decoder.limits.reply_bytes => return None,
            (_, Some(message)) => message,
            (Some(signal), None) => format!("signal {signal}"),
            (None, None) => format!("exit code {}", status.code().unwrap_or(-1)),
        };
        Some(Error::Crashed { name, how })
    }

    /// Lets ffmpeg decode, and a worker analyse what comes out, or cut spans out of it.
    fn through_ffmpeg(
        &self,
        file: &File,
        (format, demuxer): (&str, &str),
        cut: &[OsString],
    ) -> Result<(Decoded, Protections), Error> {
        let (decoding, samples, mut task) = self.start_ffmpeg(file, format, demuxer)?;
        task.extend_from_slice(cut);
        let ended = self.run(&task, samples, || {});
        // The worker has seen the end of the samples, or died: ffmpeg is of no more use either way.
        let by_ffmpeg = wait(decoding, Duration::from_secs(1), 0, || {});
        let complaint = last_complaint(&by_ffmpeg.stderr);
        match self.read(&ended?) {
            Ok((mut decoded, protections)) => {
                decoded.info.warnings.extend(complaint.map(|line| format!("ffmpeg says: {line}")));
                Ok((decoded, protections))
            }
            Err(Error::Audio { name, source: audio::Error::Damaged { format, what } }) => {
                let what = complaint.map_or(what, |line| format!("ffmpeg says: {line}"));
                Err(Error::Audio { name, source: audio::Error::Damaged { format, what } })
            }
            other => other,
        }
    }

    /// Starts an ffmpeg on a file; gives it, its samples, and the task of a worker that analyses them.
    pub(super) fn start_ffmpeg(
        &self,
        file: &File,
        format: &str,
        demuxer: &str,
    ) -> Result<(Child, Stdio, Vec<OsString>), Error> {
        let named = |source| Error::Read { name: self.name.to_owned(), source };
        let program = self.decoder.ffmpeg.as_deref().unwrap_or(Path::new("ffmpeg"));
        let seconds_max = audio::Limits::default().duration_max_s as u64;
        let mut task: Vec<OsString> = vec!["--".into()];
        task.extend(ffmpeg::arguments(program, demuxer, seconds_max));
        rewind(file).map_err(named)?;
        let stdin = Stdio::from(file.try_clone().map_err(named)?);
        let mut decoding = self.start(self.command(&task).stdin(stdin))?;
        let samples = decoding.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let shape = format!("{}:{}", ffmpeg::RATE_HZ, ffmpeg::CHANNELS);
        let task = vec!["--samples".into(), shape.into(), "--format".into(), format.into()];
        Ok((decoding, samples, task))
    }

    fn analysis(
        &self,
        digest: Digest,
        bytes: u64,
        decoded: Decoded,
        protections: Protections,
    ) -> Result<Analysis, Error> {
        let mut fingerprints = Vec::new();
        for (view, encoded) in decoded.parts {
            let fingerprint = fingerprint::decode(&encoded).map_err(|error| Error::Reply {
                name: self.name.to_owned(),
                source: super::ReplyError::Fingerprint(error.to_string()),
            })?;
            fingerprints.push((view, fingerprint));
        }
        Ok(Analysis { digest, bytes, info: decoded.info, fingerprints, protections })
    }
}

const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

/// Picks the message out of a Rust panic: the line after "panicked at".
fn panic_message(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().skip_while(|line| !line.contains("panicked at")).skip(1);
    lines.next().map(|line| line.chars().take(200).collect())
}

/// The last line that says something.
pub(super) fn last_complaint(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().rev().map(str::trim);
    lines
        .find(|line| !line.is_empty() && !line.contains("message repeated"))
        .map(|line| line.chars().take(200).collect())
}

fn rewind(mut file: &File) -> io::Result<()> {
    io::Seek::rewind(&mut file)
}

/// Bytes of stderr that are kept: the end, where a panic's message is.
const STDERR_BYTES: usize = 8 * 1024;

/// Waits for a child to end its output, at most `time`, and then makes sure that it is gone.
pub(super) fn wait(mut child: Child, time: Duration, stdout_max: u64, meanwhile: impl FnOnce()) -> Ended {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (ended, on_end) = mpsc::channel();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut bytes = Vec::new();
            if let Some(stdout) = stdout {
                // One byte more than allowed tells an answer that is too long from one that fits.
                let _ = stdout.take(stdout_max.saturating_add(1)).read_to_end(&mut bytes);
                let _ = ended.send(());
            }
            bytes
        });
        let complaints = scope.spawn(move || stderr.map(last_of).unwrap_or_default());
        meanwhile();
        let timed_out = on_end.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout);
        // A process that is ending keeps its own exit code; one that lingers is ended.
        let _ = child.kill();
        let status = child.wait().ok();
        Ended {
            stdout: reader.join().unwrap_or_default(),
            stderr: complaints.join().unwrap_or_default(),
            status,
            timed_out,
        }
    })
}

/// Reads to the end, keeps the last part.
pub(super) fn last_of(mut reader: impl Read) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(got @ 1..) = reader.read(&mut buffer) {
        kept.extend_from_slice(&buffer[..got]);
        let excess = kept.len().saturating_sub(STDERR_BYTES);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
