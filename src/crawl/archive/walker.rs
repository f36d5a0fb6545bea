//! The walk over all levels: what it may still cost, and what becomes of each member.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use super::decode::reason_of;
use super::detect::{self, format_of};
use super::event::{Ended, Error, Kind, Member, Report, SkipReason, Skipped, Visited};
use super::limits::{Limits, NESTING_MAX, TEXT_BYTES_MAX};
use super::member_path::{Format, Level, MemberPath};
use super::section::read_up_to;
use super::{Tools, packed, rar, seven, tar, zip};
use crate::base::{Digest, Hasher};
use crate::crawl::sniff::{Content, sniff};

/// The archive that a walk begins with.
#[derive(Debug, Clone, Copy)]
pub struct Outer<'a> {
    /// Its bytes.
    pub path: &'a Path,
    /// The name it goes by, for example the last part of its URL; a gzip without a name of its own is named by it.
    pub name: &'a str,
    /// The digest of its bytes, so that an archive that holds itself is known.
    pub sha256: Digest,
    /// Where members' bytes are put; the system's folder for temporary files where `None`.
    pub work_dir: Option<&'a Path>,
    /// The programs for rar.
    pub tools: &'a Tools,
}

/// One archive on the way down.
pub(super) struct Place<'a> {
    pub(super) file: &'a File,
    pub(super) path: &'a Path,
    pub(super) length: u64,
    pub(super) name: &'a str,
    /// The levels above; none for the outermost archive.
    pub(super) above: &'a [Level],
    /// The digests of this archive and those that it stands in.
    trail: &'a [Digest],
}

/// Why a walk goes no further.
#[derive(Debug)]
pub(super) enum Halt {
    Ended(Ended),
    Failed(Error),
}

/// Goes on, or does not.
pub(super) type Flow<T = ()> = Result<T, Halt>;

/// The state of one walk.
pub(super) struct Walk<'a> {
    pub(super) limits: &'a Limits,
    pub(super) tools: &'a Tools,
    work_dir: Option<&'a Path>,
    cancelled: &'a dyn Fn() -> bool,
    visit: &'a mut dyn FnMut(Visited) -> ControlFlow<()>,
    report: Report,
    /// Digests of the archives that were gone into.
    seen: HashSet<Digest>,
}

/// How many bytes a member has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    /// Nobody says.
    Unknown,
    /// The archive says so, and its stream ends where it ends.
    Claimed(u64),
    /// So many are read, whatever follows: it is another member's.
    Cut(u64),
}

impl Size {
    fn stated(self) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Claimed(bytes) | Self::Cut(bytes) => Some(bytes),
        }
    }

    /// How many bytes may still be read after `bytes`, up to `most`.
    fn left(self, bytes: usize, most: usize) -> usize {
        match self {
            Self::Cut(size) => usize::try_from(size).unwrap_or(usize::MAX).saturating_sub(bytes).min(most),
            Self::Unknown | Self::Claimed(_) => most,
        }
    }
}

/// What a member's first bytes say.
enum Class {
    Take(Kind),
    Archive,
    NotAudio,
}

/// A member's bytes in a file.
struct Kept {
    file: File,
    path: tempfile::TempPath,
    bytes: u64,
    sha256: Digest,
    damage: Option<String>,
}

/// Pieces in which bytes go from a decoder to a file.
const PIECE_BYTES: usize = 1 << 16;

pub(super) fn walk(
    outer: &Outer<'_>,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
    visit: &mut dyn FnMut(Visited) -> ControlFlow<()>,
) -> Result<Report, Error> {
    let failed = |source| Error::Open { path: outer.path.to_owned(), source };
    let file = File::open(outer.path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut walk = Walk {
        limits,
        tools: outer.tools,
        work_dir: outer.work_dir,
        cancelled,
        visit,
        report: Report::default(),
        seen: HashSet::from([outer.sha256]),
    };
    let place =
        Place { file: &file, path: outer.path, length, name: outer.name, above: &[], trail: &[outer.sha256] };
    match walk.archive(&place) {
        Ok(true) => {}
        Ok(false) => return Err(Error::NotAnArchive { path: outer.path.to_owned() }),
        Err(Halt::Ended(ended)) => walk.report.ended = ended,
        Err(Halt::Failed(error)) => return Err(error),
    }
    Ok(walk.report)
}

impl Walk<'_> {
    /// Goes through one archive; `false` where it is none.
    fn archive(&mut self, place: &Place<'_>) -> Flow<bool> {
        let head = match read_up_to(place.file, 0, detect::HEAD_BYTES) {
            Ok(head) => head,
            Err(error) => return self.trouble(place, reason_of(&error)).map(|()| true),
        };
        self.report.archives += 1;
        match format_of(&head) {
            Some(Format::Zip) => zip::walk(self, place)?,
            Some(Format::SevenZip) => seven::walk(self, place, 0)?,
            Some(Format::Tar) => tar::walk_file(self, place)?,
            Some(format @ (Format::Gzip | Format::Bzip2 | Format::Xz | Format::Zstd)) => {
                packed::walk(self, place, format)?;
            }
            Some(format @ (Format::Rar4 | Format::Rar5)) => rar::walk(self, place, format, 0)?,
            None => {
                let found = self.behind_a_program(place)?;
                self.report.archives -= u64::from(!found);
                return Ok(found);
            }
        }
        Ok(true)
    }

    /// An archive with something before it: a zip is known by its end, the others are looked for.
    fn behind_a_program(&mut self, place: &Place<'_>) -> Flow<bool> {
        if zip::has_directory(place) {
            return zip::walk(self, place).map(|()| true);
        }
        let Ok(bytes) = read_up_to(place.file, 0, PROGRAM_BYTES_MAX) else { return Ok(false) };
        if !detect::may_unpack_itself(&bytes) {
            return Ok(false);
        }
        let places =
            bytes.windows(8).enumerate().filter_map(|(at, window)| Some((at as u64, format_of(window)?)));
        for (at, format) in places {
            match format {
                Format::SevenZip if seven::is_here(place, at) => seven::walk(self, place, at)?,
                Format::Rar4 | Format::Rar5 => rar::walk(self, place, format, at)?,
                _ => continue,
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Tells why an archive, or the rest of one, could not be read.
    pub(super) fn trouble(&mut self, place: &Place<'_>, reason: SkipReason) -> Flow {
        self.tell_skip(MemberPath { levels: place.above.to_vec() }, reason)
    }

    /// Counts an entry that needs no telling: a folder.
    pub(super) fn count(&mut self, place: &Place<'_>) -> Flow {
        self.check()?;
        if self.report.members >= self.limits.members {
            self.trouble(place, SkipReason::TooManyMembers { members_max: self.limits.members })?;
            return Err(Halt::Ended(Ended::Members));
        }
        self.report.members += 1;
        Ok(())
    }

    /// Counts a member and tells why it is not taken.
    pub(super) fn skip(
        &mut self,
        place: &Place<'_>,
        above: &[Level],
        level: Level,
        reason: SkipReason,
    ) -> Flow {
        self.count(place)?;
        self.tell_skip(MemberPath::of(above, level), reason)
    }

    fn tell_skip(&mut self, path: MemberPath, reason: SkipReason) -> Flow {
        self.report.skipped += 1;
        self.tell(Visited::Skipped(Box::new(Skipped { path, reason })))
    }

    fn tell(&mut self, visited: Visited) -> Flow {
        match (self.visit)(visited) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Ended(Ended::Stopped)),
        }
    }

    pub(super) fn check(&self) -> Flow {
        if (self.cancelled)() { Err(Halt::Ended(Ended::Cancelled)) } else { Ok(()) }
    }

    /// Takes what a decoder gave into account.
    pub(super) fn charge(&mut self, bytes: usize) -> Flow {
        self.report.inflated_bytes = self.report.inflated_bytes.saturating_add(bytes as u64);
        if self.report.inflated_bytes > self.limits.inflated_bytes {
            return Err(Halt::Ended(Ended::InflatedBytes));
        }
        Ok(())
    }

    /// Reads one piece, within all limits on the walk.
    fn pull(&mut self, source: &mut dyn Read, piece: &mut [u8]) -> Flow<Result<usize, SkipReason>> {
        loop {
            self.check()?;
            return match source.read(piece) {
                Ok(read) => self.charge(read).map(|()| Ok(read)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Ok(Err(reason_of(&error))),
            };
        }
    }

    /// Reads `bytes` and forgets them; gives how many there were.
    pub(super) fn discard(&mut self, source: &mut dyn Read, bytes: u64) -> Flow<Result<u64, SkipReason>> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut left = bytes;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
            match self.pull(source, &mut piece[..most])? {
                Ok(0) => break,
                Ok(read) => left -= read as u64,
                Err(reason) => return Ok(Err(reason)),
            }
        }
        Ok(Ok(bytes - left))
    }

    /// Reads up to `length` bytes, which the caller bounds; gives them with what went wrong.
    pub(super) fn read_whole(
        &mut self,
        source: &mut dyn Read,
        length: usize,
    ) -> Flow<(Vec<u8>, Option<SkipReason>)> {
        let (mut bytes, mut piece) = (Vec::new(), vec![0; PIECE_BYTES]);
        while bytes.len() < length {
            let most = PIECE_BYTES.min(length - bytes.len());
            match self.pull(source, &mut piece[..most])? {
                Ok(0) => break,
                Ok(read) => bytes.extend_from_slice(&piece[..read]),
                Err(reason) => return Ok((bytes, Some(reason))),
            }
        }
        Ok((bytes, None))
    }

    /// Looks at a member, and takes it or tells why not. `source` gives its bytes. Gives how many were read, which are
    /// not all where the rest does not matter.
    pub(super) fn member(
        &mut self,
        place: &Place<'_>,
        above: &[Level],
        level: Level,
        source: &mut dyn Read,
        size: Size,
    ) -> Flow<u64> {
        self.count(place)?;
        let path = MemberPath::of(above, level);
        let mut counted = Counted { source, given: 0 };
        // The budget's end is told where it is met.
        match self.consider(place, &path, &mut counted, size) {
            Err(Halt::Ended(Ended::InflatedBytes)) => {
                self.tell_skip(path, SkipReason::OverBudget { bytes_max: self.limits.inflated_bytes })?;
                Err(Halt::Ended(Ended::InflatedBytes))
            }
            other => other.map(|()| counted.given),
        }
    }

    fn consider(
        &mut self,
        place: &Place<'_>,
        path: &MemberPath,
        source: &mut Counted<'_>,
        size: Size,
    ) -> Flow {
        if size.stated().is_some_and(|size| size > self.limits.member_bytes) {
            return self.tell_skip(path.clone(), self.too_large());
        }
        let mut head = [0; detect::HEAD_BYTES];
        // Not past its end, where the next member's bytes would follow.
        let most = size.left(0, head.len());
        let mut read = 0;
        let mut broken = None;
        while read < most && broken.is_none() {
            match self.pull(source, &mut head[read..most])? {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(reason) => broken = Some(reason),
            }
        }
        let head = &head[..read];
        let name = path.levels.last().map_or("", |level| level.name.as_str());
        let class = classify(head, name);
        match (class, broken) {
            (Class::NotAudio, Some(reason)) => self.tell_skip(path.clone(), reason),
            (Class::NotAudio, None) => {
                let reason = match size.stated() {
                    Some(size) if size > 0 && head.is_empty() => {
                        SkipReason::Damaged { what: "none of its bytes are there".to_owned() }
                    }
                    _ => SkipReason::NotAudio,
                };
                self.tell_skip(path.clone(), reason)
            }
            (class, _) => match self.keep(path, head, source, size, &class)? {
                Err(reason) => self.tell_skip(path.clone(), reason),
                Ok(kept) => self.hand_over(place, path, &class, kept),
            },
        }
    }

    fn too_large(&self) -> SkipReason {
        SkipReason::TooLarge { bytes_max: self.limits.member_bytes }
    }

    /// Puts a member's bytes into a file. Damage on the way is kept with what came before it.
    fn keep(
        &mut self,
        path: &MemberPath,
        head: &[u8],
        source: &mut Counted<'_>,
        size: Size,
        class: &Class,
    ) -> Flow<Result<Kept, SkipReason>> {
        let most = match class {
            Class::Take(Kind::Playlist | Kind::CueSheet) => TEXT_BYTES_MAX.min(self.limits.member_bytes),
            _ => self.limits.member_bytes,
        };
        let (mut file, temp) = self.temporary_file()?;
        let mut hasher = Hasher::new();
        let mut crc = crc32fast::Hasher::new();
        let mut piece = vec![0; PIECE_BYTES];
        piece[..head.len()].copy_from_slice(head);
        let (mut bytes, mut filled, mut broken) = (0u64, head.len(), None);
        loop {
            let read = &piece[..filled];
            file.write_all(read).map_err(|source| self.keep_error(source))?;
            hasher.update(read);
            crc.update(read);
            bytes += filled as u64;
            if bytes > most {
                return Ok(Err(SkipReason::TooLarge { bytes_max: most }));
            }
            let wanted = size.left(usize::try_from(bytes).unwrap_or(usize::MAX), PIECE_BYTES);
            if wanted == 0 {
                break;
            }
            match self.pull(source, &mut piece[..wanted])? {
                Ok(0) => break,
                Ok(read) => filled = read,
                Err(SkipReason::Damaged { what }) => {
                    broken = Some(what);
                    break;
                }
                Err(reason) => return Ok(Err(reason)),
            }
        }
        let stated = path.levels.last().and_then(|level| level.crc32);
        let damage = broken.or_else(|| match size.stated() {
            Some(size) if bytes != size => Some(format!("{bytes} bytes are there, the archive says {size}")),
            _ => stated.filter(|stated| *stated != crc.finalize()).map(|stated| {
                format!("its bytes do not have the checksum {stated:08x} that the archive states")
            }),
        });
        Ok(Ok(Kept { file, path: temp, bytes, sha256: hasher.finish(), damage }))
    }

    fn hand_over(&mut self, place: &Place<'_>, path: &MemberPath, class: &Class, kept: Kept) -> Flow {
        let &Class::Take(kind) = class else { return self.descend(place, path, &kept) };
        self.report.taken += 1;
        let Kept { path: file, bytes, sha256, damage, .. } = kept;
        self.tell(Visited::Member(Box::new(Member { path: path.clone(), kind, file, bytes, sha256, damage })))
    }

    /// Goes into an archive within the archive.
    fn descend(&mut self, place: &Place<'_>, path: &MemberPath, kept: &Kept) -> Flow {
        let nesting_max = self.limits.nesting.min(NESTING_MAX);
        if place.trail.len() >= nesting_max as usize {
            return self.tell_skip(path.clone(), SkipReason::TooDeep { nesting_max });
        }
        if place.trail.contains(&kept.sha256) {
            return self.tell_skip(path.clone(), SkipReason::HoldsItself);
        }
        if !self.seen.insert(kept.sha256) {
            return self.tell_skip(path.clone(), SkipReason::SeenBefore);
        }
        if let Some(what) = kept.damage.clone() {
            self.tell_skip(path.clone(), SkipReason::Damaged { what })?;
        }
        let mut trail = place.trail.to_vec();
        trail.push(kept.sha256);
        let inner = Place {
            file: &kept.file,
            path: &kept.path,
            length: kept.bytes,
            name: path.levels.last().map_or("", |level| level.name.as_str()),
            above: &path.levels,
            trail: &trail,
        };
        if self.archive(&inner)? { Ok(()) } else { self.tell_skip(path.clone(), SkipReason::NotAudio) }
    }

    fn temporary_file(&self) -> Flow<(File, tempfile::TempPath)> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("earwitness-").suffix(".media");
        let file = match self.work_dir {
            Some(folder) => builder.tempfile_in(folder),
            None => builder.tempfile(),
        };
        file.map(tempfile::NamedTempFile::into_parts).map_err(|source| self.keep_error(source))
    }

    fn keep_error(&self, source: io::Error) -> Halt {
        let folder = self.work_dir.map_or_else(std::env::temp_dir, Path::to_owned);
        Halt::Failed(Error::Keep { folder, source })
    }
}

/// How far a program may reach before the archive that it unpacks. WinRAR's and 7-Zip's are under 500 KiB.
const PROGRAM_BYTES_MAX: usize = 2 << 20;

/// A reader that counts.
struct Counted<'a> {
    source: &'a mut dyn Read,
    given: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.given += read as u64;
        Ok(read)
    }
}

/// Decides by a member's first bytes; by its name only for lists that have no mark.
fn classify(head: &[u8], name: &str) -> Class {
    // Before anything else: an archive's signature is longer than those that a frame of MPEG audio is known by.
    if format_of(head).is_some() {
        return Class::Archive;
    }
    match sniff(None, head) {
        Content::Media => return Class::Take(Kind::Media),
        Content::Hls | Content::M3u | Content::Pls | Content::Dash => return Class::Take(Kind::Playlist),
        _ => {}
    }
    if detect::may_unpack_itself(head) {
        return Class::Archive;
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    // Text in any encoding but UTF-16 has no zero bytes.
    let is_text = !head.is_empty() && !head.contains(&0);
    if is_text && (ending == "cue" || is_cue_sheet(head)) {
        return Class::Take(Kind::CueSheet);
    }
    match ending.as_str() {
        "m3u" | "m3u8" | "pls" | "xspf" | "asx" if is_text => Class::Take(Kind::Playlist),
        _ => Class::NotAudio,
    }
}

fn is_cue_sheet(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines().map(|line| line.trim_start_matches('\u{feff}').trim_start());
    lines.any(|line| line.starts_with("FILE \""))
        && text.lines().any(|line| line.trim_start().starts_with("TRACK "))
}

/// Reads the beginning of a stream before it is known what it is; gives it with what went wrong. Costs no budget: it is
/// charged where the bytes are read again.
pub(super) fn peek(source: &mut dyn Read, length: usize) -> (Vec<u8>, Option<SkipReason>) {
    let mut head = vec![0; length];
    let mut filled = 0;
    let mut broken = None;
    while filled < length && broken.is_none() {
        match source.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => broken = Some(reason_of(&error)),
        }
    }
    head.truncate(filled);
    (head, broken)
}
