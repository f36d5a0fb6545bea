//! Walks a journal frame by frame, tells a torn end from damage, and finds the next whole frame after damage.

use std::io::{self, Read, Seek, SeekFrom};

use super::format::{
    BadHeader, FRAME_HEADER_BYTES, HEADER_BYTES, MARKER, VERSION, payload_is_whole, read_frame_header,
    read_header,
};

/// What a walk comes upon.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) enum Step {
    /// A whole frame.
    Frame { payload: Vec<u8>, end: u64 },
    /// The file's end, after a whole frame.
    End,
    /// Bytes that are no whole frame, and no whole frame follows: an append that was cut off.
    Torn { offset: u64, what: &'static str },
    /// Bytes that are no whole frame, but a whole one follows at `resumes`: the middle of the file is damaged.
    /// The next step is that frame.
    Damaged { offset: u64, resumes: u64, what: &'static str },
}

/// Why a journal's header cannot be used.
#[derive(Debug)]
pub(in crate::store) enum HeaderError {
    Io(io::Error),
    Damaged(&'static str),
    Newer { found: u32, known: u32 },
}

/// A walk through a journal.
pub(in crate::store) struct Reader<R> {
    input: R,
    generation: u64,
    offset: u64,
    length: u64,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the header; the walk begins with the first frame.
    pub(in crate::store) fn new(mut input: R) -> Result<Self, HeaderError> {
        let length = input.seek(SeekFrom::End(0)).map_err(HeaderError::Io)?;
        if length < HEADER_BYTES {
            return Err(HeaderError::Damaged("the header is cut off"));
        }
        input.seek(SeekFrom::Start(0)).map_err(HeaderError::Io)?;
        let mut bytes = [0; HEADER_BYTES as usize];
        input.read_exact(&mut bytes).map_err(HeaderError::Io)?;
        let generation = read_header(&bytes).map_err(|bad| match bad {
            BadHeader::Magic => HeaderError::Damaged("this is not a journal"),
            BadHeader::Checksum => HeaderError::Damaged("the header's checksum is wrong"),
            BadHeader::Newer(found) => HeaderError::Newer { found, known: VERSION },
        })?;
        Ok(Self { input, generation, offset: HEADER_BYTES, length })
    }

    /// Walks whatever the header says, for rescuing the frames of a damaged journal.
    pub(in crate::store) fn ignoring_header(mut input: R) -> io::Result<Self> {
        let length = input.seek(SeekFrom::End(0))?;
        let offset = HEADER_BYTES.min(length);
        input.seek(SeekFrom::Start(offset))?;
        Ok(Self { input, generation: 0, offset, length })
    }

    /// Returns the journal's generation.
    pub(in crate::store) fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the file's length when the walk began.
    pub(in crate::store) fn length(&self) -> u64 {
        self.length
    }

    /// Continues at `offset`, which must be the end of a frame or of the header.
    pub(in crate::store) fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        self.offset = offset;
        self.input.seek(SeekFrom::Start(offset)).map(drop)
    }

    /// Takes the next step.
    pub(in crate::store) fn step(&mut self) -> io::Result<Step> {
        if self.offset >= self.length {
            return Ok(Step::End);
        }
        match self.frame()? {
            Ok(payload) => Ok(Step::Frame { payload, end: self.offset }),
            Err(what) => {
                let offset = self.offset;
                match self.find_frame(offset + 1)? {
                    Some(resumes) => {
                        self.skip_to(resumes)?;
                        Ok(Step::Damaged { offset, resumes, what })
                    }
                    None => {
                        self.offset = self.length;
                        Ok(Step::Torn { offset, what })
                    }
                }
            }
        }
    }

    /// Reads the frame at the current offset and moves behind it; on a bad frame the offset stays.
    fn frame(&mut self) -> io::Result<Result<Vec<u8>, &'static str>> {
        let left = self.length - self.offset;
        if left < FRAME_HEADER_BYTES as u64 {
            return Ok(Err("a frame is cut off"));
        }
        let mut header = [0; FRAME_HEADER_BYTES];
        self.input.read_exact(&mut header)?;
        let (length, crc) = match read_frame_header(&header) {
            Ok(read) => read,
            Err(what) => return Ok(Err(what)),
        };
        // Checked before the buffer is made: a flipped bit in the length must not cost memory.
        if length as u64 > left - FRAME_HEADER_BYTES as u64 {
            return Ok(Err("a frame is cut off"));
        }
        let mut payload = vec![0; length];
        self.input.read_exact(&mut payload)?;
        if !payload_is_whole(&payload, crc) {
            return Ok(Err("a frame's checksum is wrong"));
        }
        self.offset += (FRAME_HEADER_BYTES + length) as u64;
        Ok(Ok(payload))
    }

    /// Looks for a whole frame that begins at `from` or later.
    fn find_frame(&mut self, from: u64) -> io::Result<Option<u64>> {
        let kept = self.offset;
        let mut at = from;
        let mut found = None;
        while let Some(candidate) = self.find_marker(at)? {
            self.skip_to(candidate)?;
            if self.frame()?.is_ok() {
                found = Some(candidate);
                break;
            }
            at = candidate + 1;
        }
        self.skip_to(kept)?;
        Ok(found)
    }

    /// Looks for the next [`MARKER`], in bounded memory.
    fn find_marker(&mut self, from: u64) -> io::Result<Option<u64>> {
        const WINDOW: u64 = 1 << 16;
        let mut at = from;
        while at + MARKER.len() as u64 <= self.length {
            let size = WINDOW.min(self.length - at);
            let mut window = vec![0; size as usize];
            self.input.seek(SeekFrom::Start(at))?;
            self.input.read_exact(&mut window)?;
            if let Some(found) = window.windows(MARKER.len()).position(|bytes| bytes == MARKER) {
                return Ok(Some(at + found as u64));
            }
            // Windows overlap by a marker's length less one, so that none falls between two.
            at += size - (MARKER.len() as u64 - 1);
        }
        Ok(None)
    }
}
