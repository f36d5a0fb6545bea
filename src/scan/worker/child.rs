//! The child's side: limit myself, decode what stands on stdin, answer on stdout.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::process::ExitCode;

use super::cutting::Cutting;
use super::frames::Ending;
use super::reply::Decoded;
use super::sending::Sending;
use super::{Protections, Reply, protect};
use crate::audio::{self, Block, Limits, MediaInfo, Source};
use crate::base::{AudioSpan, ChannelView};
use crate::fingerprint::{self, Analyzer};

/// What a child is to do, and its limits.
#[derive(Debug, Clone)]
pub struct ChildJob {
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// CPU time in seconds.
    pub cpu_s: u64,
    /// Whether the parent raises the limit on CPU time as audio goes by.
    pub cpu_is_renewed: bool,
    /// Send peaks as they are found (`frames.rs`) in place of one reply at the end.
    pub streams: bool,
    /// Seconds of audio after which the rest is left alone.
    pub audio_s: f64,
    /// Give the sound of these spans, in place of fingerprints; none: fingerprints.
    pub spans: Vec<AudioSpan>,
    /// The task itself.
    pub task: Task,
}

/// The tasks of a child.
#[derive(Debug, Clone)]
pub enum Task {
    /// Decode the file on stdin.
    Decode,
    /// Analyse samples on stdin: interleaved little-endian 32-bit floats, as ffmpeg was told to write them.
    Samples {
        /// Samples a second.
        rate_hz: u32,
        /// Channels, one or two.
        channels: usize,
        /// The format they come from, for the answer.
        format: String,
    },
    /// Become ffmpeg, under limits of its own.
    Ffmpeg(Vec<std::ffi::OsString>),
    /// Misbehave, for tests of the parent. Debug builds only.
    #[cfg(debug_assertions)]
    Fault(String),
}

/// Audio tracks of one file that are analysed.
pub(super) const TRACKS_MAX: usize = 4;

/// Does the job of a worker process; to be called before anything else is read or opened.
#[must_use]
pub fn run_child(job: &ChildJob) -> ExitCode {
    let protections = protect::limits(job.memory_bytes, job.cpu_s, job.cpu_is_renewed);
    if let Task::Ffmpeg(arguments) = &job.task {
        return protect::become_ffmpeg(arguments);
    }
    let protections = protect::seal(&protections);
    if job.streams && matches!(job.task, Task::Decode | Task::Samples { .. }) {
        return stream(job, protections);
    }
    let outcome = match &job.task {
        Task::Decode if job.spans.is_empty() => decode_stdin(),
        Task::Decode => cut_stdin(&job.spans),
        Task::Samples { rate_hz, channels, format } => {
            decode_samples((format, *rate_hz, *channels), &job.spans)
        }
        Task::Ffmpeg(_) => return ExitCode::FAILURE,
        #[cfg(debug_assertions)]
        Task::Fault(fault) => return misbehave(fault, &protections),
    };
    answer(&Reply { protections, outcome })
}

fn answer(reply: &Reply) -> ExitCode {
    match reply.write(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Decodes what stands or comes on stdin, and sends its peaks as they are found.
fn stream(job: &ChildJob, protections: Protections) -> ExitCode {
    let mut sending = Sending::new(io::stdout().lock());
    let limits = Limits { duration_max_s: job.audio_s, ..Limits::default() };
    let outcome = match &job.task {
        Task::Samples { rate_hz, channels, format } => {
            let input: &mut dyn Read = &mut io::BufReader::with_capacity(1 << 16, io::stdin().lock());
            let described = (format.as_str(), *rate_hz, *channels);
            audio::decode_samples(input, described, &limits, &mut |block| sending.push(block))
                .inspect(|_| sending.end_track())
        }
        _ => stream_stdin(&limits, &mut sending),
    };
    if sending.end(Ending { protections, outcome }) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn stream_stdin(
    limits: &Limits,
    sending: &mut Sending<io::StdoutLock<'_>>,
) -> Result<MediaInfo, audio::Error> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let is_file = file.metadata()?.is_file();
    let mut source = if is_file { Source::file(file)? } else { Source::pipe(file) };
    let mut info = audio::decode(&mut source, 0, limits, &mut |block| sending.push(block))?;
    sending.end_track();
    // Other tracks are beside the first, and a pipe cannot go back for them.
    let tracks = if is_file { info.tracks.min(TRACKS_MAX) } else { 1 };
    for track in 1..tracks {
        match audio::decode(&mut source, track, limits, &mut |block| sending.push(block)) {
            Ok(_) => sending.end_track(),
            Err(error) => {
                sending.end_track();
                info.warnings.push(format!("audio track {}: {error}", track + 1));
            }
        }
    }
    if info.tracks > tracks {
        info.warnings.push(match tracks {
            1 => "only the first audio track of a stream is analysed".to_owned(),
            _ => format!("only the first {TRACKS_MAX} audio tracks were analysed"),
        });
    }
    Ok(info)
}

/// Decodes the file on stdin, each of its audio tracks.
fn decode_stdin() -> Result<Decoded, audio::Error> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut source = Source::file(file)?;
    let mut views = ViewAnalyzers::default();
    let limits = Limits::default();
    let mut info = audio::decode(&mut source, 0, &limits, &mut |block| views.push(block))?;
    let mut parts = views.finish();
    for track in 1..info.tracks.min(TRACKS_MAX) {
        let mut views = ViewAnalyzers::default();
        match audio::decode(&mut source, track, &limits, &mut |block| views.push(block)) {
            Ok(_) => parts.extend(views.finish()),
            Err(error) => info.warnings.push(format!("audio track {}: {error}", track + 1)),
        }
    }
    if info.tracks > TRACKS_MAX {
        info.warnings.push(format!("only the first {TRACKS_MAX} audio tracks were analysed"));
    }
    Ok(Decoded { info, parts })
}

/// Decodes the file on stdin, as far as the spans reach, and cuts them out.
fn cut_stdin(spans: &[AudioSpan]) -> Result<Decoded, audio::Error> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut source = Source::file(file)?;
    let mut cutting = Cutting::new(spans);
    let mut first = None;
    for track in 0..TRACKS_MAX {
        let Some(limits) = cutting.begin(track) else { continue };
        let info = audio::decode(&mut source, track, &limits, &mut |block| cutting.push(block))?;
        first.get_or_insert(info);
    }
    let info = first.ok_or(audio::Error::Empty)?;
    Ok(Decoded { info, parts: cutting.finish() })
}

/// Analyses the samples on stdin, which are of one track; or cuts spans out of them.
fn decode_samples(described: (&str, u32, usize), spans: &[AudioSpan]) -> Result<Decoded, audio::Error> {
    let mut cutting = Cutting::new(spans);
    let cut_limits = cutting.begin(0);
    let mut views = ViewAnalyzers::default();
    let input = io::BufReader::with_capacity(1 << 16, io::stdin().lock());
    let input: &mut dyn Read = &mut { input };
    if let Some(limits) = cut_limits {
        let info = audio::decode_samples(input, described, &limits, &mut |block| cutting.push(block))?;
        return Ok(Decoded { info, parts: cutting.finish() });
    }
    let info: MediaInfo =
        audio::decode_samples(input, described, &Limits::default(), &mut |block| views.push(block))?;
    Ok(Decoded { info, parts: views.finish() })
}

/// One analyser a view, made when the view is first needed.
#[derive(Default)]
pub struct ViewAnalyzers {
    analyzers: [Option<Analyzer>; 4],
    /// Samples so far.
    samples: usize,
}

/// Silence is pushed in pieces of this many samples.
const SILENCE: [f32; 4096] = [0.0; 4096];

impl ViewAnalyzers {
    /// Takes the next block of a decoder.
    pub fn push(&mut self, block: &Block<'_>) {
        let views = [Some(block.mid), block.side, block.left, block.right];
        for (analyzer, view) in self.analyzers.iter_mut().zip(views) {
            match (analyzer, view) {
                (Some(analyzer), Some(view)) => analyzer.push(view),
                (Some(analyzer), None) => silence(analyzer, block.mid.len()),
                (empty @ None, Some(view)) => {
                    // A view that starts late has been silent so far: its time stays aligned with mid's.
                    let analyzer = empty.insert(Analyzer::new());
                    silence(analyzer, self.samples);
                    analyzer.push(view);
                }
                (None, None) => {}
            }
        }
        self.samples += block.mid.len();
    }

    /// Gives the views with their encoded fingerprints.
    #[must_use]
    pub fn finish(self) -> Vec<(ChannelView, Vec<u8>)> {
        let views = ChannelView::ALL.into_iter().zip(self.analyzers);
        views.filter_map(|(view, analyzer)| Some((view, fingerprint::encode(&analyzer?.finish())))).collect()
    }
}

/// Feeds an analyser silence, so that a view that is not given keeps its time.
pub(super) fn silence(analyzer: &mut Analyzer, samples: usize) {
    let mut left = samples;
    while left > 0 {
        let piece = left.min(SILENCE.len());
        analyzer.push(&SILENCE[..piece]);
        left -= piece;
    }
}

/// Does what a decoder must not do.
#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn misbehave(fault: &str, protections: &super::Protections) -> ExitCode {
    use std::io::Write as _;
    match fault {
        "panic" => panic!("told to panic"),
        "allocate" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1u8; 64 << 20]);
                std::hint::black_box(&hoard);
            }
        }
        "spin" => loop {
            std::hint::spin_loop();
        },
        "babble" => loop {
            let _ = io::stdout().write_all(&[b'x'; 65536]);
        },
        "truncate" => {
            let _ = io::stdout().write_all(b"EWR1\xff\xff\xff\x00");
            ExitCode::SUCCESS
        }
        // Says what is still possible under the seal.
        "escape" => {
            let file = File::open("/etc/hostname").is_ok() || File::open("/proc/self/status").is_ok();
            let socket = std::net::TcpListener::bind("127.0.0.1:0").is_ok();
            let child = std::process::Command::new("/bin/true").spawn().is_ok();
            let found = format!("file {file}, socket {socket}, process {child}");
            answer(&Reply {
                protections: protections.clone(),
                outcome: Err(audio::Error::Io { what: found }),
            })
        }
        _ => ExitCode::FAILURE,
    }
}
