//! Taking content codings off (RFC 9110, section 8.4), step by step into a buffer of the caller's, so that no input,
//! however small, makes more bytes at once than the caller has room for.

use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::zstd::params::DParameter;
use compression_codecs::{BrotliDecoder, DecodeV2, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// Codings of one body, one over the other. Two come from servers that compress what is compressed; more are a trap.
const CODINGS_MAX: usize = 2;
/// Members of one gzip file or frames of one zstd file. Each costs the set-up of a decoder, though it may have twenty
/// bytes; files in blocks of 64 KiB stay below this up to 256 MiB.
const MEMBERS_MAX: u32 = 4096;
/// Base-2 logarithm of the zstd window in bytes: 8 MiB, which RFC 8878 asks every decoder to support and RFC 9659
/// forbids HTTP servers to exceed.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Bytes that go from one coding to the next at a time.
const STEP_BYTES: usize = 16 << 10;
/// What one coding hands to the next may be so many times what the body has, beyond so many bytes: nobody packs twice what shrinks
/// like that, and a coding that makes nothing of it would go on unseen.
const BETWEEN_RATIO_MAX: u64 = 100;
const BETWEEN_FREE_BYTES: u64 = 1 << 20;

/// A content coding that can be taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn parse(token: &str) -> Option<Self> {
        Some(match token {
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }

    /// The name as the registry of content codings has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// A decoder for data that begin with `first`.
    fn decoder(self, first: u8) -> Box<dyn DecodeV2 + Send + Sync> {
        match self {
            Self::Gzip => Box::new(GzipDecoder::new()),
            // The standard means zlib's format, some servers mean what is in it. A zlib header begins with method 8
            // and a window of at most 32 KiB; bare data would begin so only with a bit set that must not be.
            Self::Deflate if first & 0x0f == 8 && first >> 4 <= 7 => Box::new(ZlibDecoder::new()),
            Self::Deflate => Box::new(DeflateDecoder::new()),
            Self::Brotli => Box::new(BrotliDecoder::new()),
            Self::Zstd => {
                Box::new(ZstdDecoder::new_with_params(&[DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX)]))
            }
        }
    }

    /// Whether `first` after the end begins another member (gzip) or frame (zstd, also a skippable one).
    const fn goes_on_with(self, first: u8) -> bool {
        match self {
            Self::Gzip => first == 0x1f,
            Self::Zstd => first == 0x28 || first >> 4 == 5,
            Self::Deflate | Self::Brotli => false,
        }
    }
}

/// Reads which codings a body has, in the order in which they were put on. None are given where one is unknown: what
/// cannot be taken off whole is left as it is, as browsers do.
///
/// # Errors
/// What is wrong: too many of them.
pub(super) fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, String> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for token in text.split(',').map(str::trim).filter(|token| !matches!(*token, "" | "identity")) {
            let Some(coding) = Coding::parse(token) else { return Ok(Vec::new()) };
            codings.push(coding);
            if codings.len() > CODINGS_MAX {
                return Err(format!("it has more than {CODINGS_MAX} content codings, one over the other"));
            }
        }
    }
    Ok(codings)
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Out {
    /// So many bytes, at least one, are in the buffer.
    Bytes(usize),
    /// More input is needed: [`Inflater::feed`] or [`Inflater::end`].
    Hungry,
    /// All is out.
    End,
}

/// Takes off the codings of one body.
pub(super) struct Inflater {
    /// The coding that was put on last comes first.
    stages: Vec<Stage>,
}

impl Inflater {
    /// `None` where there is nothing to take off.
    pub(super) fn new(codings: &[Coding]) -> Option<Self> {
        let stages: Vec<_> = codings.iter().rev().map(|&coding| Stage::new(coding)).collect();
        (!stages.is_empty()).then_some(Self { stages })
    }

    /// Gives more input, after [`Out::Hungry`].
    pub(super) fn feed(&mut self, bytes: Vec<u8>) {
        if let Some(first) = self.stages.first_mut() {
            first.feed(bytes);
        }
    }

    /// Says that no more input comes.
    pub(super) fn end(&mut self) {
        if let Some(first) = self.stages.first_mut() {
            first.is_last_input = true;
        }
    }

    /// Makes the next bytes, as many as fit into `out`.
    ///
    /// # Errors
    /// What is wrong with the data.
    pub(super) fn step(&mut self, out: &mut [u8]) -> Result<Out, String> {
        step(&mut self.stages, out)
    }
}

/// As deep as there are codings.
fn step(stages: &mut [Stage], out: &mut [u8]) -> Result<Out, String> {
    let Some((last, before)) = stages.split_last_mut() else { return Ok(Out::Hungry) };
    loop {
        match last.step(out)? {
            Out::Hungry if !before.is_empty() => {}
            done => return Ok(done),
        }
        let wire = before.first().map_or(0, |first| first.taken);
        if last.taken > BETWEEN_FREE_BYTES && last.taken / BETWEEN_RATIO_MAX > wire {
            return Err(format!("{wire} bytes have made {} between two codings so far: a trap", last.taken));
        }
        let mut between = vec![0; STEP_BYTES];
        match step(before, &mut between)? {
            Out::Bytes(count) => {
                between.truncate(count);
                last.feed(between);
            }
            Out::End => last.is_last_input = true,
            Out::Hungry => return Ok(Out::Hungry),
        }
    }
}

/// One coding.
struct Stage {
    coding: Coding,
    /// The decoder of the member that is open.
    decoder: Option<Box<dyn DecodeV2 + Send + Sync>>,
    input: Vec<u8>,
    /// How much of the input is used up.
    at: usize,
    /// Bytes that were fed in all.
    taken: u64,
    is_last_input: bool,
    /// The decoder has filled the buffer and may hold more.
    may_hold_more: bool,
    members: u32,
    is_done: bool,
}

impl Stage {
    const fn new(coding: Coding) -> Self {
        Self {
            coding,
            decoder: None,
            input: Vec::new(),
            at: 0,
            taken: 0,
            is_last_input: false,
            may_hold_more: false,
            members: 0,
            is_done: false,
        }
    }

    fn feed(&mut self, bytes: Vec<u8>) {
        self.taken += bytes.len() as u64;
        (self.input, self.at) = (bytes, 0);
    }

    fn step(&mut self, out: &mut [u8]) -> Result<Out, String> {
        while !self.is_done {
            let is_empty = self.at == self.input.len();
            if is_empty && !self.may_hold_more && !self.is_last_input {
                return Ok(Out::Hungry);
            }
            let Some(decoder) = &mut self.decoder else {
                self.begin()?;
                continue;
            };
            let mut input = PartialBuffer::new(&self.input[self.at..]);
            let mut output = WriteBuffer::new_initialized(out);
            let result = if !is_empty {
                decoder.decode(&mut input, &mut output)
            } else if self.may_hold_more {
                decoder.flush(&mut output).map(|_| false)
            } else {
                // Nothing more comes: either this was all, or it is torn off.
                decoder.finish(&mut output).and_then(|is_whole| {
                    if is_whole || output.written_len() > 0 {
                        Ok(is_whole)
                    } else {
                        Err(std::io::ErrorKind::UnexpectedEof.into())
                    }
                })
            };
            let (used, made) = (input.written_len(), output.written_len());
            self.may_hold_more = output.has_no_spare_space();
            let has_ended = result.map_err(|error| self.fault(is_empty, &error))?;
            if used == 0 && made == 0 && !is_empty && !has_ended {
                return Err(format!("its {} data lead nowhere", self.coding.name()));
            }
            self.at += used;
            if has_ended {
                (self.decoder, self.may_hold_more) = (None, false);
            }
            if made > 0 {
                return Ok(Out::Bytes(made));
            }
        }
        Ok(Out::End)
    }

    /// Opens the first or the next member; what comes after the last one is left unread.
    fn begin(&mut self) -> Result<(), String> {
        let Some(&first) = self.input.get(self.at) else {
            self.is_done = true;
            return Ok(());
        };
        if self.members > 0 && !self.coding.goes_on_with(first) {
            self.is_done = true;
            return Ok(());
        }
        self.members += 1;
        if self.members > MEMBERS_MAX {
            return Err(format!(
                "its {} data are cut into more than {MEMBERS_MAX} parts",
                self.coding.name()
            ));
        }
        self.decoder = Some(self.coding.decoder(first));
        Ok(())
    }

    fn fault(&self, is_torn: bool, error: &std::io::Error) -> String {
        let name = self.coding.name();
        if is_torn {
            format!("its {name} data end in the middle")
        } else {
            format!("no {name} data ({error})")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use super::*;
    use compression_codecs::{BrotliEncoder, EncodeV2, ZstdEncoder};
    use proptest::prelude::*;

    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    fn run(mut encoder: impl EncodeV2, bytes: &[u8]) -> Vec<u8> {
        let mut packed = vec![0; bytes.len() * 2 + 4096];
        let mut output = WriteBuffer::new_initialized(&mut packed);
        let mut input = PartialBuffer::new(bytes);
        while !input.unwritten().is_empty() {
            encoder.encode(&mut input, &mut output).unwrap();
        }
        while !encoder.finish(&mut output).unwrap() {}
        let length = output.written_len();
        packed.truncate(length);
        packed
    }

    fn pack(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packer.write_all(bytes).unwrap();
                packer.finish().unwrap()
            }
            Coding::Deflate => {
                let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                packer.write_all(bytes).unwrap();
                packer.finish().unwrap()
            }
            Coding::Brotli => run(BrotliEncoder::new(Default::default()), bytes),
            Coding::Zstd => run(ZstdEncoder::new(1), bytes),
        }
    }

    /// Feeds `packed` in pieces and takes out what fits into a buffer of `room` bytes at a time.
    fn unpack(codings: &[Coding], packed: &[u8], piece: usize, room: usize) -> Result<Vec<u8>, String> {
        let mut inflater = Inflater::new(codings).unwrap();
        let (mut pieces, mut out, mut all) = (packed.chunks(piece), vec![0; room], Vec::new());
        for _ in 0..10_000_000 {
            match inflater.step(&mut out)? {
                Out::Bytes(count) => all.extend_from_slice(&out[..count]),
                Out::End => return Ok(all),
                Out::Hungry => match pieces.next() {
                    Some(piece) => inflater.feed(piece.to_vec()),
                    None => inflater.end(),
                },
            }
        }
        Err("no end".to_owned())
    }

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (CONTENT_ENCODING, value.parse().unwrap())).collect()
    }

    #[test]
    fn codings_of_a_head() {
        assert_eq!(codings(&headers(&["gzip"])), Ok(vec![Coding::Gzip]));
        assert_eq!(codings(&headers(&["X-GZIP , br"])), Ok(vec![Coding::Gzip, Coding::Brotli]));
        assert_eq!(codings(&headers(&["gzip", "identity,,zstd"])), Ok(vec![Coding::Gzip, Coding::Zstd]));
        for unknown in ["utf-8", "identity", "", "none, gzip", "aws-chunked"] {
            assert_eq!(codings(&headers(&[unknown])), Ok(Vec::new()), "{unknown}");
        }
        assert!(codings(&headers(&["gzip, gzip, gzip"])).is_err());
    }

    #[test]
    fn torn_false_and_empty_data() {
        let text = b"as much text as it takes ".repeat(50);
        for coding in ALL {
            let packed = pack(coding, &text);
            assert_eq!(unpack(&[coding], &packed, 7, 64).unwrap(), text, "{coding:?}");
            assert_eq!(unpack(&[coding], b"", 7, 64).unwrap(), b"");
            for length in [1, packed.len() / 2, packed.len() - 1] {
                let error = unpack(&[coding], &packed[..length], 7, 64).unwrap_err();
                assert!(error.contains("end in the middle"), "{coding:?} {length}: {error}");
            }
            let error = unpack(&[coding], b"\xff\xfb\x90\x64 this was never packed", 7, 64).unwrap_err();
            assert!(error.contains(coding.name()), "{error}");
            let garbage = [&packed[..], b"\0\0 and something after it"].concat();
            assert_eq!(unpack(&[coding], &garbage, 7, 64).unwrap(), text, "{coding:?}");
        }
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&text).unwrap();
        let bare = packer.finish().unwrap();
        assert_eq!(unpack(&[Coding::Deflate], &bare, 7, 64).unwrap(), text);
        let mut damaged = pack(Coding::Gzip, &text);
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        assert!(unpack(&[Coding::Gzip], &damaged, 7, 64).unwrap_err().contains("CRC"));
    }

    #[test]
    fn members_follow_each_other_but_not_for_ever() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let one = pack(coding, b"x");
            assert_eq!(unpack(&[coding], &one.repeat(3), 5, 2).unwrap(), b"xxx");
            let error = unpack(&[coding], &one.repeat(5000), 4096, 64).unwrap_err();
            assert!(error.contains("more than 4096 parts"), "{error}");
        }
    }

    #[test]
    fn what_swells_between_two_codings_and_comes_to_nothing_is_a_trap() {
        // A gzip file of empty blocks: it is long, and holds nothing.
        let mut nothing = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        nothing.extend([0, 0, 0, 0xff, 0xff].repeat(1 << 20));
        for outer in [Coding::Brotli, Coding::Zstd] {
            let packed = pack(outer, &nothing);
            let error = unpack(&[Coding::Gzip, outer], &packed, 16 << 10, 1000).unwrap_err();
            assert!(error.contains("a trap"), "{outer:?}: {error}");
        }
        let text = b"free music ".repeat(100_000);
        let twice = pack(Coding::Brotli, &pack(Coding::Gzip, &text));
        assert_eq!(unpack(&[Coding::Gzip, Coding::Brotli], &twice, 16 << 10, 1000), Ok(text));
    }

    #[test]
    fn a_bomb_comes_out_in_pieces() {
        for coding in ALL {
            let packed = pack(coding, &vec![0; 4 << 20]);
            let mut inflater = Inflater::new(&[coding]).unwrap();
            inflater.feed(packed);
            let mut out = [0; 1000];
            for _ in 0..50 {
                assert!(matches!(inflater.step(&mut out), Ok(Out::Bytes(1..=1000))));
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_packed_comes_out_the_same(
            bytes in proptest::collection::vec(0u8..9, 0..3000),
            which in 0usize..4,
            over in proptest::option::of(0usize..4),
            piece in 1usize..400,
            room in 1usize..400,
        ) {
            let mut codings = vec![ALL[which]];
            let mut packed = pack(ALL[which], &bytes);
            if let Some(over) = over {
                codings.push(ALL[over]);
                packed = pack(ALL[over], &packed);
            }
            prop_assert_eq!(unpack(&codings, &packed, piece, room), Ok(bytes));
        }

        #[test]
        fn any_bytes_are_survived(
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
            which in 0usize..4,
            piece in 1usize..100,
        ) {
            let _ = unpack(&[ALL[which]], &bytes, piece, 512);
        }

        #[test]
        fn damaged_data_are_survived(
            bytes in proptest::collection::vec(0u8..9, 1..2000),
            which in 0usize..4,
            flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        ) {
            let mut packed = pack(ALL[which], &bytes);
            for (at, with) in flips {
                let at = at % packed.len();
                packed[at] ^= with;
            }
            if let Ok(out) = unpack(&[ALL[which]], &packed, 64, 512) {
                prop_assert!(out.len() <= 64 << 20);
            }
        }
    }
}
