//! Tar: ustar, pax, GNU and the old form, from a file or from a compressed stream.

mod header;

pub(super) use header::is_tar_header;
use header::{BLOCK, Header, Kind, Pax, parse};

use std::io::Read;

use super::names;
use super::section::Section;
use super::walker::{Flow, Place, Size, Walk, peek};
use super::{Format, Level, SkipReason};

/// Goes through a tar that is a file.
pub(super) fn walk_file(walk: &mut Walk<'_>, place: &Place<'_>) -> Flow {
    let mut input = Input { from: From::File(place), at: 0 };
    Reading::new(place, place.above).run(walk, &mut input)
}

/// Goes through a tar that comes out of a decoder, the last level of `above`.
pub(super) fn walk_stream(
    walk: &mut Walk<'_>,
    place: &Place<'_>,
    above: &[Level],
    stream: &mut dyn Read,
) -> Flow {
    let mut input = Input { from: From::Stream(stream), at: 0 };
    Reading::new(place, above).run(walk, &mut input)
}

enum From<'a> {
    File(&'a Place<'a>),
    Stream(&'a mut dyn Read),
}

/// The archive's bytes with a position, which a file moves without reading.
struct Input<'a> {
    from: From<'a>,
    at: u64,
}

impl Input<'_> {
    /// Up to `length` bytes, fewer at the end or at damage, which is given with them.
    fn take(&mut self, walk: &mut Walk<'_>, length: usize) -> Flow<(Vec<u8>, Option<SkipReason>)> {
        walk.check()?;
        let (bytes, broken) = match &mut self.from {
            From::File(place) => peek(&mut Section::new(place.file, self.at, length as u64), length),
            From::Stream(stream) => peek(*stream, length),
        };
        walk.charge(bytes.len())?;
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok((bytes, broken))
    }

    /// Leaves `bytes` out; gives why that did not go.
    fn skip(&mut self, walk: &mut Walk<'_>, bytes: u64) -> Flow<Option<SkipReason>> {
        let done = match &mut self.from {
            From::File(place) => bytes.min(place.length.saturating_sub(self.at)),
            From::Stream(stream) => match walk.discard(*stream, bytes)? {
                Ok(done) => done,
                Err(reason) => return Ok(Some(reason)),
            },
        };
        self.at = self.at.saturating_add(done);
        Ok((done < bytes).then(cut_off))
    }

    /// Lets `walk` look at the member of `size` bytes that begins here; gives how many of them it read.
    fn member(&mut self, walk: &mut Walk<'_>, reading: &Reading<'_>, level: Level, size: u64) -> Flow<u64> {
        let read = match &mut self.from {
            From::File(place) => {
                let mut section = Section::new(place.file, self.at, size);
                walk.member(reading.place, reading.above, level, &mut section, Size::Cut(size))?
            }
            From::Stream(stream) => {
                walk.member(reading.place, reading.above, level, *stream, Size::Cut(size))?
            }
        };
        self.at = self.at.saturating_add(read);
        Ok(read)
    }
}

fn cut_off() -> SkipReason {
    SkipReason::Damaged { what: "the archive is cut off".to_owned() }
}

fn damaged(what: String) -> SkipReason {
    SkipReason::Damaged { what }
}

/// What stands between headers.
struct Reading<'a> {
    place: &'a Place<'a>,
    above: &'a [Level],
    /// Entries so far.
    index: u64,
    /// From the headers before the next member: its name, its attributes, and where the first of them began.
    long_name: Option<Vec<u8>>,
    pax: Pax,
    begun_at: Option<u64>,
}

impl<'a> Reading<'a> {
    fn new(place: &'a Place<'a>, above: &'a [Level]) -> Self {
        Self { place, above, index: 0, long_name: None, pax: Pax::default(), begun_at: None }
    }

    fn run(mut self, walk: &mut Walk<'_>, input: &mut Input<'_>) -> Flow {
        let (mut zeros, mut lost) = (0, false);
        loop {
            let at = input.at;
            let (block, broken) = input.take(walk, BLOCK)?;
            if let Some(reason) = broken {
                return walk.trouble(self.place, reason);
            }
            if block.is_empty() {
                return Ok(());
            }
            if block.len() < BLOCK {
                return walk.trouble(self.place, cut_off());
            }
            if block.iter().all(|byte| *byte == 0) {
                zeros += 1;
                // Two blocks of zeros are the end; what follows is padding.
                if zeros == 2 {
                    return Ok(());
                }
                continue;
            }
            zeros = 0;
            let Some(header) = parse(&block) else {
                if !lost {
                    walk.trouble(
                        self.place,
                        damaged(format!("no tar header at byte {at}; looking for the next")),
                    )?;
                }
                lost = true;
                continue;
            };
            lost = false;
            if let Some(reason) = self.entry(walk, input, at, &header)? {
                return walk.trouble(self.place, reason);
            }
        }
    }

    /// One header and what belongs to it; gives why the archive cannot be read on.
    fn entry(
        &mut self,
        walk: &mut Walk<'_>,
        input: &mut Input<'_>,
        at: u64,
        header: &Header,
    ) -> Flow<Option<SkipReason>> {
        let begun_at = *self.begun_at.get_or_insert(at);
        if let Kind::LongName | Kind::LongLink | Kind::Pax | Kind::Global = header.kind {
            return self.side_header(walk, input, at, header);
        }
        self.begun_at = None;
        let pax = std::mem::take(&mut self.pax);
        let name = self.long_name.take().or(pax.path).unwrap_or_else(|| header.name.clone());
        if header.kind == Kind::Sparse
            && header.is_extended
            && let Some(reason) = skip_sparse_maps(walk, input)?
        {
            return Ok(Some(reason));
        }
        let size = if header.kind.has_data() { pax.size.unwrap_or(header.size) } else { 0 };
        let Some(padded) = size.checked_next_multiple_of(BLOCK as u64) else {
            return Ok(Some(damaged(format!("the header at byte {at} says {size} bytes"))));
        };
        let name = names::decode(&name, names::guess([name.as_slice()].into_iter()));
        let level = Level {
            format: Format::Tar,
            index: self.index,
            name: name.text,
            encoding: name.encoding,
            name_hex: name.hex,
            header_at: begun_at,
            data_at: input.at,
            stored_bytes: Some(size),
            in_block_at: None,
            method: "store".to_owned(),
            crc32: None,
        };
        self.index += 1;
        let reason = match header.kind {
            Kind::File if pax.is_sparse => Some(SkipReason::Unsupported { what: "a sparse file".to_owned() }),
            Kind::Sparse => Some(SkipReason::Unsupported { what: "a sparse file".to_owned() }),
            Kind::Link => Some(SkipReason::Link),
            Kind::Special => Some(SkipReason::Special),
            _ => None,
        };
        let read = match (reason, header.kind) {
            (Some(reason), _) => walk.skip(self.place, self.above, level, reason).map(|()| 0)?,
            (None, Kind::File) => input.member(walk, self, level, size)?,
            (None, _) => walk.count(self.place).map(|()| 0)?,
        };
        input.skip(walk, padded.saturating_sub(read))
    }

    /// A header that says something of the next.
    fn side_header(
        &mut self,
        walk: &mut Walk<'_>,
        input: &mut Input<'_>,
        at: u64,
        header: &Header,
    ) -> Flow<Option<SkipReason>> {
        walk.count(self.place)?;
        let padded = header.size.checked_next_multiple_of(BLOCK as u64);
        let bounded =
            padded.filter(|padded| *padded <= walk.limits.header_bytes).and_then(|p| usize::try_from(p).ok());
        let Some(padded) = bounded else {
            return Ok(Some(damaged(format!("the header at byte {at} says {} bytes", header.size))));
        };
        let (mut bytes, broken) = input.take(walk, padded)?;
        if bytes.len() < padded {
            return Ok(Some(broken.unwrap_or_else(cut_off)));
        }
        bytes.truncate(usize::try_from(header.size).unwrap_or(padded));
        match header.kind {
            Kind::LongName => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                bytes.truncate(end);
                self.long_name = Some(bytes);
            }
            Kind::Pax => self.pax = Pax::parse(&bytes),
            _ => {}
        }
        Ok(None)
    }
}

/// Leaves out the blocks that go on with the map of a sparse file (GNU tar's old form).
fn skip_sparse_maps(walk: &mut Walk<'_>, input: &mut Input<'_>) -> Flow<Option<SkipReason>> {
    loop {
        let (block, broken) = input.take(walk, BLOCK)?;
        match block.get(504) {
            None => return Ok(Some(broken.unwrap_or_else(cut_off))),
            Some(0) => return Ok(None),
            Some(_) => {}
        }
    }
}
