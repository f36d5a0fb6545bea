//! One Chromium: started with a profile of its own in a temporary folder, watched, and ended with all its children.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::Error;
use super::devtools::Link;
use crate::net::GuardedProxy;

/// The pipes to a browser.
pub(super) type BrowserLink = Link<ChildStdin, ChildStdout>;

/// The protocol wants its pipes at descriptors 3 and 4; a shell puts them there and becomes the browser.
const PIPES: &str = "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null";

/// The switches beside those that carry values. Grouped: how it runs; what it must not do by itself; where its network
/// must not go; players.
const SWITCHES: [&str; 39] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-startup-window",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--noerrdialogs",
    "--hide-scrollbars",
    "--password-store=basic",
    "--use-mock-keychain",
    "--window-size=1280,1024",
    "--force-device-scale-factor=1",
    "--renderer-process-limit=2",
    "--disk-cache-size=1048576",
    // One process for all frames: there is nothing in this profile that one site could steal from another.
    "--disable-site-isolation-trials",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-component-extensions-with-background-pages",
    "--disable-client-side-phishing-detection",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-pings",
    "--disable-notifications",
    "--disable-speech-api",
    "--block-new-web-contents",
    "--deny-permission-prompts",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
];

/// Features that would reach out or keep processes: translation, hints, previews of links, isolation (see above).
const FEATURES_OFF: &str = "--disable-features=IsolateOrigins,site-per-process,Translate,OptimizationHints,MediaRouter,\
    DialMediaRouteProvider,AutofillServerCommunication,CertificateTransparencyComponentUpdater,InterestFeedContentSuggestions,\
    NetworkTimeServiceQuerying,PrefetchProxy,SafeBrowsing,DnsOverHttps,AsyncDns,BackForwardCache,PushMessaging";

/// Megabytes of the script engine's heap; the rest of `render.memory_bytes_max` is for pictures and the browser itself.
const SCRIPT_HEAP_SHARE: u64 = 4;

/// How often the memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_millis(250);

/// Time for the processes to be gone, once they were ended.
const ENDING_TIME_MAX: Duration = Duration::from_secs(3);

/// Bytes of what the browser says on its error output that are kept.
const COMPLAINT_BYTES_MAX: u64 = 16 << 10;

/// A browser that is running; ended when dropped.
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
    complaints: Option<ChildStderr>,
    /// The profile.
    folder: Option<TempDir>,
}

impl Process {
    /// Starts `program` with its network through `proxy`.
    pub(super) fn start(
        program: &Path,
        proxy: &GuardedProxy,
        user_agent: &str,
        memory_bytes_max: u64,
    ) -> Result<(Self, BrowserLink), Error> {
        let failed =
            |error: std::io::Error| Error::Start { program: program.to_owned(), reason: error.to_string() };
        let folder = tempfile::Builder::new().prefix("earwitness-render-").tempdir().map_err(failed)?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", PIPES, "sh"])
            .arg(program)
            .args(arguments(folder.path(), proxy, user_agent, memory_bytes_max))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .current_dir(folder.path())
            .process_group(0)
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let complaints = child.stderr.take();
        let pipes = child.stdin.take().zip(child.stdout.take());
        let process = Self { child, group, complaints, folder: Some(folder) };
        let (to, from) = pipes.ok_or_else(|| failed(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok((process, Link::new(to, from)))
    }

    /// Reads what the browser says on its error output, so that it never waits for a reader, until it ends; returns the
    /// beginning.
    pub(super) fn complaints(&mut self) -> impl Future<Output = String> + Send + 'static {
        let output = self.complaints.take();
        async move {
            let mut kept = Vec::new();
            if let Some(mut output) = output {
                let _ = (&mut output).take(COMPLAINT_BYTES_MAX).read_to_end(&mut kept).await;
                let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
            }
            String::from_utf8_lossy(&kept).into_owned()
        }
    }

    /// Returns when the browser and its children take more than `bytes_max`; never where that cannot be seen.
    pub(super) async fn outgrows(&self, bytes_max: u64) {
        loop {
            tokio::time::sleep(MEMORY_INTERVAL).await;
            let processes = self.processes();
            if processes.iter().map(Running::private_bytes).sum::<u64>() > bytes_max {
                return;
            }
        }
    }

    /// Ends the browser and all its children, and removes the profile.
    pub(super) async fn end(mut self) {
        let processes = self.processes();
        self.kill(&processes);
        let _ = tokio::time::timeout(ENDING_TIME_MAX, self.child.wait()).await;
        gone(&processes).await;
        drop(self.folder.take());
    }

    fn kill(&self, processes: &[Running]) {
        if let Some(group) = self.group {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        for process in processes.iter().filter(|process| process.is_there()) {
            let _ = rustix::process::kill_process(process.id, Signal::KILL);
        }
    }

    /// The processes of the group, and all children of theirs that have left it.
    fn processes(&self) -> Vec<Running> {
        let Some(group) = self.group else { return Vec::new() };
        let all = running();
        let mut found: Vec<Running> = Vec::new();
        loop {
            let before = found.len();
            for one in &all {
                let is_ours = one.group == group.as_raw_nonzero().get()
                    || found.iter().any(|parent| parent.id.as_raw_nonzero().get() == one.parent);
                if is_ours && !found.iter().any(|known| known.id == one.id) {
                    found.push(*one);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once the leader was waited for, its number may belong to somebody else.
        if self.child.id().is_none() {
            return;
        }
        let processes = self.processes();
        self.kill(&processes);
        // A folder that is still written to cannot be removed; it goes once nobody is there to write.
        let folder = self.folder.take();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                gone(&processes).await;
                drop(folder);
            });
        }
    }
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("group", &self.group).finish_non_exhaustive()
    }
}

fn arguments(folder: &Path, proxy: &GuardedProxy, user_agent: &str, memory_bytes_max: u64) -> Vec<String> {
    let heap_mib = (memory_bytes_max >> 20) / SCRIPT_HEAP_SHARE;
    let profile: PathBuf = folder.join("profile");
    let mut arguments: Vec<String> = SWITCHES.iter().map(|&switch| switch.to_owned()).collect();
    arguments.extend([
        FEATURES_OFF.to_owned(),
        format!("--user-data-dir={}", profile.display()),
        format!("--user-agent={user_agent}"),
        format!("--js-flags=--max-old-space-size={}", heap_mib.max(64)),
        format!("--proxy-server=http://{}", proxy.address()),
        // Loopback is not to be reached past the proxy, as it is by default.
        "--proxy-bypass-list=<-loopback>".to_owned(),
        // And nothing is resolved here, whatever a switch of another version means.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1".to_owned(),
    ]);
    if rustix::process::geteuid().is_root() {
        // Chromium refuses to build its sandbox for the superuser.
        arguments.push("--no-sandbox".to_owned());
    }
    arguments
}

/// A process as `/proc` shows it.
#[derive(Debug, Clone, Copy)]
struct Running {
    id: Pid,
    parent: i32,
    group: i32,
    /// When it was started: tells it from a later one with its number.
    started: u64,
}

impl Running {
    fn read(id: i32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name stands in brackets and may hold anything.
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?;
        let (parent, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let started = fields.nth(16)?.parse().ok()?;
        // Who waits to be buried is gone.
        (state != "Z").then_some(Self { id: Pid::from_raw(id)?, parent, group, started })
    }

    fn is_there(&self) -> bool {
        Self::read(self.id.as_raw_nonzero().get()).is_some_and(|now| now.started == self.started)
    }

    /// Memory that it does not share with others.
    fn private_bytes(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.id.as_raw_nonzero()));
        let text = text.unwrap_or_default();
        let mut pages = text.split_ascii_whitespace().skip(1).map(|field| field.parse().unwrap_or(0_u64));
        let (resident, shared) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
        resident.saturating_sub(shared) * rustix::param::page_size() as u64
    }
}

/// Waits until they are gone, but not for ever.
async fn gone(processes: &[Running]) {
    let waiting = async {
        while processes.iter().any(Running::is_there) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(ENDING_TIME_MAX, waiting).await;
}

/// All processes that can be seen; none on systems without `/proc`.
fn running() -> Vec<Running> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| Running::read(entry.ok()?.file_name().to_str()?.parse().ok()?)).collect()
}
