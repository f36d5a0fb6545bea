//! Stored bytes to a member's bytes: the decoders, and the one place where they are mistrusted.

use std::io::{self, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::SkipReason;
use super::limits::{Limits, RATIO_FREE_BYTES};
use super::section::fill;

/// A method of compression with what its decoder must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Method {
    Store,
    Deflate,
    Deflate64,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    /// Raw LZMA as in a 7z: the property byte, the dictionary, and the size.
    Lzma {
        properties: u8,
        dictionary: u32,
        size: u64,
    },
    /// LZMA as in a zip: the properties stand before the data.
    ZipLzma {
        size: Option<u64>,
    },
    Lzma2 {
        dictionary: u32,
    },
    /// Differences between bytes at this distance.
    Delta(usize),
    /// Addresses of x86 programs made relative.
    BcjX86,
}

impl Method {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Deflate => "deflate",
            Self::Deflate64 => "deflate64",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lzma { .. } | Self::ZipLzma { .. } => "lzma",
            Self::Lzma2 { .. } => "lzma2",
            Self::Delta(_) => "delta",
            Self::BcjX86 => "bcj-x86",
        }
    }
}

/// A reader of inflated bytes. It never panics: the decoders come from elsewhere and meet hostile bytes, so a panic in
/// one is caught here and becomes damage of the member. It stops at the ratio limit, and its first error is its last.
pub(super) struct Inflated<'a> {
    inner: Option<Box<dyn Read + 'a>>,
    stored: u64,
    given: u64,
    ratio_max: u64,
    fault: Option<SkipReason>,
}

impl<'a> Inflated<'a> {
    /// Reads `input`, whose length is `stored` bytes, through `methods`, the one that meets the stored bytes first.
    pub(super) fn new(
        methods: &[Method],
        input: impl Read + 'a,
        stored: u64,
        limits: &Limits,
    ) -> Inflated<'a> {
        let plain = methods.iter().all(|method| *method == Method::Store);
        let opened = catch_unwind(AssertUnwindSafe(|| -> Result<Box<dyn Read + 'a>, SkipReason> {
            let mut reader: Box<dyn Read + 'a> = Box::new(input);
            for method in methods {
                reader = open(method, reader, limits)?;
            }
            Ok(reader)
        }));
        let (inner, fault) = match opened {
            Ok(Ok(reader)) => (Some(reader), None),
            Ok(Err(reason)) => (None, Some(reason)),
            Err(_) => (None, Some(panicked())),
        };
        // What is stored cannot grow, and may be a part of a file whose stored size nobody stated.
        let ratio_max = if plain { u64::MAX } else { limits.ratio };
        Self { inner, stored, given: 0, ratio_max, fault }
    }

    /// Reads what a program inflates from an archive of `stored` bytes.
    pub(super) fn outside(output: impl Read + 'a, stored: u64, limits: &Limits) -> Self {
        Self { inner: Some(Box::new(output)), stored, given: 0, ratio_max: limits.ratio, fault: None }
    }

    fn fail(&mut self, reason: SkipReason) -> io::Error {
        self.inner = None;
        self.fault = Some(reason.clone());
        io::Error::other(reason)
    }
}

fn panicked() -> SkipReason {
    SkipReason::Damaged { what: "the decoder gave up on it".to_owned() }
}

impl Read for Inflated<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(reason) = &self.fault {
            return Err(io::Error::other(reason.clone()));
        }
        let Some(inner) = &mut self.inner else { return Ok(0) };
        match catch_unwind(AssertUnwindSafe(|| inner.read(buffer))) {
            Ok(Ok(read)) => {
                self.given = self.given.saturating_add(read as u64);
                let most = self.stored.saturating_mul(self.ratio_max).max(RATIO_FREE_BYTES);
                if self.given > most {
                    return Err(self.fail(SkipReason::Bomb { ratio_max: self.ratio_max }));
                }
                Ok(read)
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Ok(Err(error)) => Err(self.fail(reason_of(&error))),
            Err(_) => Err(self.fail(panicked())),
        }
    }
}

/// What a read that failed says of a member.
pub(super) fn reason_of(error: &io::Error) -> SkipReason {
    if let Some(reason) = error.get_ref().and_then(|inner| inner.downcast_ref::<SkipReason>()) {
        return reason.clone();
    }
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        // Messages of decoders can hold what stands in the bytes.
        _ => error.to_string().chars().filter(|c| !c.is_control()).take(200).collect(),
    };
    SkipReason::Damaged { what }
}

/// Input that decoders get in pieces of this size: some read byte by byte.
const BUFFER_BYTES: usize = 1 << 16;

fn open<'a>(
    method: &Method,
    input: Box<dyn Read + 'a>,
    limits: &Limits,
) -> Result<Box<dyn Read + 'a>, SkipReason> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let failed = |error: io::Error| reason_of(&error);
    Ok(match *method {
        Method::Store => Box::new(input),
        Method::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(input)),
        Method::Deflate64 => Box::new(deflate64::Deflate64Decoder::with_buffer(input)),
        Method::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Method::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Method::Xz => {
            let kib = u32::try_from(limits.decoder_bytes >> 10).unwrap_or(u32::MAX).saturating_add(LZMA_KIB);
            Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, kib))
        }
        Method::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(failed)?;
            // 10 and 31 are the least and the most that the library takes.
            decoder.window_log_max(limits.decoder_bytes.max(1).ilog2().clamp(10, 31)).map_err(failed)?;
            Box::new(decoder)
        }
        Method::Lzma { properties, dictionary, size } => lzma(input, size, properties, dictionary, limits)?,
        Method::ZipLzma { size } => {
            // APPNOTE.TXT 5.8.8: version (2), size of the properties (2), which are 5 bytes.
            let mut head = [0; 9];
            if fill(&mut input, &mut head).map_err(failed)? < head.len() || head[2..4] != [5, 0] {
                return Err(SkipReason::Damaged { what: "its LZMA header is broken".to_owned() });
            }
            let [_, _, _, _, properties, dictionary @ ..] = head;
            let dictionary = u32::from_le_bytes(dictionary);
            lzma(input, size.unwrap_or(u64::MAX), properties, dictionary, limits)?
        }
        Method::Lzma2 { dictionary } => {
            check_memory(dictionary, limits)?;
            Box::new(lzma_rust2::Lzma2Reader::new(input, dictionary, None))
        }
        Method::Delta(distance) => Box::new(lzma_rust2::filter::delta::DeltaReader::new(input, distance)),
        Method::BcjX86 => Box::new(lzma_rust2::filter::bcj::BcjReader::new_x86(input, 0)),
    })
}

/// What an LZMA decoder needs beside its dictionary, in KiB.
const LZMA_KIB: u32 = 1024;

fn lzma<'a>(
    input: BufReader<Box<dyn Read + 'a>>,
    size: u64,
    properties: u8,
    dictionary: u32,
    limits: &Limits,
) -> Result<Box<dyn Read + 'a>, SkipReason> {
    check_memory(dictionary, limits)?;
    let reader = lzma_rust2::LzmaReader::new_with_props(input, size, properties, dictionary, None)
        .map_err(|error| reason_of(&error))?;
    Ok(Box::new(reader))
}

/// Refuses before anything is allocated.
fn check_memory(dictionary: u32, limits: &Limits) -> Result<(), SkipReason> {
    let bytes = u64::from(dictionary);
    if bytes > limits.decoder_bytes {
        return Err(SkipReason::NeedsMemory { bytes, bytes_max: limits.decoder_bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use super::*;

    struct Panics;

    impl Read for Panics {
        #[allow(clippy::panic)]
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("as a decoder might");
        }
    }

    #[test]
    fn a_panic_is_damage_and_stays_so() {
        let mut inflated = Inflated::new(&[Method::Deflate], Panics, 10, &Limits::default());
        for _ in 0..2 {
            let error = inflated.read(&mut [0; 8]).expect_err("it panics");
            assert!(matches!(reason_of(&error), SkipReason::Damaged { .. }), "{error}");
        }
    }
}
