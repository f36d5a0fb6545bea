//! `decode-worker`: the child process that decodes. Not for people; see [`crate::scan::worker`].

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;

use crate::base::AudioSpan;
use crate::scan::worker::{ChildJob, Task, parse_span, run_child};

/// Arguments of `decode-worker`.
#[derive(Debug, Args)]
pub(super) struct WorkerArgs {
    /// Address space in bytes
    #[arg(long)]
    memory: u64,
    /// CPU time in seconds
    #[arg(long)]
    cpu: u64,
    /// The parent raises the CPU time as audio goes by
    #[arg(long)]
    renewed: bool,
    /// Send peaks as they are found
    #[arg(long)]
    stream: bool,
    /// Seconds of audio to be analysed at most
    #[arg(long, default_value_t = crate::audio::Limits::default().duration_max_s)]
    audio: f64,
    /// Stdin holds samples, not a file: RATE:CHANNELS
    #[arg(long, value_name = "RATE:CHANNELS", value_parser = samples)]
    samples: Option<(u32, usize)>,
    /// The format that the samples come from
    #[arg(long, default_value = "")]
    format: String,
    /// Give the sound of this span: TRACK:VIEW:FIRST:SAMPLES
    #[arg(long, value_name = "TRACK:VIEW:FIRST:SAMPLES", value_parser = parse_span)]
    cut: Vec<AudioSpan>,
    /// Misbehave
    #[cfg(debug_assertions)]
    #[arg(long)]
    fault: Option<String>,
    /// Become this program
    #[arg(last = true)]
    ffmpeg: Vec<OsString>,
}

/// Does the work. Must be called before settings are read or logging starts: nothing of the user's is touched.
pub(super) fn run(args: WorkerArgs) -> ExitCode {
    #[cfg(debug_assertions)]
    let fault = args.fault.map(Task::Fault);
    #[cfg(not(debug_assertions))]
    let fault = None;
    let task = match (fault, args.samples) {
        (Some(fault), _) => fault,
        _ if !args.ffmpeg.is_empty() => Task::Ffmpeg(args.ffmpeg),
        (None, Some((rate_hz, channels))) => Task::Samples { rate_hz, channels, format: args.format },
        (None, None) => Task::Decode,
    };
    run_child(&ChildJob {
        memory_bytes: args.memory,
        cpu_s: args.cpu,
        cpu_is_renewed: args.renewed,
        streams: args.stream,
        audio_s: args.audio,
        spans: args.cut,
        task,
    })
}

fn samples(text: &str) -> Result<(u32, usize), String> {
    let parsed =
        text.split_once(':').and_then(|(rate, channels)| Some((rate.parse().ok()?, channels.parse().ok()?)));
    parsed.filter(|(_, channels)| (1..=2).contains(channels)).ok_or_else(|| "RATE:1 or RATE:2".to_owned())
}
