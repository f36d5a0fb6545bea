//! 7z's list of files (7zFormat.txt): blocks, what each holds, and names; pure.
//!
//! Everything that is counted is bounded by [`ENTRIES_MAX`] or by the bytes that are left, before it is allocated.

use super::super::SkipReason;
use super::super::bytes::Bytes;
use super::super::decode::Method;

pub(super) const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";

/// The most files, blocks or streams of one archive.
const ENTRIES_MAX: u64 = 1 << 16;

/// The most coders in a row; 7-Zip's own longest has four.
const CODERS_MAX: u64 = 4;

/// The list.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) folders: Vec<Folder>,
    pub(super) files: Vec<File>,
}

/// One file of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) has_bytes: bool,
    pub(super) is_link: bool,
}

/// One block (which the format calls a folder).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) block: Block,
    /// Where its stored bytes begin, after the archive's first header, and how many they are.
    pub(super) packed_at: u64,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    pub(super) crc32: Option<u32>,
    pub(super) parts: Vec<Part>,
}

/// One file's share of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) bytes: u64,
    pub(super) crc32: Option<u32>,
}

/// How a block is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// The methods, the one that meets the stored bytes first.
    Methods(Vec<Method>),
    Encrypted,
    Unsupported(String),
}

impl Block {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Methods(methods) => methods.iter().map(Method::name).collect::<Vec<_>>().join("+"),
            Self::Encrypted => "aes".to_owned(),
            Self::Unsupported(what) => what.clone(),
        }
    }

    /// Why it is not read.
    pub(super) fn reason(&self) -> SkipReason {
        match self {
            Self::Encrypted => SkipReason::Encrypted,
            _ => SkipReason::Unsupported { what: self.name() },
        }
    }
}

fn broken() -> SkipReason {
    SkipReason::Damaged { what: "its list of files is broken".to_owned() }
}

/// Reads the list, after its first byte.
pub(super) fn parse(bytes: &[u8]) -> Result<Header, SkipReason> {
    header(&mut Bytes(bytes)).ok_or_else(broken)
}

/// Reads where a compressed list is, after its first byte.
pub(super) fn parse_packed(bytes: &[u8]) -> Result<Folder, SkipReason> {
    let folders = streams(&mut Bytes(bytes)).ok_or_else(broken)?;
    folders.into_iter().next().ok_or_else(broken)
}

fn header(left: &mut Bytes<'_>) -> Option<Header> {
    let mut kind = left.u8()?;
    if kind == 2 {
        while left.u8()? != 0 {
            let length = count(left, u64::MAX)?;
            left.take(length)?;
        }
        kind = left.u8()?;
    }
    if kind == 3 {
        streams(left)?;
        kind = left.u8()?;
    }
    let mut header = Header::default();
    if kind == 4 {
        header.folders = streams(left)?;
        kind = left.u8()?;
    }
    if kind == 5 {
        header.files = files(left)?;
        kind = left.u8()?;
    }
    (kind == 0).then_some(header)
}

/// 7z's numbers: the first byte's leading ones say how many bytes follow, little-endian.
fn number(left: &mut Bytes<'_>) -> Option<u64> {
    let first = left.u8()?;
    let (mut mask, mut value) = (0x80u8, 0u64);
    for place in 0..8 {
        if first & mask == 0 {
            let high = u64::from(first & mask.wrapping_sub(1));
            return Some(value | (high << (8 * place)));
        }
        value |= u64::from(left.u8()?) << (8 * place);
        mask >>= 1;
    }
    Some(value)
}

/// A number up to `most`, as a count of things in memory.
fn count(left: &mut Bytes<'_>, most: u64) -> Option<usize> {
    number(left).filter(|count| *count <= most).and_then(|count| usize::try_from(count).ok())
}

/// Bits, the highest of each byte first.
fn bits(left: &mut Bytes<'_>, length: usize) -> Option<Vec<bool>> {
    let bytes = left.take(length.div_ceil(8))?;
    Some((0..length).map(|at| bytes[at / 8] & (0x80 >> (at % 8)) != 0).collect())
}

/// Bits, which a first byte can say to be all ones.
fn defined(left: &mut Bytes<'_>, length: usize) -> Option<Vec<bool>> {
    if left.u8()? == 0 { bits(left, length) } else { Some(vec![true; length]) }
}

fn digests(left: &mut Bytes<'_>, length: usize) -> Option<Vec<Option<u32>>> {
    defined(left, length)?.into_iter().map(|is| if is { left.u32().map(Some) } else { Some(None) }).collect()
}

/// Where blocks are, how they are read, and what they hold.
fn streams(left: &mut Bytes<'_>) -> Option<Vec<Folder>> {
    let (mut packed_at, mut packed, mut folders) = (0, Vec::new(), Vec::new());
    let mut has_parts = false;
    loop {
        match left.u8()? {
            0 => break,
            6 => (packed_at, packed) = pack_info(left)?,
            7 => folders = unpack_info(left)?,
            8 => {
                substreams(left, &mut folders)?;
                has_parts = true;
            }
            _ => return None,
        }
    }
    let mut sizes = packed.into_iter();
    let mut result = Vec::with_capacity(folders.len());
    for Coded { mut folder, streams } in folders {
        folder.packed_at = packed_at;
        // Blocks of several streams are not read; their place still counts.
        for number in 0..streams {
            let size: u64 = sizes.next()?;
            if number == 0 {
                folder.packed = size;
            }
            packed_at = packed_at.checked_add(size)?;
        }
        if !has_parts {
            folder.parts = vec![Part { bytes: folder.unpacked, crc32: folder.crc32 }];
        }
        result.push(folder);
    }
    Some(result)
}

fn pack_info(left: &mut Bytes<'_>) -> Option<(u64, Vec<u64>)> {
    let at = number(left)?;
    let length = count(left, ENTRIES_MAX)?;
    let mut sizes = Vec::new();
    loop {
        match left.u8()? {
            0 => return (sizes.len() == length).then_some((at, sizes)),
            9 => sizes = (0..length).map(|_| number(left)).collect::<Option<_>>()?,
            10 => drop(digests(left, length)?),
            _ => return None,
        }
    }
}

/// A block before its place is known, and how many streams it takes.
struct Coded {
    folder: Folder,
    streams: usize,
}

fn unpack_info(left: &mut Bytes<'_>) -> Option<Vec<Coded>> {
    // The property, how many, and whether they stand elsewhere, which nobody writes.
    let (property, length, external) = (left.u8()?, count(left, ENTRIES_MAX)?, left.u8()?);
    if property != 11 || external != 0 {
        return None;
    }
    let coders: Vec<Coders> = (0..length).map(|_| coders(left)).collect::<Option<_>>()?;
    if left.u8()? != 12 {
        return None;
    }
    let mut folders = Vec::with_capacity(length);
    for coders in coders {
        let sizes: Vec<u64> = (0..coders.outputs).map(|_| number(left)).collect::<Option<_>>()?;
        let streams = coders.packed;
        let (block, unpacked) = coders.chain(&sizes)?;
        let folder = Folder { block, packed_at: 0, packed: 0, unpacked, crc32: None, parts: Vec::new() };
        folders.push(Coded { folder, streams });
    }
    loop {
        match left.u8()? {
            0 => return Some(folders),
            10 => {
                for (coded, crc32) in folders.iter_mut().zip(digests(left, length)?) {
                    coded.folder.crc32 = crc32;
                }
            }
            _ => return None,
        }
    }
}

/// One coder of a block.
struct Coder {
    id: Vec<u8>,
    properties: Vec<u8>,
    is_simple: bool,
}

/// A block's coders and how they are joined.
struct Coders {
    coders: Vec<Coder>,
    /// Pairs of the input of one coder and the output of another.
    bound: Vec<(usize, usize)>,
    outputs: usize,
    /// Stored streams.
    packed: usize,
    first: usize,
}

fn coders(left: &mut Bytes<'_>) -> Option<Coders> {
    let length = count(left, CODERS_MAX).filter(|length| *length > 0)?;
    let (mut coders, mut inputs, mut outputs) = (Vec::new(), 0usize, 0usize);
    for _ in 0..length {
        let flags = left.u8()?;
        let id = left.take(usize::from(flags & 15))?.to_vec();
        let is_simple = flags & 0x10 == 0;
        let (ins, outs) = if is_simple { (1, 1) } else { (count(left, 8)?, count(left, 8)?) };
        let properties = if flags & 0x20 != 0 {
            let length = count(left, 1 << 16)?;
            left.take(length)?.to_vec()
        } else {
            Vec::new()
        };
        if flags & 0xc0 != 0 {
            return None;
        }
        (inputs, outputs) = (inputs + ins, outputs + outs);
        coders.push(Coder { id, properties, is_simple });
    }
    let pairs = outputs.checked_sub(1)?;
    let bound = (0..pairs).map(|_| Some((count(left, 64)?, count(left, 64)?))).collect::<Option<Vec<_>>>()?;
    let packed = inputs.checked_sub(pairs).filter(|packed| *packed > 0)?;
    let mut first = (0..inputs).find(|input| bound.iter().all(|(bound, _)| bound != input))?;
    if packed > 1 {
        for number in 0..packed {
            let input = count(left, 64)?;
            if number == 0 {
                first = input;
            }
        }
    }
    Some(Coders { coders, bound, outputs, packed, first })
}

impl Coders {
    /// The methods in the order in which the stored bytes meet them, and the size of what comes out at the end.
    fn chain(&self, sizes: &[u64]) -> Option<(Block, u64)> {
        // The output that no input takes is the block's own.
        let last = (0..self.outputs).find(|output| self.bound.iter().all(|(_, bound)| bound != output))?;
        let unpacked = *sizes.get(last)?;
        if self.coders.iter().any(|coder| coder.id == [6, 0xf1, 7, 1]) {
            return Some((Block::Encrypted, unpacked));
        }
        if self.packed != 1 || self.coders.iter().any(|coder| !coder.is_simple) {
            return Some((Block::Unsupported("7z's BCJ2".to_owned()), unpacked));
        }
        // Of simple coders, inputs and outputs have the coder's number.
        let (mut at, mut methods) = (self.first, Vec::new());
        for _ in 0..self.coders.len() {
            let coder = self.coders.get(at)?;
            match coder.method(*sizes.get(at)?) {
                Ok(method) => methods.push(method),
                Err(what) => return Some((Block::Unsupported(what), unpacked)),
            }
            match self.bound.iter().find(|(_, output)| *output == at) {
                Some((input, _)) => at = *input,
                None => break,
            }
        }
        (at == last && methods.len() == self.coders.len()).then_some((Block::Methods(methods), unpacked))
    }
}

impl Coder {
    fn method(&self, size: u64) -> Result<Method, String> {
        let unknown = || {
            let id: String = self.id.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("7z's method {id}")
        };
        Ok(match (self.id.as_slice(), self.properties.as_slice()) {
            ([0], _) => Method::Store,
            ([3], [distance]) => Method::Delta(usize::from(*distance) + 1),
            ([4] | [3, 3, 1, 3], _) => Method::BcjX86,
            ([0x21], [bits]) => Method::Lzma2 { dictionary: lzma2_dictionary(*bits).ok_or_else(unknown)? },
            ([3, 1, 1], [properties, a, b, c, d]) => Method::Lzma {
                properties: *properties,
                dictionary: u32::from_le_bytes([*a, *b, *c, *d]),
                size,
            },
            ([4, 1, 8], _) => Method::Deflate,
            ([4, 1, 9], _) => Method::Deflate64,
            ([4, 2, 2], _) => Method::Bzip2,
            ([4, 0xf7, 0x11, 1], _) => Method::Zstd,
            _ => return Err(unknown()),
        })
    }
}

/// 2 or 3 times a power of two, in steps from 4 KiB to 4 GiB less one.
fn lzma2_dictionary(bits: u8) -> Option<u32> {
    match bits {
        0..40 => Some((2 | u32::from(bits & 1)) << (bits / 2 + 11)),
        40 => Some(u32::MAX),
        _ => None,
    }
}

/// How many files each block holds, their sizes and checksums.
fn substreams(left: &mut Bytes<'_>, folders: &mut [Coded]) -> Option<()> {
    let mut kind = left.u8()?;
    let mut counts = vec![1usize; folders.len()];
    if kind == 13 {
        let mut total = 0;
        for count_of in &mut counts {
            *count_of = count(left, ENTRIES_MAX)?;
            total += *count_of as u64;
            if total > ENTRIES_MAX {
                return None;
            }
        }
        kind = left.u8()?;
    }
    let has_sizes = kind == 9;
    for (coded, length) in folders.iter_mut().zip(counts) {
        let mut rest = coded.folder.unpacked;
        for number_of in 0..length {
            let bytes = match number_of + 1 == length {
                true => rest,
                false if has_sizes => number(left)?,
                false => return None,
            };
            rest = rest.checked_sub(bytes)?;
            coded.folder.parts.push(Part { bytes, crc32: None });
        }
    }
    if has_sizes {
        kind = left.u8()?;
    }
    // A block with one file has its checksum at the block.
    let is_known = |folder: &Folder| folder.parts.len() == 1 && folder.crc32.is_some();
    if kind == 10 {
        let unknown =
            folders.iter().filter(|coded| !is_known(&coded.folder)).map(|coded| coded.folder.parts.len());
        let mut found = digests(left, unknown.sum())?.into_iter();
        for coded in folders.iter_mut().filter(|coded| !is_known(&coded.folder)) {
            for part in &mut coded.folder.parts {
                part.crc32 = found.next()?;
            }
        }
        kind = left.u8()?;
    }
    for coded in folders.iter_mut().filter(|coded| is_known(&coded.folder)) {
        let crc32 = coded.folder.crc32;
        coded.folder.parts.iter_mut().for_each(|part| part.crc32 = crc32);
    }
    (kind == 0).then_some(())
}

fn files(left: &mut Bytes<'_>) -> Option<Vec<File>> {
    let length = count(left, ENTRIES_MAX)?;
    let mut files = vec![File { has_bytes: true, ..File::default() }; length];
    loop {
        let kind = left.u8()?;
        if kind == 0 {
            return Some(files);
        }
        let size = count(left, u64::MAX)?;
        let mut field = Bytes(left.take(size)?);
        match kind {
            14 => {
                for (file, is_empty) in files.iter_mut().zip(bits(&mut field, length)?) {
                    file.has_bytes = !is_empty;
                }
            }
            17 => {
                if field.u8()? != 0 {
                    return None;
                }
                for file in &mut files {
                    file.name = name(&mut field)?;
                }
            }
            21 => {
                let is_defined = defined(&mut field, length)?;
                if field.u8()? != 0 {
                    return None;
                }
                for (file, is_defined) in files.iter_mut().zip(is_defined) {
                    // Upper half, where bit 15 is set: the Unix mode.
                    let attributes = if is_defined { field.u32()? } else { 0 };
                    file.is_link = attributes & 0x8000 != 0 && (attributes >> 16) & 0o170_000 == 0o120_000;
                }
            }
            _ => {}
        }
    }
}

fn name(field: &mut Bytes<'_>) -> Option<String> {
    let mut units = Vec::new();
    loop {
        match field.u16()? {
            0 => return Some(String::from_utf16_lossy(&units)),
            unit => units.push(unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dictionaries() {
        for (bytes, value) in [
            (&[0x7f][..], 0x7f),
            (&[0x80, 0x80], 0x80),
            (&[0xbf, 0xff], 0x3fff),
            (&[0xc1, 2, 3], 0x01_0302),
            (&[0xff, 1, 2, 3, 4, 5, 6, 7, 8], 0x0807_0605_0403_0201),
        ] {
            let mut left = Bytes(bytes);
            assert_eq!((number(&mut left), left.0.len()), (Some(value), 0), "{bytes:x?}");
        }
        assert_eq!(number(&mut Bytes(&[0xff, 1])), None);
        assert_eq!(lzma2_dictionary(0), Some(4096));
        assert_eq!(lzma2_dictionary(28), Some(64 << 20));
        assert_eq!(lzma2_dictionary(39), Some(3 << 30));
        assert_eq!(lzma2_dictionary(41), None);
    }
}
