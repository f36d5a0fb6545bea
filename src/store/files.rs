//! The store's folder: names, the lock, the version, free space, durable renames.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::Error;

/// The version of the folder's layout that this program writes, and the newest it reads.
pub(super) const LAYOUT_VERSION: u64 = 1;

/// Where things are in a store's folder.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(super) fn version(&self) -> PathBuf {
        self.root.join("store.json")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(super) fn trees(&self) -> PathBuf {
        self.root.join("trees")
    }

    /// Where trees go that could not be opened.
    pub(super) fn broken_trees(&self) -> PathBuf {
        self.root.join("trees.broken")
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Is there while a backup is made a store of, so that half a store is not taken for one.
    pub(super) fn restoring(&self) -> PathBuf {
        self.root.join("restoring")
    }

    fn is_strange(&self) -> io::Result<bool> {
        let ours =
            [self.lock(), self.version(), self.journal(), self.trees(), self.blobs(), self.restoring()];
        Ok(!ours.iter().any(|path| path.exists()) && fs::read_dir(&self.root)?.next().is_some())
    }
}

/// One process's hold on a store; given up when dropped.
pub(super) struct Session {
    lock: File,
    layout: Layout,
    unclean: bool,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Holder {
    pid: u32,
    boot: String,
}

impl Session {
    /// Makes the folder where missing and takes its lock.
    pub(super) fn begin(layout: &Layout) -> Result<Self, Error> {
        let session = Self::begin_restoring(layout)?;
        if layout.restoring().exists() {
            return Err(Error::HalfRestored { path: layout.root.clone() });
        }
        Ok(session)
    }

    /// As [`Session::begin`], also where a restoring was cut off.
    pub(super) fn begin_restoring(layout: &Layout) -> Result<Self, Error> {
        fs::create_dir_all(&layout.root).map_err(Error::io(&layout.root))?;
        if layout.is_strange().map_err(Error::io(&layout.root))? {
            return Err(Error::NotAStore { path: layout.root.clone() });
        }
        let path = layout.lock();
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io(&path))?;
        let taken = patiently(|| lock.try_lock(), |taken| matches!(taken, Err(TryLockError::WouldBlock)));
        let before = read_holder(&mut lock);
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked {
                    path: layout.root.clone(),
                    pid: before.map(|holder| holder.pid),
                });
            }
            Err(TryLockError::Error(source)) => return Err(Error::Io { path, source }),
        }
        let boot = boot_id();
        let unclean = before.is_some_and(|holder| holder.boot.is_empty() || holder.boot != boot);
        write_holder(&mut lock, &Holder { pid: std::process::id(), boot }).map_err(Error::io(&path))?;
        Ok(Self { lock, layout: layout.clone(), unclean })
    }

    /// Returns whether the machine went down while the store was open. The engine does not fsync, so its trees may
    /// then hold anything; a killed process alone leaves them whole.
    pub(super) fn machine_went_down(&self) -> bool {
        self.unclean
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The holder's name is taken out only when the trees are surely on disk: it is what tells a clean end.
        let synced = File::open(self.layout.trees().join("db")).and_then(|file| file.sync_all());
        if synced.is_ok() {
            let _ = self.lock.set_len(0).and_then(|()| self.lock.sync_all());
        }
    }
}

/// Tries again for half a second while `busy` says so.
///
/// A child process holds copies of all its parent's locks from its birth until it runs its own program, and a killed
/// process may take a moment to go: neither is worth an error.
pub(super) fn patiently<T>(mut attempt: impl FnMut() -> T, busy: impl Fn(&T) -> bool) -> T {
    const ATTEMPTS: u32 = 25;
    for _ in 1..ATTEMPTS {
        let result = attempt();
        if !busy(&result) {
            return result;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    attempt()
}

fn read_holder(lock: &mut File) -> Option<Holder> {
    let mut text = String::new();
    lock.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_holder(lock: &mut File, holder: &Holder) -> io::Result<()> {
    let text = serde_json::to_vec(holder)?;
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    lock.write_all(&text)?;
    lock.sync_all()
}

/// Returns what differs after each start of the machine; empty where the system does not say.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Checks the layout's version, or writes it into a new store.
pub(super) fn check_version(layout: &Layout) -> Result<(), Error> {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Version {
        format: String,
        version: u64,
    }
    let path = layout.version();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let version = Version { format: "earwitness-store".to_owned(), version: LAYOUT_VERSION };
            let text = serde_json::to_vec(&version).map_err(io::Error::from).map_err(Error::io(&path))?;
            return write_durably(&path, &text).map_err(Error::io(&path));
        }
        Err(source) => return Err(Error::Io { path, source }),
    };
    let read: Result<Version, _> = serde_json::from_slice(&bytes);
    match read {
        Ok(Version { version, .. }) if version > LAYOUT_VERSION => {
            Err(Error::Newer { path, found: version, known: LAYOUT_VERSION })
        }
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Damaged { path, offset: 0, what: error.to_string() }),
    }
}

/// Writes a small file whole or not at all.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Makes renames in a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a folder with all that is in it; that it is not there is no error.
pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Tells how many bytes an ordinary user may still write to the file system of a path.
pub type FreeSpace = fn(&Path) -> io::Result<u64>;

/// Asks the system; the default [`FreeSpace`].
///
/// # Errors
/// Whatever the system says.
pub fn system_free_space(path: &Path) -> io::Result<u64> {
    let status = rustix::fs::statvfs(path)?;
    Ok(status.f_bavail.saturating_mul(status.f_frsize))
}
