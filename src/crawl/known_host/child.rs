//! Asking `yt-dlp`: a child process with limits.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use url::Url;

use super::Error;
use crate::config::KnownHostSettings;
use crate::net::{GuardedProxy, shown};

/// Bytes of the answer. A film with a hundred formats has 300 KB; a list of fifty of them without is shorter.
pub(super) const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// Bytes of its complaints that are kept.
const COMPLAINT_BYTES_MAX: u64 = 64 << 10;
/// Time for the last complaints, once the child is gone.
const COMPLAINT_TIME_MAX: Duration = Duration::from_secs(2);
/// CPU time. Its start alone costs one second, and the largest of its extractors' work is done in ten.
const CPU_SECONDS_MAX: u64 = 60;
/// Bytes of a file that it writes: it should write none.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Files and connections that it has open.
const OPEN_FILES_MAX: u64 = 256;

/// What a child said.
pub(super) struct Said {
    pub(super) answer: Vec<u8>,
    pub(super) complaints: String,
}

/// What is always asked: nothing of the user's own, nothing kept, nothing run beside, one try.
const ARGUMENTS: [&str; 28] = [
    "--ignore-config",
    "--no-cache-dir",
    "--no-plugin-dirs",
    "--no-js-runtimes",
    "--no-remote-components",
    "--no-cookies",
    "--no-cookies-from-browser",
    "--no-mark-watched",
    "--no-update",
    "--use-extractors",
    "default,-generic",
    "--simulate",
    "--dump-single-json",
    "--no-playlist",
    "--flat-playlist",
    "--no-check-formats",
    "--ignore-no-formats-error",
    "--no-progress",
    "--color",
    "never",
    "--no-exec",
    "--retries",
    "1",
    "--extractor-retries",
    "1",
    "--socket-timeout",
    "15",
    "--playlist-end",
];

/// Asks about `url` and waits `time_max` at most; afterwards the child and all of its group are gone.
pub(super) async fn ask(
    program: &Path,
    settings: &KnownHostSettings,
    proxy: &GuardedProxy,
    url: &Url,
    time_max: Duration,
) -> Result<Said, Error> {
    let failed =
        |error: std::io::Error| Error::Start { program: program.to_owned(), reason: error.to_string() };
    let folder = tempfile::Builder::new().prefix("earwitness-known-").tempdir().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(ARGUMENTS)
        .arg(settings.entries_max.max(1).to_string())
        .args(["--", url.as_str()])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONNOUSERSITE", "1")
        .current_dir(folder.path())
        .process_group(0)
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // In the environment and not on the command line, which everybody can read.
    for name in ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy"] {
        command.env(name, proxy.url());
    }
    let mut group = Group(command.spawn().map_err(failed)?);
    group.limit(settings.memory_bytes_max);
    let complaints = tokio::spawn(bounded(group.0.stderr.take(), COMPLAINT_BYTES_MAX));
    let answer = tokio::time::timeout(time_max, bounded(group.0.stdout.take(), ANSWER_BYTES_MAX + 1)).await;
    group.end().await;
    let answer = answer.map_err(|_| Error::Timeout { url: shown(url), seconds: time_max.as_secs() })?;
    // All that could write to it is gone, unless it has left the group.
    let complaints = tokio::time::timeout(COMPLAINT_TIME_MAX, complaints).await.ok().and_then(Result::ok);
    let complaints = String::from_utf8_lossy(&complaints.unwrap_or_default()).into_owned();
    Ok(Said { answer, complaints })
}

/// Reads as much as is allowed; the rest is left to be lost.
async fn bounded(output: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(output) = output {
        let _ = output.take(bytes_max).read_to_end(&mut bytes).await;
    }
    bytes
}

/// A child with all that it may start; ended when dropped.
struct Group(Child);

impl Group {
    /// The process's number, as long as it was not waited for.
    fn id(&self) -> Option<Pid> {
        self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    /// Sets its limits; it has hardly begun, since Python takes longer to start than this.
    fn limit(&self, memory_bytes_max: u64) {
        let Some(id) = self.id() else { return };
        for (resource, most) in [
            (Resource::As, memory_bytes_max),
            (Resource::Cpu, CPU_SECONDS_MAX),
            (Resource::Fsize, FILE_BYTES_MAX),
            (Resource::Nofile, OPEN_FILES_MAX),
            (Resource::Core, 0),
        ] {
            set_limit(id, resource, Rlimit { current: Some(most), maximum: Some(most) });
        }
    }

    fn kill(&self) {
        if let Some(group) = self.id() {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }

    async fn end(mut self) {
        self.kill();
        let _ = self.0.wait().await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where the system can limit another process; elsewhere the limits on time, bytes and output remain.
#[cfg(target_os = "linux")]
fn set_limit(id: Pid, resource: Resource, limit: Rlimit) {
    let _ = rustix::process::prlimit(Some(id), resource, limit);
}

#[cfg(not(target_os = "linux"))]
fn set_limit(_: Pid, _: Resource, _: Rlimit) {}
