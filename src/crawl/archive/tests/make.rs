//! Archives by hand, true or lying.

use std::io::Write as _;

/// One member of a zip, with what its headers say.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) size: u32,
    pub(super) stored: Vec<u8>,
    pub(super) mode: u32,
}

pub(super) fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn stored(name: impl AsRef<[u8]>, bytes: &[u8]) -> Entry {
    let (name, stored) = (name.as_ref().to_vec(), bytes.to_vec());
    let (crc32, size) = (crc32fast::hash(bytes), bytes.len() as u32);
    Entry { name, flags: 0, method: 0, crc32, size, stored, mode: 0o100_644 }
}

pub(super) fn deflate(name: impl AsRef<[u8]>, bytes: &[u8]) -> Entry {
    Entry { method: 8, stored: deflated(bytes), ..stored(name, bytes) }
}

pub(super) fn local_header(entry: &Entry) -> Vec<u8> {
    let mut out = b"PK\x03\x04\x14\0".to_vec();
    out.extend(entry.flags.to_le_bytes());
    out.extend(entry.method.to_le_bytes());
    out.extend([0; 4]);
    out.extend(entry.crc32.to_le_bytes());
    out.extend((entry.stored.len() as u32).to_le_bytes());
    out.extend(entry.size.to_le_bytes());
    out.extend((entry.name.len() as u16).to_le_bytes());
    out.extend([0; 2]);
    out.extend(&entry.name);
    out
}

pub(super) fn central_header(entry: &Entry, header_at: u32, stored: u32) -> Vec<u8> {
    let mut out = b"PK\x01\x02\x14\x03\x14\0".to_vec();
    out.extend(entry.flags.to_le_bytes());
    out.extend(entry.method.to_le_bytes());
    out.extend([0; 4]);
    out.extend(entry.crc32.to_le_bytes());
    out.extend(stored.to_le_bytes());
    out.extend(entry.size.to_le_bytes());
    out.extend((entry.name.len() as u16).to_le_bytes());
    out.extend([0; 8]);
    out.extend((entry.mode << 16).to_le_bytes());
    out.extend(header_at.to_le_bytes());
    out.extend(&entry.name);
    out
}

pub(super) fn end_record(entries: usize, directory: usize, at: usize) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend((entries as u16).to_le_bytes());
    out.extend((entries as u16).to_le_bytes());
    out.extend((directory as u32).to_le_bytes());
    out.extend((at as u32).to_le_bytes());
    out.extend([0; 2]);
    out
}

pub(super) fn zip(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        directory.extend(central_header(entry, out.len() as u32, entry.stored.len() as u32));
        out.extend(local_header(entry));
        out.extend(&entry.stored);
    }
    let at = out.len();
    out.extend(&directory);
    out.extend(end_record(entries.len(), directory.len(), at));
    out
}

/// A bomb whose members all end in the same stored bytes, the headers of the later ones taken in as raw deflate blocks.
pub(super) fn overlapping_zip(members: usize, content: &[u8]) -> Vec<u8> {
    let kernel = deflated(content);
    let names: Vec<String> = (0..members).map(|number| format!("{number:04}.wav")).collect();
    // From the last to the first: each one's data are a stored block with the next one's header, and then its data.
    let (mut tail, mut plain) = (kernel, content.to_vec());
    let mut entries = Vec::new();
    for (number, name) in names.iter().enumerate().rev() {
        let entry = Entry {
            method: 8,
            crc32: crc32fast::hash(&plain),
            size: plain.len() as u32,
            stored: tail.clone(),
            ..stored(name, b"")
        };
        let header = local_header(&entry);
        entries.push((entry, header.len() + tail.len()));
        let whole = [header.clone(), tail].concat();
        if number > 0 {
            let quoted = header.len() as u16;
            let block = [vec![0], quoted.to_le_bytes().to_vec(), (!quoted).to_le_bytes().to_vec()].concat();
            tail = [block, whole].concat();
            plain = [header, plain].concat();
        } else {
            tail = whole;
        }
    }
    let length = tail.len();
    let mut directory = Vec::new();
    for (entry, from_end) in entries.iter().rev() {
        directory.extend(central_header(entry, (length - from_end) as u32, entry.stored.len() as u32));
    }
    let end = end_record(members, directory.len(), length);
    [tail, directory, end].concat()
}

/// One header of a tar, with padded data.
pub(super) fn tar_entry(name: &str, kind: u8, size: u64, data: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    if size < 1 << 33 {
        block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    } else {
        block[124] = 0x80;
        block[128..136].copy_from_slice(&size.to_be_bytes());
    }
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = block.to_vec();
    out.extend(data);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

pub(super) fn tar_file(name: &str, data: &[u8]) -> Vec<u8> {
    tar_entry(name, b'0', data.len() as u64, data)
}

pub(super) fn tar(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), vec![0; 1024]].concat()
}

/// A 7z around one block of `packed` bytes with the coder `id` and its `properties`.
pub(super) fn seven(id: &[u8], properties: &[u8], packed: &[u8], size: u32, names: &[&str]) -> Vec<u8> {
    let wide = |value: u32| [&[0xf0][..], &value.to_le_bytes()].concat();
    let mut list = vec![1, 4, 6, 0, 1, 9];
    list.extend(wide(packed.len() as u32));
    list.extend([0, 7, 11, 1, 0, 1, id.len() as u8 | 0x20]);
    list.extend(id);
    list.push(properties.len() as u8);
    list.extend(properties);
    list.push(12);
    list.extend(wide(size));
    list.extend([0, 0, 5, names.len() as u8, 17]);
    let names: Vec<u8> =
        names.iter().flat_map(|name| name.encode_utf16().chain([0])).flat_map(u16::to_le_bytes).collect();
    list.extend(wide(names.len() as u32 + 1));
    list.push(0);
    list.extend(names);
    list.extend([0, 0]);
    seven_around(packed, &list)
}

/// The first header, the packed bytes, the list.
pub(super) fn seven_around(packed: &[u8], list: &[u8]) -> Vec<u8> {
    let mut start = (packed.len() as u64).to_le_bytes().to_vec();
    start.extend((list.len() as u64).to_le_bytes());
    start.extend(crc32fast::hash(list).to_le_bytes());
    let mut out = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    out.extend(crc32fast::hash(&start).to_le_bytes());
    out.extend(start);
    out.extend(packed);
    out.extend(list);
    out
}

/// One block of a rar 4, its checksum right.
pub(super) fn rar4_block(kind: u8, flags: u16, fields: &[u8], data: &[u8]) -> Vec<u8> {
    let mut header = vec![kind];
    header.extend(flags.to_le_bytes());
    header.extend((fields.len() as u16 + 7).to_le_bytes());
    header.extend(fields);
    let crc = (crc32fast::hash(&header) & 0xffff) as u16;
    [crc.to_le_bytes().to_vec(), header, data.to_vec()].concat()
}

pub(super) fn rar4_file(name: &[u8], flags: u16, method: u8, data: &[u8]) -> Vec<u8> {
    let mut fields = (data.len() as u32).to_le_bytes().to_vec();
    fields.extend((data.len() as u32).to_le_bytes());
    fields.push(3);
    fields.extend(crc32fast::hash(data).to_le_bytes());
    fields.extend([0, 0, 0x21, 0x5c, 29, method]);
    fields.extend((name.len() as u16).to_le_bytes());
    fields.extend(0o100_644u32.to_le_bytes());
    fields.extend(name);
    rar4_block(0x74, flags | 0x8000, &fields, data)
}

pub(super) fn rar4(blocks: &[Vec<u8>]) -> Vec<u8> {
    let main = rar4_block(0x73, 0, &[0; 6], &[]);
    [b"Rar!\x1a\x07\0".to_vec(), main, blocks.concat(), rar4_block(0x7b, 0x4000, &[], &[])].concat()
}

/// One block of a rar 5, its checksum right; `fields` begin with the kind.
pub(super) fn rar5_block(fields: &[u8], data: &[u8]) -> Vec<u8> {
    let header = [&[fields.len() as u8][..], fields].concat();
    [crc32fast::hash(&header).to_le_bytes().to_vec(), header, data.to_vec()].concat()
}

/// A member that is said to be compressed with a dictionary of 128 KiB times a power of two.
pub(super) fn rar5_file(name: &str, method: u8, power: u8, extra: &[u8], data: &[u8]) -> Vec<u8> {
    let number = |mut value: u64| {
        let mut out = Vec::new();
        while value >= 0x80 {
            out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
        out
    };
    let mut fields = vec![2, if extra.is_empty() { 2 } else { 3 }];
    if !extra.is_empty() {
        fields.push(extra.len() as u8);
    }
    fields.extend(number(data.len() as u64));
    fields.push(4);
    fields.extend(number(data.len() as u64));
    fields.push(0);
    fields.extend(crc32fast::hash(data).to_le_bytes());
    fields.extend(number(u64::from(method) << 7 | u64::from(power) << 10));
    fields.extend([1, name.len() as u8]);
    fields.extend(name.as_bytes());
    fields.extend(extra);
    rar5_block(&fields, data)
}

pub(super) fn rar5(blocks: &[Vec<u8>]) -> Vec<u8> {
    let (main, end) = (rar5_block(&[1, 0, 0], &[]), rar5_block(&[5, 0, 0], &[]));
    [b"Rar!\x1a\x07\x01\0".to_vec(), main, blocks.concat(), end].concat()
}
