//! The parent's side of a stream: feed a worker, hear its frames, make sure that it ends.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::feed::{Feed, Opening};
use super::frames::{Ending, Frame, FrameReader};
use super::parent::{Ended, Job, last_complaint, last_of, open, under_its_name, wait};
use super::{Decoder, Error, Protections, ReplyError, Tick, protect};
use crate::audio;
use crate::fingerprint::TIME_STEPS_PER_S;

/// Where the bytes of a stream come from.
pub enum Input {
    /// A regular file: may be read with jumps, and has an end.
    File(File),
    /// Bytes as they come.
    Feed(Feed),
}

/// How a stream is listened to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listen {
    /// It may never end: it is not spooled to a file where its container needs one.
    pub is_live: bool,
    /// Seconds of audio after which the rest is left alone; `None` for the usual limit of files, none for streams.
    pub audio_s: Option<f64>,
}

/// What is heard.
#[derive(Debug)]
pub enum Listened {
    /// More peaks.
    Peaks(Tick),
    /// An audio track has ended, after so many steps.
    TrackEnd(u32),
}

/// Seconds of CPU time that a worker gets for each minute of audio, over [`super::WorkerLimits::seconds`].
const CPU_S_PER_MINUTE: u64 = 30;
/// Audio that a stream may have when nobody says otherwise, in seconds: the time stamps reach further.
const LIVE_AUDIO_S: f64 = 100.0 * 24.0 * 3600.0;
/// How often a silent worker's CPU time is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Frames that wait for the matcher: back-pressure beyond.
const FRAMES: usize = 16;

impl Decoder {
    /// As [`Self::listen`], for a file by its name.
    ///
    /// # Errors
    /// As [`Self::listen`].
    pub fn listen_file(
        &self,
        file: &Path,
        how: Listen,
        hear: &mut dyn FnMut(Listened),
    ) -> Result<(audio::MediaInfo, Protections), Error> {
        let name = file.display().to_string();
        let opened = open(file).map_err(|source| Error::Read { name: name.clone(), source })?;
        under_its_name(file, self.listen(Input::File(opened), &name, how, hear))
    }

    /// Decodes and analyses audio of any length, and hands on its peaks as they are found; `name` is used in
    /// messages only. Returns what the media is once it has ended.
    ///
    /// # Errors
    /// [`Error`], one line naming the input; what was heard before it remains true.
    pub fn listen(
        &self,
        input: Input,
        name: &str,
        how: Listen,
        hear: &mut dyn FnMut(Listened),
    ) -> Result<(audio::MediaInfo, Protections), Error> {
        let named = |source| Error::Read { name: name.to_owned(), source };
        match input {
            Input::File(file) => {
                let seconds = self.limits.seconds_for(self.length_of(&file, name)?);
                let session = Session { job: Job { decoder: self, name, seconds }, how, feed: None };
                let stdin = Stdio::from(file.try_clone().map_err(named)?);
                match session.run(&[], stdin, hear) {
                    Err(Error::Audio {
                        source: audio::Error::Unsupported { format, demuxer: Some(demuxer) },
                        ..
                    }) if self.ffmpeg.is_some() => session.through_ffmpeg(&file, &format, &demuxer, hear),
                    result => result,
                }
            }
            Input::Feed(feed) => {
                let opening = Opening::new();
                let job = Job { decoder: self, name, seconds: self.limits.seconds };
                let session = Session { job, how, feed: Some((&feed, &opening)) };
                let result = session.run(&[], Stdio::piped(), hear);
                match (&result, opening.take()) {
                    (Err(Error::Audio { source, .. }), Some(head)) if !how.is_live && wants_file(source) => {
                        let file = self.spool(&head, &feed, name)?;
                        self.listen(Input::File(file), name, how, hear)
                    }
                    _ => result,
                }
            }
        }
    }

    /// Keeps a stream in a temporary file without a name, up to the limit for files.
    fn spool(&self, head: &[u8], feed: &Feed, name: &str) -> Result<File, Error> {
        let limit = self.limits.file_bytes;
        let spooled = || -> io::Result<Option<File>> {
            let mut file = tempfile::tempfile()?;
            file.write_all(head)?;
            let whole = feed.drain(&mut file, limit.saturating_sub(head.len() as u64))?;
            file.rewind()?;
            Ok(whole.then_some(file))
        };
        let file = spooled().map_err(|source| Error::Read { name: name.to_owned(), source })?;
        file.ok_or_else(|| Error::TooLarge { name: name.to_owned(), bytes: limit.saturating_add(1), limit })
    }
}

/// Whether a stream could be read if it were a file.
fn wants_file(error: &audio::Error) -> bool {
    matches!(error, audio::Error::NeedsFile { .. } | audio::Error::Unsupported { demuxer: Some(_), .. })
}

/// One worker on one stream.
struct Session<'a> {
    job: Job<'a>,
    how: Listen,
    feed: Option<(&'a Feed, &'a Opening)>,
}

/// What became of a worker's frames.
enum Outcome {
    Ending(Box<Ending>),
    Wrong(ReplyError),
    TimedOut(u64),
}

type Told = Result<(audio::MediaInfo, Protections), Error>;

impl Session<'_> {
    /// Runs a worker to its end.
    fn run(&self, task: &[OsString], stdin: Stdio, hear: &mut dyn FnMut(Listened)) -> Told {
        let mut arguments: Vec<OsString> = vec!["--stream".into()];
        if self.feed.is_some() {
            arguments.push("--renewed".into());
        }
        let usual = self.feed.map(|_| LIVE_AUDIO_S);
        if let Some(seconds) = self.how.audio_s.or(usual) {
            arguments.extend(["--audio".into(), seconds.to_string().into()]);
        }
        if let Some(fault) = &self.job.decoder.fault {
            arguments.extend(["--fault".into(), fault.into()]);
        }
        arguments.extend_from_slice(task);
        let mut command = self.job.command(&arguments);
        // Ctrl-C is for this process; the worker then sees the end of its input.
        command.process_group(0).stdin(stdin);
        let child = self.job.start(&mut command)?;
        let (outcome, ended) = self.follow(child, hear);
        let name = || self.job.name.to_owned();
        match outcome {
            Outcome::Ending(ending) => {
                let Ending { protections, outcome } = *ending;
                let info = outcome.map_err(|source| Error::Audio { name: name(), source })?;
                Ok((info, protections))
            }
            Outcome::TimedOut(seconds) => Err(Error::TimedOut { name: name(), seconds }),
            Outcome::Wrong(ReplyError::CutOff) => {
                let source = ReplyError::CutOff;
                Err(self.job.death(&ended).unwrap_or(Error::Reply { name: name(), source }))
            }
            // It said what it must not, and its death is our doing.
            Outcome::Wrong(source) => Err(Error::Reply { name: name(), source }),
        }
    }

    /// Feeds the worker, hears its frames, and ends it.
    fn follow(&self, mut child: Child, hear: &mut dyn FnMut(Listened)) -> (Outcome, Ended) {
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (to_us, frames) = mpsc::sync_channel(FRAMES);
        let (done, fed) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| self.pump(stdin, &done, &fed));
            scope.spawn(move || {
                let Some(stdout) = stdout else { return };
                let mut reader = FrameReader::new(io::BufReader::new(stdout));
                while let Some(frame) = reader.next().transpose() {
                    let failed = frame.is_err();
                    if to_us.send(frame).is_err() || failed {
                        return;
                    }
                }
            });
            let complaints = scope.spawn(move || stderr.map(last_of).unwrap_or_default());
            let outcome = self.hear(&frames, child.id(), &fed, hear);
            // A reader that waits to hand on a frame must not wait for ever.
            drop(frames);
            done.store(true, Ordering::Relaxed);
            let _ = child.kill();
            let status = child.wait().ok();
            let stderr = complaints.join().unwrap_or_default();
            let timed_out = matches!(outcome, Outcome::TimedOut(_));
            (outcome, Ended { stdout: Vec::new(), stderr, status, timed_out })
        })
    }

    fn pump(&self, stdin: Option<ChildStdin>, done: &AtomicBool, fed: &AtomicBool) {
        if let (Some((feed, opening)), Some(stdin)) = (self.feed, stdin) {
            feed.pump(stdin, opening, done);
        }
        fed.store(true, Ordering::Relaxed);
    }

    /// Hands on what the worker says until it has ended, or for as long as it may take. Our own time, in `hear`,
    /// does not count against it; a stream's time counts only once all of it was given.
    fn hear(
        &self,
        frames: &Receiver<Result<Frame, ReplyError>>,
        worker: u32,
        fed: &AtomicBool,
        hear: &mut dyn FnMut(Listened),
    ) -> Outcome {
        let limit = Duration::from_secs(self.job.seconds);
        let mut waited = Duration::ZERO;
        let mut cpu = CpuBudget { worker, seconds: self.job.seconds, minutes: 0 };
        loop {
            let began = Instant::now();
            let frame = frames.recv_timeout(LOOK.min(limit.saturating_sub(waited)));
            if fed.load(Ordering::Relaxed) {
                waited += began.elapsed();
            }
            match frame {
                Ok(Ok(Frame::Peaks(tick))) => {
                    if let Some((_, opening)) = self.feed {
                        drop(opening.take());
                        cpu.renew(tick.complete_to);
                    }
                    hear(Listened::Peaks(tick));
                }
                Ok(Ok(Frame::TrackEnd(steps))) => hear(Listened::TrackEnd(steps)),
                Ok(Ok(Frame::End(ending))) => return Outcome::Ending(ending),
                Ok(Err(error)) => return Outcome::Wrong(error),
                Err(RecvTimeoutError::Timeout) if waited >= limit => {
                    return Outcome::TimedOut(self.job.seconds);
                }
                Err(RecvTimeoutError::Timeout) if cpu.is_overdrawn() => {
                    return Outcome::TimedOut(cpu.allowed());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Outcome::Wrong(ReplyError::CutOff),
            }
        }
    }

    /// Lets ffmpeg decode, and a worker analyse what comes out.
    fn through_ffmpeg(
        &self,
        file: &File,
        format: &str,
        demuxer: &str,
        hear: &mut dyn FnMut(Listened),
    ) -> Told {
        let (decoding, samples, task) = self.job.start_ffmpeg(file, format, demuxer)?;
        let told = self.run(&task, samples, hear);
        // The worker has seen the end of the samples, or died: ffmpeg is of no more use either way.
        let by_ffmpeg = wait(decoding, Duration::from_secs(1), 0, || {});
        let complaint = last_complaint(&by_ffmpeg.stderr).map(|line| format!("ffmpeg says: {line}"));
        match told {
            Ok((mut info, protections)) => {
                info.warnings.extend(complaint);
                Ok((info, protections))
            }
            Err(Error::Audio { name, source: audio::Error::Damaged { format, what } }) => {
                let what = complaint.unwrap_or(what);
                Err(Error::Audio { name, source: audio::Error::Damaged { format, what } })
            }
            other => other,
        }
    }
}

/// The CPU time of a worker on a stream, which grows with the audio.
struct CpuBudget {
    worker: u32,
    seconds: u64,
    minutes: u64,
}

impl CpuBudget {
    fn allowed(&self) -> u64 {
        self.seconds.saturating_add(CPU_S_PER_MINUTE.saturating_mul(self.minutes))
    }

    fn renew(&mut self, complete_to: u32) {
        let minutes = (f64::from(complete_to) / TIME_STEPS_PER_S / 60.0) as u64;
        if minutes > self.minutes {
            self.minutes = minutes;
            protect::renew_cpu(self.worker, self.allowed());
        }
    }

    /// The kernel's signal was not heeded.
    fn is_overdrawn(&self) -> bool {
        protect::cpu_used_s(self.worker).is_some_and(|used| used > self.allowed().saturating_add(5))
    }
}
