//! Decoding: every native format, bad input, and workers that misbehave.

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use earwitness::audio::{self, Block, Limits, MediaInfo, Source};
use earwitness::base::{ANALYSIS_RATE_HZ, AudioSpan, ChannelView, Digest};
use earwitness::scan::worker::{Analysis, Decoder, Error, WorkerLimits, analyse_all};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap()
}

fn decoder() -> Decoder {
    Decoder::new(assert_cmd::cargo::cargo_bin!("earwitness").to_path_buf()).with_ffmpeg(None)
}

/// The info, mid, and how many blocks had a side and how many left and right.
type Heard = (MediaInfo, Vec<f32>, (usize, usize));

/// Decodes in this process.
fn decode(bytes: &[u8]) -> Result<Heard, audio::Error> {
    let (mut mid, mut views) = (Vec::new(), (0, 0));
    let mut consume = |block: &Block<'_>| {
        mid.extend_from_slice(block.mid);
        views.0 += usize::from(block.side.is_some());
        views.1 += usize::from(block.left.is_some());
    };
    let info = audio::decode(&mut Source::bytes(bytes), 0, &Limits::default(), &mut consume)?;
    Ok((info, mid, views))
}

/// The amplitude of a tone in `samples` (Goertzel).
fn tone(samples: &[f32], hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / f64::from(ANALYSIS_RATE_HZ);
    let (re, im) = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (i, sample)| {
        let (sin, cos) = (step * i as f64).sin_cos();
        (re + f64::from(*sample) * cos, im + f64::from(*sample) * sin)
    });
    2.0 * (re * re + im * im).sqrt() / samples.len().max(1) as f64
}

fn assert_chord(name: &str, samples: &[f32]) {
    let middle = &samples[samples.len() / 8..samples.len() * 7 / 8];
    let heard = tone(middle, 440.0);
    assert!(heard > 0.1 && heard < 0.6, "{name}: 440 Hz at {heard}");
    assert!(tone(middle, 659.255) > 0.02, "{name}: no fifth");
    assert!(tone(middle, 1000.0) < 0.02, "{name}: 1 kHz");
}

/// A WAV file of 16-bit samples; `frame(i)` gives the channels of frame `i`.
fn wav(rate_hz: u32, frames: usize, frame: impl Fn(usize) -> Vec<f32>) -> Vec<u8> {
    let channels = frame(0).len() as u16;
    let mut data = Vec::new();
    for i in 0..frames {
        for sample in frame(i) {
            data.extend(((sample * 32767.0) as i16).to_le_bytes());
        }
    }
    let mut file = wav_header(1, 16, channels, rate_hz, data.len() as u32);
    file.extend(data);
    file
}

fn wav_header(coding: u16, bits: u16, channels: u16, rate_hz: u32, bytes: u32) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut file = b"RIFF".to_vec();
    file.extend(bytes.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend(coding.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz.saturating_mul(u32::from(block))).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file
}

fn sine(rate_hz: u32, hz: f32, i: usize) -> f32 {
    0.3 * (std::f32::consts::TAU * hz * i as f32 / rate_hz as f32).sin()
}

#[test]
fn every_native_format_decodes_to_its_length_and_tones() {
    let formats = [
        ("mp3_cbr.mp3", "MP3", 44_100, 2),
        ("mp3_vbr.mp3", "MP3", 44_100, 2),
        ("mp3_mono_22k.mp3", "MP3", 22_050, 1),
        ("mp2.mp2", "MP2", 44_100, 2),
        ("aac.aac", "AAC", 44_100, 2),
        ("aac.m4a", "AAC", 44_100, 2),
        ("aac_fragmented.mp4", "AAC", 44_100, 2),
        ("aac.mkv", "AAC", 44_100, 2),
        ("aac.ts", "AAC", 44_100, 2),
        ("mp3.ts", "MP3", 44_100, 2),
        ("video.mp4", "AAC", 44_100, 2),
        ("alac.m4a", "ALAC", 16_000, 1),
        ("alac.caf", "ALAC", 16_000, 1),
        ("flac16.flac", "FLAC", 16_000, 1),
        ("flac24.flac", "FLAC", 8_000, 1),
        ("flac.oga", "FLAC", 16_000, 1),
        ("vorbis.ogg", "Vorbis", 22_050, 1),
        ("vorbis.mka", "Vorbis", 22_050, 1),
        ("vorbis_6ch.ogg", "Vorbis", 22_050, 6),
        ("opus.opus", "Opus", 48_000, 2),
        ("opus.webm", "Opus", 48_000, 2),
        ("opus_speech.opus", "Opus", 48_000, 1),
        ("mulaw.wav", "PCM u-law", 8_000, 1),
        ("alaw.wav", "PCM A-law", 8_000, 1),
        ("adpcm.wav", "ADPCM", 8_000, 1),
        ("u8.wav", "PCM", 8_000, 1),
    ];
    for (name, codec, rate_hz, channels) in formats {
        let (info, mid, views) = decode(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (info.codec.as_str(), info.sample_rate_hz, info.channels),
            (codec, rate_hz, channels),
            "{name}"
        );
        assert!((info.duration_s - 2.0).abs() < 0.15, "{name}: {} s", info.duration_s);
        assert_eq!(views.1, 0, "{name}: channels that are alike are not looked at one by one");
        assert!(channels > 1 || views.0 == 0, "{name}: a mono file costs only mid");
        assert!(info.warnings.is_empty(), "{name}: {:?}", info.warnings);
        assert_chord(name, &mid);
    }
}

#[test]
fn he_aac_decodes_with_its_upper_band() {
    // Our own encoder for the test: the decoder's crate has one, for both versions.
    let rate_hz = 44_100;
    let pcm: Vec<f32> = (0..3 * rate_hz as usize).map(|i| sine(rate_hz, 440.0, i)).collect();
    let options = syom::EncodeOptions::adts().with_bitrate_bps(48_000).with_he(true);
    let adts = syom::encode_with(&[&pcm[..], &pcm[..]], rate_hz, &options).unwrap();
    let (info, mid, _) = decode(&adts).unwrap();
    assert_eq!((info.codec.as_str(), info.sample_rate_hz), ("HE-AAC", rate_hz));
    assert!((info.duration_s - 3.0).abs() < 0.15, "{}", info.duration_s);
    assert!((tone(&mid[5000..28_000], 440.0) - 0.3).abs() < 0.05);
}

#[test]
fn samples_of_all_shapes() {
    for rate_hz in [8_000, 11_025, 44_101, 96_000, 192_000] {
        let file = wav(rate_hz, rate_hz as usize, |i| vec![sine(rate_hz, 440.0, i); 2]);
        let (info, mid, _) = decode(&file).unwrap();
        assert!((info.duration_s - 1.0).abs() < 0.01, "{rate_hz}");
        assert!((tone(&mid[1000..10_000], 440.0) - 0.3).abs() < 0.03, "{rate_hz}");
    }
    // Six channels: music in the front pair, a voice in the centre, noise behind.
    let six = wav(48_000, 96_000, |i| {
        let (music, voice, back) = (sine(48_000, 440.0, i), sine(48_000, 300.0, i), sine(48_000, 2000.0, i));
        vec![music, music, voice, 0.0, back, back]
    });
    let (info, mid, _) = decode(&six).unwrap();
    assert_eq!(info.channels, 6);
    let middle = &mid[2000..20_000];
    assert!(tone(middle, 440.0) > 0.1 && tone(middle, 300.0) > 0.1 && tone(middle, 2000.0) < 0.01);
}

#[test]
fn au_and_rf64() {
    let samples: Vec<i16> = (0..16_000).map(|i| (sine(8_000, 440.0, i) * 32767.0) as i16).collect();
    let mut au = b".snd".to_vec();
    for word in [24u32, 32_000, 3, 8_000, 1] {
        au.extend(word.to_be_bytes());
    }
    au.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
    let mut rf64 = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
    rf64.extend(0u64.to_le_bytes());
    rf64.extend(32_000u64.to_le_bytes());
    rf64.extend([0; 12]);
    rf64.extend(&wav_header(1, 16, 1, 8_000, u32::MAX)[12..]);
    rf64.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    for (name, file) in [("au", au), ("rf64", rf64)] {
        let (info, mid, _) = decode(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!((info.duration_s - 2.0).abs() < 0.01, "{name}");
        assert!((tone(&mid[1000..20_000], 440.0) - 0.3).abs() < 0.02, "{name}");
    }
}

#[test]
fn inverted_phase_and_unlike_channels_ask_for_more_views() {
    let rate_hz = 16_000;
    let frames = 6 * rate_hz as usize;
    let (_, mid, views) = decode(&wav(rate_hz, frames, |i| {
        let sample = sine(rate_hz, 440.0, i);
        vec![sample, -sample]
    }))
    .unwrap();
    assert!(tone(&mid, 440.0) < 1e-3, "mid cancels");
    assert_eq!(views, (6, 0));
    let (_, _, views) =
        decode(&wav(rate_hz, frames, |i| vec![sine(rate_hz, 440.0, i), sine(rate_hz, 700.0, i)])).unwrap();
    assert_eq!(views.1, 6);
}

#[test]
fn broken_mp3_is_decoded_as_far_as_it_goes() {
    let whole = fixture("mp3_cbr.mp3");
    let cut = &whole[..whole.len() * 6 / 10];
    let (info, mid, _) = decode(cut).unwrap();
    assert!(info.duration_s < 1.4 && info.duration_s > 1.0, "{}", info.duration_s);
    assert!(info.warnings.iter().any(|warning| warning.contains("cut off")), "{:?}", info.warnings);
    assert_chord("cut", &mid);

    let garbage: Vec<u8> = (0..5000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let front = [garbage.clone(), whole.clone()].concat();
    assert_chord("garbage in front", &decode(&front).unwrap().1);
    let mut middle = whole.clone();
    middle.splice(4000..4400, garbage.iter().copied());
    let (info, mid, _) = decode(&middle).unwrap();
    assert!(info.duration_s > 1.5, "{}", info.duration_s);
    assert_chord("garbage in the middle", &mid);

    // A tag with 3 MB of padding, as covers leave it; and one at the end.
    let mut tagged = b"ID3\x04\0\0\x01\x40\0\0".to_vec();
    tagged.resize(10 + (1 << 21) + (64 << 14), 0);
    tagged.extend(&whole);
    tagged.extend(b"TAGtitle");
    tagged.resize(tagged.len() + 120, 0);
    let (info, mid, _) = decode(&tagged).unwrap();
    assert!((info.duration_s - 2.0).abs() < 0.15 && info.warnings.is_empty(), "{info:?}");
    assert_chord("tagged", &mid);
}

#[test]
fn free_format_mp3() {
    // Rewrites the bit-rate index of every frame to 0 ("free"); constant frames make that a legal stream.
    let mut file = fixture("mp3_cbr.mp3");
    // The first frame holds LAME's tag and may have a bit rate of its own.
    let start = 500 + file[500..].windows(2).position(|pair| pair == [0xff, 0xfb]).unwrap();
    file.drain(..start);
    let start = 0;
    let header = [file[start], file[start + 1], file[start + 2] & 0xf0];
    let mut frames = 0;
    let mut at = start;
    while at + 4 < file.len() && file[at..at + 2] == header[..2] {
        let padding = usize::from(file[at + 2] >> 1 & 1);
        file[at + 2] &= 0x0f;
        at += 144 * 32_000 / 44_100 + padding;
        frames += 1;
    }
    assert!(frames > 70, "{frames}");
    let (info, mid, _) = decode(&file).unwrap();
    assert!((info.duration_s - 2.0).abs() < 0.15, "{info:?}");
    assert_chord("free format", &mid);
}

#[test]
fn bad_input_gives_one_clear_line() {
    let says = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    assert_eq!(says(b""), "the file is empty");
    assert_eq!(says(b"this is a text\nabout a song\n"), "not audio: this is text");
    assert_eq!(says(b"PK\x03\x04\x14\0\0\0\0\0"), "not audio: this is a ZIP archive");
    assert!(says(&wav_header(1, 16, 2, 44_100, 0xffff_fff0)).starts_with("damaged WAV file"));
    assert!(says(&wav_header(1, 16, 0, 0, 4000)).starts_with("damaged WAV file"));
    let mut no_rate = wav_header(1, 16, 2, 0, 4000);
    no_rate.resize(4044, 1);
    assert!(says(&no_rate).starts_with("damaged WAV file"), "{}", says(&no_rate));
    let mut one_hz = wav_header(1, 16, 2, 1, 4000);
    one_hz.resize(4044, 1);
    assert!(says(&one_hz).contains("sample rate"), "{}", says(&one_hz));
    assert!(says(&fixture("aac.m4a")[..3000]).contains("index (moov)"));
    assert!(says(&fixture("wma.wma")).contains("Windows Media (WMA) is not decoded"));
    assert!(says(b"CTENFDAM\x01\x70\0\0\0\0").contains("encrypted by NetEase"));
    // Not numbers: silence, not an error.
    let mut nan = wav_header(3, 32, 1, 8_000, 64_000);
    (0..16_000).for_each(|i| nan.extend([f32::NAN, f32::INFINITY][i % 2].to_le_bytes()));
    let (info, mid, _) = decode(&nan).unwrap();
    assert!((info.duration_s - 2.0).abs() < 0.01 && mid.iter().all(|sample| *sample == 0.0));
}

#[test]
fn a_worker_analyses_a_file_and_says_how_it_was_protected() {
    let path = fixtures().join("vorbis.ogg");
    let Analysis { digest, bytes, info, fingerprints, protections } = decoder().analyse(&path).unwrap();
    let contents = fixture("vorbis.ogg");
    assert_eq!((digest, bytes), (Digest::of(&contents), contents.len() as u64));
    assert!((info.duration_s - 2.0).abs() < 0.1);
    let views: Vec<ChannelView> = fingerprints.iter().map(|(view, _)| *view).collect();
    assert_eq!(views, [ChannelView::Mid]);
    if cfg!(target_os = "linux") {
        assert!(protections.limits && protections.seccomp, "{protections:?}");
    }
    let from_memory = decoder().analyse_bytes(&contents, "memory").unwrap();
    assert_eq!((from_memory.digest, from_memory.info), (digest, info));

    let tracks = decoder().analyse(&fixtures().join("two_tracks.mkv")).unwrap();
    assert_eq!(tracks.fingerprints.len(), 2, "each audio track is analysed");
    assert!(tracks.info.warnings.iter().any(|warning| warning.contains("2 audio tracks")));
}

#[test]
fn a_worker_that_misbehaves_costs_one_clear_error() {
    let limits = WorkerLimits {
        seconds: 30,
        memory_bytes: 512 << 20,
        reply_bytes: 1 << 20,
        ..WorkerLimits::default()
    };
    let path = fixtures().join("vorbis.ogg");
    let error =
        |fault: &str| decoder().with_limits(limits.clone()).with_fault(fault).analyse(&path).unwrap_err();
    let crashed = error("panic");
    assert!(matches!(&crashed, Error::Crashed { how, .. } if how == "told to panic"), "{crashed}");
    assert!(crashed.to_string().contains("vorbis.ogg"));
    let hungry = error("allocate");
    assert!(matches!(hungry, Error::OutOfMemory { limit_mib: 512, .. }), "{hungry}");
    let hasty = WorkerLimits { seconds: 1, ..limits.clone() };
    let stuck = decoder().with_limits(hasty).with_fault("spin").analyse(&path).unwrap_err();
    assert!(matches!(stuck, Error::TimedOut { .. }), "{stuck}");
    for fault in ["babble", "truncate"] {
        let nonsense = error(fault);
        assert!(matches!(nonsense, Error::Reply { .. }), "{fault}: {nonsense:?}");
    }
    let escape = error("escape").to_string();
    if cfg!(target_os = "linux") {
        assert!(escape.contains("file false, socket false, process false"), "{escape}");
    }
}

#[test]
fn spans_of_every_format_are_what_the_whole_has_there() {
    for name in ["mp3_vbr.mp3", "aac.m4a", "vorbis.ogg", "opus.opus", "flac16.flac", "alac.m4a", "aac.ts"] {
        let (_, whole, _) = decode(&fixture(name)).unwrap();
        let file = std::fs::File::open(fixtures().join(name)).unwrap();
        let rate = f64::from(ANALYSIS_RATE_HZ);
        let length_s = whole.len() as f64 / rate;
        let at = |from_s: f64, to_s: f64| AudioSpan::between(0, ChannelView::Mid, from_s, to_s);
        // Also one that reaches beyond the end, one that lies behind it, and one of nothing.
        let spans = [
            at(0.25, 0.75),
            at(0.0, 120.0),
            at(length_s - 0.1, length_s + 1.0),
            at(1e6, 1e6 + 1.0),
            at(0.5, 0.5),
        ];
        // Twice: the worker shares the file's cursor.
        for _ in 0..2 {
            let cut = decoder().cut(&file, name, &spans).unwrap();
            assert_eq!(cut.len(), spans.len());
            for (span, cut) in spans.iter().zip(&cut) {
                let end = whole.len().min(span.end_sample() as usize);
                let there = &whole[end.min(span.first_sample as usize)..end];
                assert_eq!(cut.samples.len(), there.len(), "{name} {span:?}");
                let near = |(a, b): (&f32, &f32)| (a - b.clamp(-1.0, 1.0)).abs() <= 1.0 / 32_768.0;
                assert!(cut.samples.iter().zip(there).all(near), "{name} {span:?}");
            }
        }
    }
}

#[test]
fn a_span_is_of_the_view_and_the_track_that_is_asked_for() {
    // 440 Hz on the left and 660 Hz on the right.
    let file = wav(44_100, 3 * 44_100, |i| vec![sine(44_100, 440.0, i), sine(44_100, 660.0, i)]);
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), file).unwrap();
    let file = std::fs::File::open(path.path()).unwrap();
    let spans = ChannelView::ALL.map(|view| AudioSpan::between(0, view, 1.0, 2.0));
    let cut = decoder().cut(&file, "two.wav", &spans).unwrap();
    let heard: Vec<(bool, bool)> = cut
        .iter()
        .map(|sound| (tone(&sound.samples, 440.0) > 0.05, tone(&sound.samples, 660.0) > 0.05))
        .collect();
    assert_eq!(heard, [(true, true), (true, true), (true, false), (false, true)]);

    let file = std::fs::File::open(fixtures().join("two_tracks.mkv")).unwrap();
    let spans = [0, 1].map(|track| AudioSpan::between(track, ChannelView::Mid, 0.0, 1.0));
    let cut = decoder().cut(&file, "two_tracks.mkv", &spans).unwrap();
    assert!(cut.iter().all(|sound| sound.samples.len() == ANALYSIS_RATE_HZ as usize));
    let beyond = [AudioSpan::between(2, ChannelView::Mid, 0.0, 1.0)];
    assert!(matches!(decoder().cut(&file, "two_tracks.mkv", &beyond), Err(Error::Audio { .. })));
}

#[test]
fn no_worker_gives_more_than_was_asked_of_it() {
    let file = std::fs::File::open(fixtures().join("vorbis.ogg")).unwrap();
    let span = AudioSpan::between(0, ChannelView::Mid, 0.0, 1.0);
    for fault in ["babble", "truncate"] {
        let error = decoder().with_fault(fault).cut(&file, "x.ogg", &[span]).unwrap_err();
        assert!(matches!(error, Error::Reply { .. }), "{fault}: {error:?}");
    }
    let crashed = decoder().with_fault("panic").cut(&file, "x.ogg", &[span]).unwrap_err();
    assert!(matches!(crashed, Error::Crashed { .. }), "{crashed:?}");
    assert_eq!(decoder().cut(&file, "x.ogg", &[]).unwrap(), []);
    let long = AudioSpan { samples: AudioSpan::SAMPLES_MAX + 1, ..span };
    for spans in [vec![long], vec![span; 9], vec![AudioSpan { track: 4, ..span }]] {
        assert!(matches!(decoder().cut(&file, "x.ogg", &spans), Err(Error::TooMuch { .. })));
    }
}

#[test]
fn mutated_files_never_hurt_the_parent() {
    let mut seed = 0x2545_f491_4f6c_dd1du64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize
    };
    let names =
        ["aac_fragmented.mp4", "aac.m4a", "vorbis.ogg", "opus.webm", "flac16.flac", "aac.ts", "mp3_vbr.mp3"];
    for name in names {
        for _ in 0..6 {
            let mut bytes = fixture(name);
            for _ in 0..1 + random() % 20 {
                // Headers are where it hurts: half of the changes go to the first 600 bytes.
                let range = if random() % 2 == 0 { 600 } else { bytes.len() };
                let at = random() % range;
                bytes[at] = random() as u8;
            }
            match decoder().analyse_bytes(&bytes, name) {
                Ok(_) | Err(Error::Audio { .. } | Error::Crashed { .. } | Error::OutOfMemory { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn hours_cost_no_more_memory_than_a_song() {
    // Four hours, mostly a hole in the file: 660 MB as samples at the analysis rate, in 256 MB of address space.
    let bytes = 4 * 3600 * 8_000u32;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&wav_header(1, 8, 1, 8_000, bytes)).unwrap();
    file.set_len(u64::from(bytes) + 44).unwrap();
    file.rewind().unwrap();
    let limits = WorkerLimits { memory_bytes: 256 << 20, ..WorkerLimits::default() };
    let analysis = decoder().with_limits(limits).analyse_open(&file, "hours.wav").unwrap();
    assert!((analysis.info.duration_s - 4.0 * 3600.0).abs() < 1.0, "{:?}", analysis.info);
}

#[test]
fn many_files_come_back_in_order() {
    let names =
        ["opus.opus", "missing.mp3", "flac16.flac", "README.md", "aac.m4a", "mp2.mp2", ".", "alaw.wav"];
    let files: Vec<PathBuf> = names.iter().map(|name| fixtures().join(name)).collect();
    let mut seen = Vec::new();
    analyse_all(&decoder(), &files, 3, &mut |index, result| {
        seen.push((index, result.is_ok()));
        true
    });
    let good = [true, false, true, false, true, true, false, true];
    assert_eq!(seen, good.into_iter().enumerate().collect::<Vec<_>>());
    let mut count = 0;
    analyse_all(&decoder(), &files, 2, &mut |_, _| {
        count += 1;
        count < 3
    });
    assert_eq!(count, 3);
}

#[test]
fn encrypted_files_are_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.mflac");
    let noise: Vec<u8> = (0..4000u32).map(|i| (i.wrapping_mul(2_246_822_519) >> 11) as u8).collect();
    std::fs::write(&path, noise).unwrap();
    let error = decoder().analyse(&path).unwrap_err().to_string();
    assert!(error.contains("encrypted by QQ Music"), "{error}");
}

/// Stands for ffmpeg: copies its input, which holds samples after a Windows Media header, to its output.
#[cfg(target_os = "linux")]
#[test]
fn other_formats_go_through_an_ffmpeg() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("ffmpeg");
    std::fs::write(&program, "#!/bin/sh\nexec cat\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut file = vec![0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11];
    for i in 0..44_100 {
        let sample = sine(44_100, 440.0, i).to_le_bytes();
        file.extend([sample, sample].concat());
    }
    let analysis = decoder().with_ffmpeg(Some(program.clone())).analyse_bytes(&file, "song.wma").unwrap();
    assert_eq!(analysis.info.container, "Windows Media (WMA)");
    assert!((analysis.info.duration_s - 1.0).abs() < 0.01);

    let mut spooled = tempfile::tempfile().unwrap();
    spooled.write_all(&file).unwrap();
    let span = AudioSpan::between(0, ChannelView::Mid, 0.2, 0.7);
    let cut = decoder().with_ffmpeg(Some(program.clone())).cut(&spooled, "song.wma", &[span]).unwrap();
    assert_eq!(cut[0].samples.len(), span.samples as usize);
    assert!(tone(&cut[0].samples, 440.0) > 0.1);

    std::fs::write(&program, "#!/bin/sh\necho 'moov atom: no such thing' >&2; exit 1\n").unwrap();
    let error = decoder().with_ffmpeg(Some(program)).analyse_bytes(&file, "song.wma").unwrap_err();
    assert!(error.to_string().contains("ffmpeg says: moov atom"), "{error}");
    let error = decoder().analyse_bytes(&file, "song.wma").unwrap_err().to_string();
    assert!(error.contains("install ffmpeg"), "{error}");
}
