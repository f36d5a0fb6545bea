//! Audio that is read by our own parsers: MPEG audio, ADTS and LOAS frames, transport streams, AU, Wave64 and RF64,
//! ID3 tags before any of them; and what is recognised and refused. Input: a file.
#![no_main]

use earwitness::audio::Source;
use earwitness::audio::sniff::{Kind, sniff};
use earwitness_fuzz::{count, sound, unless_decoder_panics, unwind_from_decoders};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: unwind_from_decoders(), |data: &[u8]| {
    let found = unless_decoder_panics(|| sniff(&mut Source::bytes(data)));
    let name = match found.and_then(Result::ok).map(|found| found.kind) {
        Some(Kind::MpegAudio) => "MPEG audio",
        Some(Kind::Adts) => "ADTS",
        Some(Kind::Loas) => "LOAS",
        Some(Kind::MpegTs) => "transport stream",
        Some(Kind::Au) => "AU",
        Some(Kind::Wave64) => "Wave64",
        Some(Kind::Rf64) => "RF64",
        Some(Kind::Container(_)) => return,
        Some(Kind::External(_)) => return count("recognised only"),
        None => return count("refused"),
    };
    count(name);
    if data.starts_with(b"ID3") {
        count("ID3 tag");
    }
    let _ = unless_decoder_panics(|| {
        let mut source = Source::bytes(data);
        if let Ok(info) = sound::decoded(&mut source, 0)
            && info.tracks > 1
        {
            let _ = sound::decoded(&mut source, 1);
        }
    });
    if data.len() % 4 == 0 {
        count("as a pipe");
        let pipe = std::io::Cursor::new(data.to_vec());
        let _ = unless_decoder_panics(|| sound::decoded(&mut Source::pipe(pipe), 0));
    }
    if data.len() % 4 == 1 {
        count("at its own rate");
        let _ = unless_decoder_panics(|| sound::frames(&mut Source::bytes(data)));
    }
});
