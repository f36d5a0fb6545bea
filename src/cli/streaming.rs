//! `identify` on what comes in time: pipes, live streams, and files whose spans are printed on the way.

use std::fs::File;
use std::io::{IsTerminal as _, stdin};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::identify::{Answer, Search, is_pipe};
use super::scanning::cancel_on_ctrl_c;
use super::{Context, Usage, output};
use crate::audio::MediaInfo;
use crate::base::chain;
use crate::matching::{Match, SpanEvent, Stretches};
use crate::net::{self, Client, Followed, Progress};
use crate::scan::worker::{Error, Feed, FeedSender, Input, Listen, Listened};
use crate::scan::{SpanTold, StreamIdentifier};

/// Options of streams.
#[derive(Debug, clap::Args)]
pub(super) struct StreamOptions {
    /// Stop after so many seconds of audio; of a stream also after so many seconds by the clock
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=8_640_000))]
    for_s: Option<u64>,
    /// How often in a row a live stream that broke off is asked for again (after 1, 2, 4, … 30 s)
    #[arg(long, value_name = "N", default_value_t = 5, requires = "follow")]
    retries: u32,
    /// Allow streams at addresses that are not public (loopback, private networks)
    #[arg(long, requires = "follow")]
    allow_private: bool,
    /// Match stretches of so many seconds of audio [default: by the kind of input]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(20..=3600), hide = true)]
    stretch: Option<u32>,
}

impl StreamOptions {
    /// The stretches that are matched, where nothing else was asked for.
    pub(super) fn stretches(&self, usual: Stretches) -> Stretches {
        self.stretch.map_or(usual, |seconds| Stretches::of_length(f64::from(seconds)))
    }

    /// The audio that is listened to, in seconds.
    pub(super) fn audio_s(&self) -> Option<f64> {
        self.for_s.map(|seconds| seconds as f64)
    }
}

/// A span, when it is confirmed.
#[derive(Serialize)]
struct SpanLine<'a> {
    query: &'a str,
    span: &'a Match,
    confirmed_at_s: f64,
}

/// What was heard to begin.
#[derive(Serialize)]
struct BeganLine<'a> {
    query: &'a str,
    began: &'a Match,
    told_at_s: f64,
}

/// What became of an input.
pub(super) struct Heard {
    pub(super) answer: Answer,
    /// Ctrl-C, or nobody reads any more.
    pub(super) was_stopped: bool,
}

/// Reads an input as a URL, if it is one.
pub(super) fn url_of(input: &Path) -> Option<Url> {
    let text = input.to_str().filter(|text| text.contains("://"))?;
    Url::parse(text).ok()
}

/// Listens to one input to its end, and prints each span when it is confirmed.
pub(super) fn listen(
    context: &Context,
    search: &Search<'_>,
    input: &Path,
    follow: bool,
    options: &StreamOptions,
) -> anyhow::Result<Heard> {
    let query = input.display().to_string();
    let telling = |stop| Telling { context, query: &query, tells_beginnings: follow, stop };
    let how = Listen { is_live: follow, audio_s: options.audio_s() };
    let stretches = |usual| options.stretches(if follow { Stretches::LIVE } else { usual });
    if !is_pipe(input) && !follow {
        return Ok(telling(None).hear(search, stretches(Stretches::FILE), |hear| {
            search.decoder.listen_file(input, how, hear).map(|(info, _)| info)
        }));
    }
    let stop = Stop::new(options.for_s)?;
    let telling = telling(Some(&stop));
    if let Some(url) = url_of(input) {
        return followed(&telling, search, &url, options, &stop);
    }
    let source = standard_input()?;
    let (source, usual) = if source.metadata()?.is_file() {
        (Input::File(source), Stretches::FILE)
    } else {
        let (stopper, feed) = Feed::of_reader(source);
        stop.when_wanted(stopper);
        (Input::Feed(feed), Stretches::PIPE)
    };
    let mut heard = telling.hear(search, stretches(usual), |hear| {
        search.decoder.listen(source, "standard input", how, hear).map(|(info, _)| info)
    });
    heard.was_stopped |= stop.by_hand();
    Ok(heard)
}

fn standard_input() -> anyhow::Result<File> {
    if stdin().is_terminal() {
        let text = "`-` reads audio from a pipe, and standard input is a terminal";
        return Err(Usage(text.to_owned()).into());
    }
    Ok(File::from(stdin().as_fd().try_clone_to_owned()?))
}

/// Follows a live stream: the network on a thread of its own, which feeds the worker.
fn followed(
    telling: &Telling<'_>,
    search: &Search<'_>,
    url: &Url,
    options: &StreamOptions,
    stop: &Stop,
) -> anyhow::Result<Heard> {
    let mut settings = telling.context.settings.fetch.clone();
    settings.allow_private |= options.allow_private;
    let client = Client::new(&settings)?;
    let how = Listen { is_live: true, audio_s: options.audio_s() };
    let (sender, feed) = Feed::new();
    stop.when_wanted(sender.stopper());
    std::thread::scope(|scope| {
        let network = scope.spawn(|| {
            stop.runtime.block_on(receive(
                telling.context,
                &client,
                url,
                options.retries,
                sender,
                &stop.cancel,
            ))
        });
        let mut heard = telling.hear(search, options.stretches(Stretches::LIVE), |hear| {
            search.decoder.listen(Input::Feed(feed), telling.query, how, hear).map(|(info, _)| info)
        });
        heard.was_stopped |= stop.by_hand();
        // The worker has enough; the network may be waiting for bytes.
        stop.cancel.cancel();
        let received = network.join().unwrap_or(Err(Failure::Other("the network's thread ended".to_owned())));
        // That nothing came explains that there was no audio, not the other way round.
        if let Err(failure) = received {
            heard.answer.error = Some(match failure {
                Failure::Net(error) => chain(&error),
                Failure::Other(text) => text,
            });
        }
        Ok(heard)
    })
}

/// Why a stream was not received to its end.
enum Failure {
    Net(net::Error),
    Other(String),
}

/// Receives a stream until it ends or `cancel`.
async fn receive(
    context: &Context,
    client: &Client,
    url: &Url,
    retries: u32,
    sender: FeedSender,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let mut playlist = None;
    let mut tell = |progress: Progress<'_>| {
        match progress {
            Progress::Opened(live) => {
                tracing::info!("listening to {}", live.final_url);
                playlist = playlist_kind(live.content_type.as_deref());
                return playlist.is_none();
            }
            Progress::Again(error, seconds) => {
                let why = error.map_or_else(|| "the stream ended".to_owned(), ToString::to_string);
                output::note(context, &format!("{why}; trying again in {seconds} s"));
            }
        }
        !sender.stopped()
    };
    let mut give = |chunk| sender.send(chunk);
    let following = net::follow(client, url, retries, &mut tell, &mut give);
    let followed = tokio::select! {
        followed = Box::pin(following) => followed,
        () = cancel.cancelled() => Ok(Followed::Enough),
    };
    if let Some(kind) = playlist {
        return Err(Failure::Other(playlist_message(url, kind)));
    }
    match followed {
        Ok(Followed::Enough | Followed::Whole) => Ok(()),
        Ok(Followed::Ended) => {
            output::note(context, "the stream ended");
            Ok(())
        }
        Ok(Followed::Lost(error)) | Err(error) => Err(Failure::Net(error)),
    }
}

/// Which playlist a Content-Type names, if it does.
fn playlist_kind(content_type: Option<&str>) -> Option<&'static str> {
    let kind = content_type?.split(';').next()?.trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/vnd.apple.mpegurl" | "application/x-mpegurl" => Some("HLS"),
        "audio/x-mpegurl" | "audio/mpegurl" => Some("M3U"),
        "audio/x-scpls" | "application/pls+xml" => Some("PLS"),
        _ => None,
    }
}

fn playlist_message(url: &Url, kind: &str) -> String {
    let url = net::shown(url);
    let way = match kind {
        "HLS" => format!(
            "HLS is not followed yet; let ffmpeg play it: ffmpeg -i {url} -f wav - | earwitness identify --follow -"
        ),
        _ => "follow the URL of a stream that it names".to_owned(),
    };
    format!("{url} is a playlist ({kind}), not a stream; {way}")
}

/// What ends a stream from our side: Ctrl-C, and the clock.
struct Stop {
    runtime: tokio::runtime::Runtime,
    cancel: CancellationToken,
    seconds: Option<u64>,
}

impl Stop {
    fn new(seconds: Option<u64>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let cancel = CancellationToken::new();
        runtime.spawn(cancel_on_ctrl_c(cancel.clone()));
        Ok(Self { runtime, cancel, seconds })
    }

    /// Stops the feed on Ctrl-C or when the time is over.
    fn when_wanted(&self, feed: FeedSender) {
        let cancel = self.cancel.clone();
        let seconds = self.seconds.unwrap_or(u64::MAX >> 32);
        self.runtime.spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            }
            feed.stop();
        });
    }

    fn by_hand(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// Whom spans are told to.
struct Telling<'a> {
    context: &'a Context,
    query: &'a str,
    tells_beginnings: bool,
    /// What to stop once nobody reads any more.
    stop: Option<&'a Stop>,
}

impl Telling<'_> {
    /// Hears a source out, and prints the spans.
    fn hear(
        &self,
        search: &Search<'_>,
        stretches: Stretches,
        source: impl FnOnce(&mut dyn FnMut(Listened)) -> Result<MediaInfo, Error>,
    ) -> Heard {
        let mut identifier = StreamIdentifier::new(search.index, search.options, stretches);
        let mut nobody_reads = false;
        let mut tell = |told: SpanTold| {
            nobody_reads |= !self.print(&told);
            if let (true, Some(stop)) = (nobody_reads, self.stop) {
                stop.cancel.cancel();
            }
        };
        let ended = source(&mut |heard| identifier.hear(heard, &mut tell));
        let summary = identifier.finish(ended, &mut tell);
        Heard { answer: Answer::new(self.query.to_owned(), summary), was_stopped: nobody_reads }
    }

    /// Prints what became known; returns whether anybody reads it.
    fn print(&self, told: &SpanTold) -> bool {
        let query = self.query;
        let at_s = told.heard_s;
        match &told.event {
            SpanEvent::Began(_) if !self.tells_beginnings => true,
            SpanEvent::Began(began) if self.context.json => {
                self.print_json(&BeganLine { query, began, told_at_s: at_s })
            }
            SpanEvent::Confirmed(span) if self.context.json => {
                self.print_json(&SpanLine { query, span, confirmed_at_s: at_s })
            }
            SpanEvent::Began(began) => {
                let (start, _) = clock(began);
                let (id, how) = (&began.recording_id, output::alteration(began));
                output::line_is_read(&format!("{start} …  {id} begins ({how})"))
            }
            SpanEvent::Confirmed(span) => {
                let (start, end) = clock(span);
                let (id, how) = (&span.recording_id, output::alteration(span));
                let of = output::span(span.reference_start_s, span.reference_end_s);
                let sure = span.log10_false_match;
                output::line_is_read(&format!(
                    "{start} – {end}  {id}  {of}, {how}, log10 false match {sure:.1}"
                ))
            }
        }
    }

    fn print_json(&self, line: &impl Serialize) -> bool {
        // Nothing in it can fail to be encoded: it holds text and finite numbers.
        serde_json::to_string(line).is_ok_and(|text| output::line_is_read(&text))
    }
}

fn clock(span: &Match) -> (String, String) {
    let text = output::span(span.query_start_s, span.query_end_s);
    let (start, end) = text.split_once(" – ").unwrap_or((text.as_str(), ""));
    (start.to_owned(), end.to_owned())
}
