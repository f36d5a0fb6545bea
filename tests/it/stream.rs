//! `earwitness identify` on what comes in time: pipes, live streams, and long files.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use earwitness::audio;
use earwitness::base::ChannelView;
use earwitness::fingerprint::Peak;
use earwitness::scan::worker::{Decoder, Error, Feed, Input, Listen, Listened, WorkerLimits};
use serde_json::Value;

use crate::music::{excerpt, music, write_wav};
use crate::support::earwitness;

const RATE_HZ: u32 = 11_025;

/// A store with recordings `1` to `count`, two minutes each.
struct House {
    folder: tempfile::TempDir,
    recordings: Vec<Vec<f32>>,
}

impl House {
    fn new(count: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("catalogue")).unwrap();
        let recordings: Vec<Vec<f32>> = (1..=count).map(|seed| music(seed, 120.0, RATE_HZ)).collect();
        for (number, samples) in (1..).zip(&recordings) {
            write_wav(&folder.path().join(format!("catalogue/{number}.wav")), samples, RATE_HZ, 1);
        }
        earwitness(folder.path()).args(["catalog", "add", "catalogue"]).assert().success();
        Self { folder, recordings }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts `identify --json` with all its ends in our hand.
    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"));
        command.current_dir(self.path()).env("EARWITNESS_STORE", self.path().join("store"));
        command.env_remove("EARWITNESS_CONFIG").args(["identify", "--json"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Feeds `bytes` in pieces, as fast as they are taken, and returns what was said.
    fn piped(&self, arguments: &[&str], bytes: &[u8], piece: usize) -> Said {
        let mut child = self.start(arguments);
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for piece in bytes.chunks(piece) {
                    // It may have heard enough.
                    if stdin.write_all(piece).is_err() {
                        break;
                    }
                }
            });
            Said::of(child)
        })
    }
}

/// What a process said, by line.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    began: Vec<Value>,
    spans: Vec<Value>,
    summaries: Vec<Value>,
    stderr: String,
}

impl Said {
    fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut said =
            Self { code: output.status.code(), began: vec![], spans: vec![], summaries: vec![], stderr };
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            let list = if value.get("span").is_some() {
                &mut said.spans
            } else if value.get("began").is_some() {
                &mut said.began
            } else {
                &mut said.summaries
            };
            list.push(value);
        }
        said
    }

    /// The only summary's matches.
    #[track_caller]
    fn matches(&self) -> &[Value] {
        let [summary] = &self.summaries[..] else { panic!("{self:#?}") };
        summary["matches"].as_array().unwrap()
    }
}

/// (recording, start, end) of matches.
fn spans(matches: &[Value]) -> Vec<(String, f64, f64)> {
    let number = |one: &Value, field: &str| one[field].as_f64().unwrap();
    let span = |one: &Value| {
        let id = one["recording_id"].as_str().unwrap().to_owned();
        (id, number(one, "query_start_s"), number(one, "query_end_s"))
    };
    matches.iter().map(span).collect()
}

#[track_caller]
fn assert_alike(found: &[(String, f64, f64)], wanted: &[(String, f64, f64)], within_s: f64) {
    let alike = found.len() == wanted.len()
        && found
            .iter()
            .zip(wanted)
            .all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() <= within_s && (a.2 - b.2).abs() <= within_s);
    assert!(alike, "found {found:#?}\nwanted {wanted:#?}");
}

fn pcm(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|sample| ((sample * 32767.0).round() as i16).to_le_bytes()).collect()
}

/// The head of a WAV file of 16-bit mono whose writer does not know its length, as one who writes into a pipe.
fn endless_wav_head() -> Vec<u8> {
    let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    bytes.extend(RATE_HZ.to_le_bytes());
    bytes.extend((2 * RATE_HZ).to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data\xff\xff\xff\xff");
    bytes
}

/// Adds `part` at `at_s`, faded in and out over `fade_s`.
fn mix_in(mix: &mut Vec<f32>, part: &[f32], at_s: f64, fade_s: f64) {
    let (at, fade) = ((at_s * f64::from(RATE_HZ)) as usize, fade_s * f64::from(RATE_HZ));
    mix.resize(mix.len().max(at + part.len()), 0.0);
    for (n, sample) in part.iter().enumerate() {
        let near = n.min(part.len() - 1 - n) as f64;
        mix[at + n] += 0.7 * sample * (near / fade).min(1.0) as f32;
    }
}

/// Six and a half minutes of four recordings, one after the other with crossfades, and a stranger.
fn set(recordings: &[Vec<f32>]) -> Vec<f32> {
    let part = |n: usize, from, to| excerpt(&recordings[n], RATE_HZ, from, to);
    let mut mix = Vec::new();
    mix_in(&mut mix, &part(0, 0.0, 110.0), 0.0, 4.0);
    mix_in(&mut mix, &part(1, 20.0, 115.0), 106.0, 4.0);
    mix_in(&mut mix, &part(2, 5.0, 75.0), 197.0, 4.0);
    mix_in(&mut mix, &music(99, 50.0, RATE_HZ), 263.0, 4.0);
    mix_in(&mut mix, &part(3, 10.0, 90.0), 309.0, 4.0);
    mix
}

#[test]
fn a_set_is_told_alike_as_file_as_pipe_and_in_small_stretches() {
    let house = House::new(4);
    let mix = set(&house.recordings);
    write_wav(&house.path().join("set.wav"), &mix, RATE_HZ, 1);
    let file = Said::of(house.start(&["set.wav"]));
    let wanted = spans(file.matches());
    assert_eq!(wanted.iter().map(|span| span.0.as_str()).collect::<Vec<_>>(), ["1", "2", "3", "4"]);

    let stretched = Said::of(house.start(&["set.wav", "--stretch", "60", "--spans"]));
    assert_alike(&spans(stretched.matches()), &wanted, 1.0);

    let mut bytes = endless_wav_head();
    bytes.extend(pcm(&mix));
    let piped = house.piped(&["-"], &bytes, 7001);
    assert_eq!(piped.code, Some(0), "{piped:#?}");
    assert_alike(&spans(piped.matches()), &wanted, 1.0);
    assert_eq!(piped.summaries[0]["query"], "-");
    assert_eq!(piped.summaries[0]["warnings"], Value::Array(vec![]));

    // What was told on the way is what the summary says, and was told before the end, but for the last.
    let told: Vec<Value> = piped.spans.iter().map(|line| line["span"].clone()).collect();
    assert_eq!(told, piped.matches());
    let length_s = piped.summaries[0]["duration_s"].as_f64().unwrap();
    for line in &piped.spans[..3] {
        assert_eq!(line["query"], "-");
        assert!(line["confirmed_at_s"].as_f64().unwrap() < length_s - 30.0, "{line:#}");
    }
}

#[test]
fn spans_come_while_the_pipe_is_open() {
    let house = House::new(1);
    let mut child = house.start(&["-", "--follow"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    stdin.write_all(&endless_wav_head()).unwrap();
    let part = excerpt(&house.recordings[0], RATE_HZ, 30.0, 60.0);
    stdin.write_all(&pcm(&part)).unwrap();
    // Nothing more is written before this line has come.
    let began: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(began["began"]["recording_id"], "1", "{began:#}");
    assert!(began["told_at_s"].as_f64().unwrap() <= 15.0, "{began:#}");
    stdin.write_all(&pcm(&music(88, 60.0, RATE_HZ))).unwrap();
    let span: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_alike(&spans(&[span["span"].clone()]), &[("1".to_owned(), 0.0, 30.0)], 1.5);
    drop(stdin);
    let summary: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(summary["matches"].as_array().unwrap().len(), 1);
    assert!(lines.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_killed_feeder_leaves_what_was_heard() {
    let house = House::new(1);
    let mut whole = endless_wav_head();
    whole.extend(pcm(&excerpt(&house.recordings[0], RATE_HZ, 0.0, 40.0)));
    fs::write(house.path().join("half"), &whole).unwrap();
    // Writes what there is, and then waits for a thing that never comes.
    let mut feeder = Command::new("sh")
        .args(["-c", "cat half; echo fed >&2; read never"])
        .current_dir(house.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"));
    command.current_dir(house.path()).env("EARWITNESS_STORE", house.path().join("store"));
    command.args(["identify", "--json", "-"]).stdin(feeder.stdout.take().unwrap());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(command); // holds the reading end as well
    let mut fed = [0; 3];
    feeder.stderr.take().unwrap().read_exact(&mut fed).unwrap();
    feeder.kill().unwrap();
    feeder.wait().unwrap();
    let said = Said::of(child);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert_alike(&spans(said.matches()), &[("1".to_owned(), 0.0, 40.0)], 1.0);
}

#[test]
fn pipes_of_what_is_no_audio_are_told() {
    let house = House::new(1);
    let mut random = crate::music::Random(5);
    let garbage: Vec<u8> = (0..3_000_000).map(|_| random.next() as u8).collect();
    for (bytes, text) in [
        (&b""[..], "empty"),
        (&b"<!DOCTYPE html><html>no radio here</html>"[..], "an HTML page"),
        (&b"#EXTM3U\nhttp://radio.example/stream\n"[..], "a playlist"),
        (&garbage, "no known audio format"),
    ] {
        let said = house.piped(&["-"], bytes, 65536);
        assert_eq!(said.code, Some(3), "{said:#?}");
        assert!(said.summaries[0]["error"].as_str().unwrap().contains(text), "{said:#?}");
        assert!(said.matches().is_empty());
    }
}

#[test]
fn wrong_uses_are_explained() {
    let house = House::new(1);
    for (arguments, text) in [
        (&["http://radio.example/live"][..], "--follow http://radio.example/live"),
        (&["--follow", "a.mp3"], "takes a URL"),
        (&["--follow", "http://a.example/", "http://b.example/"], "one stream"),
        (&["-", "-"], "once"),
        (&["a.mp3", "--retries", "2"], "--follow"),
    ] {
        let said = house.piped(arguments, b"", 1);
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert!(said.stderr.contains(text), "{said:#?}");
    }
}

/// Hours of cheap audio through a pipe: neither process may grow with them.
#[test]
fn memory_does_not_grow_with_the_stream() {
    let house = House::new(1);
    let mut random = crate::music::Random(7);
    // A quiet minute with little in it, again and again; and silence for as long.
    let minute: Vec<f32> =
        music(66, 60.0, RATE_HZ).iter().map(|sample| sample + (random.unit() * 0.01) as f32).collect();
    let minute = pcm(&minute);
    let silence = vec![0; minute.len()];
    let mut child = house.start(&["-"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut peaks_kib: Vec<u64> = Vec::new();
    stdin.write_all(&endless_wav_head()).unwrap();
    for _ in 0..3 {
        for _ in 0..4 {
            stdin.write_all(&minute).unwrap();
        }
        for _ in 0..16 {
            stdin.write_all(&silence).unwrap();
        }
        peaks_kib.push(peak_kib(child.id()).max(workers_of(child.id()).map(peak_kib).max().unwrap_or(0)));
    }
    drop(stdin);
    let said = Said::of(child);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.matches().is_empty(), "{said:#?}");
    assert!((said.summaries[0]["duration_s"].as_f64().unwrap() - 60.0 * 60.0).abs() < 1.0);
    assert!(peaks_kib.iter().all(|&kib| kib > 0 && kib < 200 * 1024), "{peaks_kib:?} KiB");
    // After the first third nothing new is needed.
    assert!(peaks_kib[2] < peaks_kib[0] + 16 * 1024, "{peaks_kib:?} KiB");
}

/// The most memory that a process has had resident, in KiB.
fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The processes that `process` has started.
fn workers_of(process: u32) -> impl Iterator<Item = u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let children = tasks.flatten().map(|task| fs::read_to_string(task.path().join("children")));
    let children: String = children.map(Result::unwrap_or_default).collect();
    children.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>().into_iter()
}

/// A server on loopback that answers each connection with `answer` and counts them.
fn serve(answer: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let (answer, counted) = (Arc::new(answer), Arc::clone(&count));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || answer(number, stream));
        }
    });
    (address, count)
}

/// Reads a request's head.
fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

/// Audio with a title after every `distance` bytes.
fn with_titles(audio: &[u8], distance: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, part) in audio.chunks(distance).enumerate() {
        bytes.extend(part);
        if part.len() == distance {
            let length = (number % 3) as u8;
            bytes.push(length);
            bytes.extend(b"StreamTitle='RI'".repeat(usize::from(length)));
        }
    }
    bytes
}

/// WAV has no frames to find again: a title left in would shift every sample by a byte or make noise.
fn radio(house: &House, seconds: f64) -> Vec<u8> {
    let mut bytes = endless_wav_head();
    bytes.extend(pcm(&excerpt(&house.recordings[0], RATE_HZ, 20.0, 20.0 + seconds)));
    bytes
}

#[test]
fn an_icy_stream_without_end_is_followed_for_a_while() {
    let house = House::new(1);
    for status in ["ICY 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200 OK"] {
        let stream = with_titles(&[radio(&house, 60.0), pcm(&music(55, 60.0, RATE_HZ))].concat(), 4097);
        let head = format!("{status}\r\ncontent-type: audio/x-wav\r\nicy-metaint: 4097\r\n\r\n");
        let (address, _) = serve(move |_, mut socket| {
            assert!(request(&mut socket).contains("icy-metadata: 1"));
            let _ = socket.write_all(head.as_bytes());
            let _ = socket.write_all(&stream);
            // Never ends: waits until the other side has had enough.
            let _ = socket.read(&mut [0]);
        });
        let url = format!("http://{address}/live");
        let said = Said::of(house.start(&["--follow", &url, "--for", "100", "--allow-private"]));
        assert_eq!(said.code, Some(0), "{status}: {said:#?}");
        assert_alike(&spans(said.matches()), &[("1".to_owned(), 0.0, 60.0)], 1.0);
        assert_eq!(said.began.len(), 1, "{said:#?}");
        assert_eq!(said.spans.len(), 1, "{said:#?}");
        assert_eq!(said.summaries[0]["query"], url.as_str());
        assert!((said.summaries[0]["duration_s"].as_f64().unwrap() - 100.0).abs() < 2.0, "{said:#?}");
    }
}

#[test]
fn a_stream_that_breaks_off_is_asked_for_again() {
    let house = House::new(1);
    let (first, second) = (radio(&house, 30.0), pcm(&music(55, 40.0, RATE_HZ)));
    let (address, count) = serve(move |number, mut socket| {
        request(&mut socket);
        let part = if number == 0 { &first } else { &second };
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/x-wav\r\n\r\n");
        let _ = socket.write_all(part);
    });
    let url = format!("http://{address}/");
    let said = Said::of(house.start(&["--follow", &url, "--for", "60", "--allow-private"]));
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(count.load(Ordering::SeqCst) >= 2);
    assert!(said.stderr.contains("trying again in 1 s"), "{said:#?}");
    assert_alike(&spans(said.matches()), &[("1".to_owned(), 0.0, 30.0)], 1.0);
}

#[test]
fn streams_that_are_none_are_explained() {
    let house = House::new(1);
    let (address, _) = serve(|_, mut socket| {
        let request = request(&mut socket);
        let answer: &[u8] = if request.starts_with("get /list.m3u8") {
            b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.apple.mpegurl\r\ncontent-length: 7\r\n\r\n#EXTM3U"
        } else if request.starts_with("get /page") {
            b"HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n<html>no radio</html>"
        } else {
            b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"
        };
        let _ = socket.write_all(answer);
    });
    for (path, text) in
        [("list.m3u8", "HLS is not followed"), ("page", "HTML page"), ("none", "answered 404")]
    {
        let url = format!("http://{address}/{path}");
        let said = Said::of(house.start(&["--follow", &url, "--allow-private", "--retries", "0"]));
        assert_eq!(said.code, Some(3), "{said:#?}");
        assert!(said.summaries[0]["error"].as_str().unwrap().contains(text), "{said:#?}");
    }
    let said = Said::of(house.start(&["--follow", &format!("http://{address}/live")]));
    assert!(said.stderr.contains("is not public"), "{said:#?}");
}

#[test]
fn an_interrupt_ends_a_stream_in_good_order() {
    let house = House::new(1);
    let stream = radio(&house, 40.0);
    let (address, _) = serve(move |_, mut socket| {
        request(&mut socket);
        let _ = socket.write_all(b"ICY 200 OK\r\n\r\n");
        let _ = socket.write_all(&stream);
        let _ = socket.read(&mut [0]);
    });
    let url = format!("http://{address}/");
    let mut child = house.start(&["--follow", &url, "--allow-private"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let began: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(began["began"]["recording_id"], "1");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let [span, summary] = &rest[..] else { panic!("{rest:#?}") };
    assert_eq!(span["span"]["recording_id"], "1");
    assert_eq!(summary["error"], Value::Null);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn decoder() -> Decoder {
    Decoder::new(assert_cmd::cargo::cargo_bin!("earwitness").to_path_buf()).with_ffmpeg(None)
}

/// The peaks of the first track, by view, and what the media is.
type Peaks = Vec<(ChannelView, Peak)>;

fn listened(decoder: &Decoder, input: Input, how: Listen) -> (Peaks, Result<audio::MediaInfo, Error>) {
    let (mut peaks, mut tracks) = (Vec::new(), 0);
    let info = decoder.listen(input, "it", how, &mut |heard| match heard {
        Listened::Peaks(tick) if tracks == 0 => {
            peaks.extend(tick.views.iter().flat_map(|(view, some)| some.iter().map(|peak| (*view, *peak))));
        }
        Listened::Peaks(_) => {}
        Listened::TrackEnd(_) => tracks += 1,
    });
    (peaks, info.map(|(info, _)| info))
}

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio")
}

#[test]
fn every_format_sounds_the_same_through_a_pipe() {
    let mut heard = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let open = || Input::File(fs::File::open(&path).unwrap());
        let pipe = || Input::Feed(Feed::of_reader(std::io::Cursor::new(bytes.clone())).1);
        let (from_file, file) = listened(&decoder(), open(), Listen::default());
        let (from_pipe, piped) = listened(&decoder(), pipe(), Listen::default());
        assert!(from_file == from_pipe, "{path:?}: {} and {} peaks", from_file.len(), from_pipe.len());
        match (file, piped) {
            (Ok(file), Ok(piped)) => {
                assert_eq!((&file.container, &file.codec), (&piped.container, &piped.codec));
                assert_eq!(file.duration_s, piped.duration_s);
                heard += 1;
            }
            (Err(file), Err(piped)) => assert_eq!(file.to_string(), piped.to_string()),
            (file, piped) => panic!("{path:?}: {file:?} but {piped:?}"),
        }
    }
    assert!(heard >= 25, "{heard} files");
}

#[test]
fn a_live_stream_is_not_kept_in_a_file() {
    let bytes = fs::read(fixtures().join("alac.m4a")).unwrap();
    let at = |name: &[u8]| bytes.windows(4).position(|window| window == name).unwrap();
    // Only then can it not be read as it comes.
    assert!(at(b"moov") > at(b"mdat"));
    let feed = Feed::of_reader(std::io::Cursor::new(bytes)).1;
    let how = Listen { is_live: true, ..Listen::default() };
    let error = listened(&decoder(), Input::Feed(feed), how).1.unwrap_err().to_string();
    assert!(error.contains("save it to a file first"), "{error}");
}

#[test]
fn a_worker_that_misbehaves_on_a_stream_costs_one_clear_error() {
    // Filling the memory takes a while on a busy machine; spinning must take all that it may.
    let error = |fault: &str| {
        let seconds = if fault == "spin" { 1 } else { 30 };
        let limits = WorkerLimits { seconds, memory_bytes: 512 << 20, ..WorkerLimits::default() };
        let decoder = decoder().with_limits(limits).with_fault(fault);
        let feed = Feed::of_reader(std::io::repeat(0)).1;
        listened(&decoder, Input::Feed(feed), Listen::default()).1.unwrap_err()
    };
    let crashed = error("panic");
    assert!(matches!(&crashed, Error::Crashed { how, .. } if how == "told to panic"), "{crashed}");
    let hungry = error("allocate");
    assert!(matches!(hungry, Error::OutOfMemory { limit_mib: 512, .. }), "{hungry}");
    let stuck = error("spin");
    assert!(matches!(stuck, Error::TimedOut { .. }), "{stuck}");
    for fault in ["babble", "truncate"] {
        let nonsense = error(fault);
        assert!(matches!(nonsense, Error::Reply { .. }), "{fault}: {nonsense:?}");
    }
}
