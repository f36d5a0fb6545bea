//! A program of the system that unpacks rar: found once, run under limits, its output read.
//!
//! It runs without a shell's or user's settings, with nothing on its standard input, under limits on memory, CPU time
//! and files, and where the kernel can (Linux 5.13 for files, 6.7 for connections) it may read programs, libraries and
//! the one archive, write nothing, and connect nowhere.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::SkipReason;

/// The programs that are known, for messages.
pub(super) const PROGRAMS: &str = "unar, bsdtar (of libarchive-tools), unrar, 7zz, 7z";

/// Programs with the arguments before the archive's path, the best for rar 4 first. All of them write every member to
/// standard output, in the archive's order, with nothing between. A password is given so that none is asked for.
const KNOWN: [(&str, &[&str]); 5] = [
    ("unrar", &["p", "-inul", "-p-", "-cfg-", "--"]),
    ("unar", &["-quiet", "-no-recursion", "-password", "-", "-output-directory", "-"]),
    ("7zz", &["x", "-so", "-bd", "-p-", "--"]),
    ("7z", &["x", "-so", "-bd", "-p-", "--"]),
    ("bsdtar", &["-x", "-O", "-f"]),
];

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    path: PathBuf,
    arguments: Vec<&'static str>,
}

impl Tool {
    /// The program at `path`, where its name is one that is known: `unar`, `bsdtar`, `7zz`, `7z` or `unrar`.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (_, arguments) = KNOWN.iter().find(|(known, _)| *known == name)?;
        Some(Self { path: path.to_owned(), arguments: arguments.to_vec() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or("the program")
    }
}

/// The outside programs that a walk may run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools {
    /// For compressed members of a rar, which are skipped where there are none. No program reads every rar: what one
    /// gives nothing for, the next is asked for.
    pub rar: Vec<Tool>,
}

impl Tools {
    /// Looks along a search path such as `PATH` has; relative folders in it are left out.
    #[must_use]
    pub fn find(search_path: &std::ffi::OsStr) -> Self {
        let folders: Vec<PathBuf> =
            std::env::split_paths(search_path).filter(|folder| folder.is_absolute()).collect();
        let find = |(name, _): &(&str, _)| {
            let path = folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path))?;
            Tool::at(&path)
        };
        Self { rar: KNOWN.iter().filter_map(find).collect() }
    }

    /// In the order in which they are best asked: bsdtar knows rar 5 whole, of rar 4 only archives that are not solid;
    /// unar is the other way round.
    pub(super) fn for_rar(&self, is_rar5: bool) -> Vec<Tool> {
        let mut tools = self.rar.clone();
        if is_rar5 {
            tools.sort_by_key(|tool| match tool.name() {
                "unrar" => 0,
                "bsdtar" => 1,
                _ => 2,
            });
        }
        tools
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Memory beside the dictionary: the program itself with its libraries maps up to a few hundred MiB.
const MEMORY_BYTES: u64 = 1 << 30;

/// CPU time of one run, in seconds: 32 GiB at 50 MiB a second.
const CPU_S: u64 = 660;

/// A program that writes nothing for so many times [`LISTEN`], a minute, is ended. It can have to pass over a whole
/// solid archive, but it writes what it passes over.
const SILENCES_MAX: u32 = 240;

/// How long is listened before the caller may call it off.
const LISTEN: Duration = Duration::from_millis(250);

/// Pieces of output, and how many may wait.
const PIECE_BYTES: usize = 1 << 16;
const PIECES_MAX: usize = 4;

/// Sets the limits and becomes the program: `$1` is memory in KiB, `$2` CPU seconds. A shell does it, since between
/// fork and exec this process could not without unsafe code. What a system's shell does not know is left out.
const LIMITED: &str = "ulimit -v \"$1\" 2>/dev/null; ulimit -t \"$2\" 2>/dev/null; ulimit -f 0 2>/dev/null; \
                       ulimit -c 0 2>/dev/null; ulimit -n 64 2>/dev/null; shift 2; exec \"$@\"";

/// A running program, as a reader of its output. It is ended when this is dropped.
pub(super) struct Running {
    child: Child,
    pieces: Option<Receiver<io::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    read: usize,
    silences: u32,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts `tool` on `archive`.
    pub(super) fn start(tool: &Tool, archive: &Path, decoder_bytes: u64) -> io::Result<Self> {
        let archive = std::path::absolute(archive)?;
        let (nothing, silence) = (File::open("/dev/null")?, File::options().write(true).open("/dev/null")?);
        let kib = MEMORY_BYTES.saturating_add(decoder_bytes.saturating_mul(2)) >> 10;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", LIMITED, "sh", &kib.to_string(), &CPU_S.to_string()]);
        command.arg(&tool.path).args(&tool.arguments).arg(&archive);
        command.env_clear().envs([
            ("PATH", "/usr/bin:/bin"),
            ("LC_ALL", "C.UTF-8"),
            ("HOME", "/nonexistent"),
        ]);
        command.current_dir("/").stdin(nothing).stdout(Stdio::piped()).stderr(silence);
        let mut child = spawn_closed_in(command, tool.path.clone(), archive)?;
        let Some(output) = child.stdout.take() else {
            return Err(io::Error::other("its output cannot be read"));
        };
        let (sender, pieces) = sync_channel(PIECES_MAX);
        let reader = std::thread::Builder::new().name("archive-output".to_owned()).spawn(move || {
            pass_on(output, |piece| sender.send(piece).is_ok());
        })?;
        Ok(Self {
            child,
            pieces: Some(pieces),
            piece: Vec::new(),
            read: 0,
            silences: 0,
            reader: Some(reader),
        })
    }
}

/// Reads until the end, or until nobody listens.
fn pass_on(mut output: ChildStdout, mut send: impl FnMut(io::Result<Vec<u8>>) -> bool) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        match output.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                if !send(Ok(piece)) {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                send(Err(error));
                return;
            }
        }
    }
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            let Some(pieces) = &self.pieces else { return Ok(0) };
            match pieces.recv_timeout(LISTEN) {
                Ok(piece) => (self.piece, self.read, self.silences) = (piece?, 0, 0),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) if self.silences < SILENCES_MAX => {
                    self.silences += 1;
                    // Whoever reads asks whether to go on, and comes again.
                    return Err(io::ErrorKind::Interrupted.into());
                }
                Err(RecvTimeoutError::Timeout) => {
                    let what = "the program that unpacks gave nothing for a minute".to_owned();
                    return Err(io::Error::other(SkipReason::Damaged { what }));
                }
            }
        }
        let rest = &self.piece[self.read..];
        let most = rest.len().min(buffer.len());
        buffer[..most].copy_from_slice(&rest[..most]);
        self.read += most;
        Ok(most)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A reader that waits to hand on a piece is let go.
        self.pieces = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Starts the program from a thread that has shut itself off from files and network: a child inherits that, and the
/// rest of this process is left as it was.
fn spawn_closed_in(mut command: Command, program: PathBuf, archive: PathBuf) -> io::Result<Child> {
    let thread = std::thread::Builder::new().name("archive-start".to_owned());
    let started = thread.spawn(move || {
        close_in(&program, &archive);
        command.spawn()
    })?;
    started.join().unwrap_or_else(|_| Err(io::Error::other("it cannot be closed in")))
}

#[cfg(target_os = "linux")]
fn close_in(program: &Path, archive: &Path) {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _,
    };
    /// What dynamically linked programs read on the common distributions; unar's runtime also asks for its command
    /// line, its user's name and the time zone. Other processes' memory and environment stay closed: a process that is
    /// closed in may not look into one that is not.
    const READ: [&str; 14] = [
        "/usr",
        "/bin",
        "/lib",
        "/lib64",
        "/lib32",
        "/opt",
        "/nix/store",
        "/etc/ld.so.cache",
        "/etc/alternatives",
        "/etc/nsswitch.conf",
        "/etc/passwd",
        "/etc/localtime",
        "/etc/timezone",
        "/proc",
    ];
    let closed = || -> Option<()> {
        let abi = ABI::V5;
        let rules = Ruleset::default().handle_access(AccessFs::from_all(abi)).ok()?;
        let mut rules = rules.handle_access(AccessNet::from_all(abi)).ok()?.create().ok()?;
        for path in READ.iter().map(Path::new).chain([program]) {
            let Ok(path) = PathFd::new(path) else { continue };
            rules = rules.add_rule(PathBeneath::new(path, AccessFs::from_read(abi))).ok()?;
        }
        for path in [archive, Path::new("/dev/null")] {
            let access = AccessFs::ReadFile | AccessFs::WriteFile;
            let access = if path == archive { AccessFs::ReadFile.into() } else { access };
            rules = rules.add_rule(PathBeneath::new(PathFd::new(path).ok()?, access)).ok()?;
        }
        rules.restrict_self().ok().map(|_| ())
    };
    // A kernel without it leaves the limits of the shell.
    let _ = closed();
}

#[cfg(not(target_os = "linux"))]
fn close_in(_: &Path, _: &Path) {}
