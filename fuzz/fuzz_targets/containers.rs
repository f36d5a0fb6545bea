//! Audio in containers: MP4, Matroska, Ogg, FLAC, WAV, AIFF, CAF, with all codecs. Input: a file.
//!
//! Their readers and decoders are of others; what is ours is around them: what is asked of them, and what is made of
//! what they give.
#![no_main]

use earwitness::audio::Source;
use earwitness::audio::sniff::{Kind, sniff};
use earwitness_fuzz::{count, sound, unless_decoder_panics, unwind_from_decoders};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: unwind_from_decoders(), |data: &[u8]| {
    let found = sniff(&mut Source::bytes(data));
    let Ok(Kind::Container(reader)) = found.map(|found| found.kind) else { return };
    count(reader.name());
    let _ = unless_decoder_panics(|| {
        let mut source = Source::bytes(data);
        if let Ok(info) = sound::decoded(&mut source, 0)
            && info.tracks > 1
        {
            let _ = sound::decoded(&mut source, 1);
        }
    });
    // A part of the inputs as a pipe, which cannot be asked for anything twice.
    if data.len() % 4 == 0 {
        count("as a pipe");
        let pipe = std::io::Cursor::new(data.to_vec());
        let _ = unless_decoder_panics(|| sound::decoded(&mut Source::pipe(pipe), 0));
    }
});
