//! A segment file on its way to the disk: section by section, under a temporary name until it is whole.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::bits::BitWriter;
use super::family::Family;
use super::format::{DIRECTORY_ENTRY_BYTES, END_MAGIC, Error, FamilyHeader, HEADER_BYTES, Header, Section};
use super::postings::{Shape, Tuple, encode};
use super::reader::Stored;

/// Temporary files begin so; what a killed process leaves is known by it.
pub const TEMPORARY_PREFIX: &str = ".segment-";
/// Bytes written at a time.
const BUFFER_BYTES: usize = 1 << 18;
/// The directory's entries have five bytes.
const POSTINGS_BYTES_MAX: u64 = 1 << 40;

/// A segment file that is being written.
pub(super) struct SegmentFile {
    path: PathBuf,
    file: tempfile::NamedTempFile,
    out: BufWriter<File>,
    section: Section,
    hasher: crc32fast::Hasher,
    recordings: u32,
    steps: u64,
    common: [Section; 4],
}

impl SegmentFile {
    /// Begins a file that will be `path`, with its recordings, of which `get` gives each.
    pub(super) fn begin<'a>(
        path: &Path,
        recordings: usize,
        get: impl Fn(usize) -> Result<Stored<'a>, Error>,
    ) -> Result<Self, Error> {
        let too_large = |what| Error::TooLarge { path: path.to_owned(), what };
        let recordings = u32::try_from(recordings).map_err(|_| too_large("too many recordings"))?;
        let io = |source| Error::Io { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempfile_in(folder).map_err(io)?;
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, file.reopen().map_err(io)?);
        out.write_all(&[0; HEADER_BYTES]).map_err(io)?;
        let mut writing = Self {
            path: path.to_owned(),
            file,
            out,
            section: Section::default(),
            hasher: crc32fast::Hasher::new(),
            recordings,
            steps: 0,
            common: [Section::default(); 4],
        };
        writing.write_recordings(get)?;
        Ok(writing)
    }

    fn write_recordings<'a>(
        &mut self,
        get: impl Fn(usize) -> Result<Stored<'a>, Error>,
    ) -> Result<(), Error> {
        let count = self.recordings as usize;
        for at in 0..count {
            self.put(get(at)?.id.as_bytes())?;
        }
        self.common[0] = self.end_section();
        if u32::try_from(self.common[0].length).is_err() {
            return Err(Error::TooLarge { path: self.path.clone(), what: "too many bytes of ids" });
        }
        let (mut id_end, mut peaks_end) = (0u32, 0u64);
        for at in 0..count {
            let stored = get(at)?;
            id_end += stored.id.len() as u32;
            peaks_end += stored.peaks.len() as u64;
            self.steps += u64::from(stored.duration);
            self.put(&id_end.to_le_bytes())?;
            self.put(&stored.duration.to_le_bytes())?;
            self.put(&peaks_end.to_le_bytes())?;
        }
        self.common[1] = self.end_section();
        let mut order = Vec::with_capacity(count);
        for at in 0..count {
            order.push((get(at)?.id, at as u32));
        }
        order.sort_unstable();
        for (_, at) in order {
            self.put(&at.to_le_bytes())?;
        }
        self.common[2] = self.end_section();
        for at in 0..count {
            self.put(get(at)?.peaks)?;
        }
        self.common[3] = self.end_section();
        Ok(())
    }

    /// The shape for so many postings of these recordings.
    pub(super) fn shape(&self, postings: u64, durations: (u8, u8)) -> Shape {
        Shape::new(self.recordings, self.steps, postings, durations)
    }

    /// Begins a family's postings.
    pub(super) fn begin_postings(&mut self, shape: Shape) -> Result<PostingsWriter<'_>, Error> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let io = |source| Error::Io { path: self.path.clone(), source };
        let directory = tempfile::tempfile_in(folder).map_err(io)?;
        let directory = BufWriter::with_capacity(BUFFER_BYTES, directory);
        Ok(PostingsWriter {
            file: self,
            shape,
            directory,
            next_bucket: 0,
            postings: 0,
            bits: BitWriter::default(),
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hasher.update(bytes);
        self.section.length += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|source| self.io(source))
    }

    fn end_section(&mut self) -> Section {
        self.section.checksum = std::mem::take(&mut self.hasher).finalize();
        std::mem::take(&mut self.section)
    }

    fn io(&self, source: std::io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }

    /// Writes the header, syncs, renames and syncs the folder.
    pub(super) fn finish(self, families: [FamilyHeader; Family::ALL.len()]) -> Result<(), Error> {
        self.complete(families)?.persist()
    }

    /// As [`SegmentFile::finish`], but leaves the file under its temporary name, to be removed when it is dropped.
    pub(super) fn finish_temporary(
        self,
        families: [FamilyHeader; Family::ALL.len()],
    ) -> Result<tempfile::TempPath, Error> {
        Ok(self.complete(families)?.file.into_temp_path())
    }

    fn complete(mut self, families: [FamilyHeader; Family::ALL.len()]) -> Result<Self, Error> {
        let header =
            Header { recordings: self.recordings, steps: self.steps, sections: self.common, families };
        let end = |out: &mut BufWriter<File>| {
            out.write_all(END_MAGIC)?;
            out.seek(SeekFrom::Start(0))?;
            out.write_all(&header.encode())?;
            out.flush()
        };
        end(&mut self.out).map_err(|source| self.io(source))?;
        Ok(self)
    }

    fn persist(self) -> Result<(), Error> {
        let Self { path, file, out, .. } = self;
        drop(out);
        let folder = path.parent().unwrap_or(Path::new("."));
        let persist = || {
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        };
        persist().map_err(|source| Error::Io { path: path.clone(), source })
    }
}

/// One family's postings on their way into a segment file.
pub(super) struct PostingsWriter<'a> {
    file: &'a mut SegmentFile,
    shape: Shape,
    directory: BufWriter<File>,
    next_bucket: usize,
    postings: u64,
    bits: BitWriter,
}

impl PostingsWriter<'_> {
    /// Appends postings, which are sorted and each there once; those of one bucket all in one call.
    pub(super) fn put(&mut self, tuples: &[Tuple]) -> Result<(), Error> {
        let shape = self.shape;
        for bucket in tuples.chunk_by(|a, b| shape.bucket_of(a.key()) == shape.bucket_of(b.key())) {
            self.begin_buckets(shape.bucket_of(bucket[0].key()))?;
            self.bits.bytes.clear();
            encode(&shape, bucket, &mut self.bits);
            self.file.put(&self.bits.bytes)?;
            self.postings += bucket.len() as u64;
        }
        Ok(())
    }

    /// Writes into the directory where all buckets up to `last` begin: here.
    fn begin_buckets(&mut self, last: usize) -> Result<(), Error> {
        let at = self.file.section.length;
        if at >= POSTINGS_BYTES_MAX {
            return Err(Error::TooLarge { path: self.file.path.clone(), what: "too many postings" });
        }
        while self.next_bucket <= last {
            self.directory
                .write_all(&at.to_le_bytes()[..DIRECTORY_ENTRY_BYTES])
                .map_err(|source| self.file.io(source))?;
            self.next_bucket += 1;
        }
        Ok(())
    }

    /// Ends the postings, and writes the directory behind them.
    pub(super) fn finish(mut self, family: Family) -> Result<FamilyHeader, Error> {
        self.begin_buckets(self.shape.buckets())?;
        let postings = self.file.end_section();
        let mut directory = self.directory.into_inner().map_err(|error| self.file.io(error.into_error()))?;
        directory.seek(SeekFrom::Start(0)).map_err(|source| self.file.io(source))?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let read = directory.read(&mut buffer).map_err(|source| self.file.io(source))?;
            if read == 0 {
                break;
            }
            self.file.put(&buffer[..read])?;
        }
        let sections = [postings, self.file.end_section()];
        Ok(FamilyHeader { family, shape: self.shape, postings: self.postings, sections })
    }
}
