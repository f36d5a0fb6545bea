//! Where evidence is gathered: what the machine was like, as far as it bears on what was seen (Internet Court Provisions,
//! Art. 11 (1) and (4); Civil Evidence Rules, Art. 93 (1) to (3)).

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::log::{NewEntry, append, entries_about};
use super::manifest::document;
use super::section::Section;
use crate::base::{Digest, Timestamp};
use crate::store::Store;

/// No more than this is read of a file of the system, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Variables that send the requests of many programs through a proxy; this program never heeds them.
const PROXY_VARIABLES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// What the machine is like at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// When it was looked at.
    pub at: Timestamp,
    /// The program.
    pub program: Program,
    /// The operating system.
    pub system: System,
    /// The file that gives names addresses before any resolver is asked.
    pub hosts_file: SystemFile,
    /// The file that names the resolvers.
    pub resolver_file: SystemFile,
    /// The resolvers that it names.
    pub nameservers: Vec<String>,
    /// The proxy that requests go through by the configuration, without user and password; none where there is none.
    pub proxy: Option<String>,
    /// Variables that name a proxy in the environment. This program does not heed them.
    pub proxy_variables_not_heeded: Vec<String>,
    /// Where instants come from.
    pub clock: ClockSource,
}

/// The running program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// `earwitness`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file; none where it cannot be read.
    pub sha256: Option<Digest>,
}

/// The operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// `linux`, `macos` …
    pub os: String,
    /// `x86_64`, `aarch64` …
    pub architecture: String,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The distribution's name and version.
    pub distribution: Option<String>,
}

/// A file of the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemFile {
    /// Where it is.
    pub path: String,
    /// SHA-256 of its bytes; none where it cannot be read.
    pub sha256: Option<Digest>,
}

/// Where instants come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSource {
    /// In words.
    pub source: String,
    /// What the kernel counts by.
    pub kernel_source: Option<String>,
    /// Whether the system says that it is set by network time; none where it does not say.
    pub synchronised: Option<bool>,
    /// How far it is off, in seconds, where that was measured.
    pub offset_s: Option<String>,
}

/// Looks at the machine. `proxy` is the one of the configuration, which may hold a password.
#[must_use]
pub fn environment(now: Timestamp, proxy: Option<&str>) -> Environment {
    let resolver = text("/etc/resolv.conf").unwrap_or_default();
    let is_set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    Environment {
        at: now,
        program: Program {
            name: "earwitness".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sha256: program_sha256(),
        },
        system: System {
            os: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            kernel: first_line("/proc/sys/kernel/osrelease"),
            distribution: text("/etc/os-release").as_deref().and_then(pretty_name),
        },
        hosts_file: file("/etc/hosts"),
        resolver_file: file("/etc/resolv.conf"),
        nameservers: resolver
            .lines()
            .filter_map(|line| line.strip_prefix("nameserver"))
            .map(|name| name.trim().to_owned())
            .collect(),
        proxy: proxy.map(without_secrets),
        proxy_variables_not_heeded: PROXY_VARIABLES
            .iter()
            .filter(is_set)
            .map(|name| (*name).to_owned())
            .collect(),
        clock: ClockSource {
            source: "the machine's clock, UTC".to_owned(),
            kernel_source: first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            // Left there by systemd-timesyncd after the first time that it set the clock.
            synchronised: Path::new("/run/systemd/timesync/synchronized").exists().then_some(true),
            offset_s: None,
        },
    }
}

/// The subject of the log's entries about the machine.
const SUBJECT: &str = "environment";

/// Keeps what the machine is like when a run begins, in the store and in its log, so that the bundle of a case can say what it
/// was like when the case's file was captured. Nothing is kept where it is as it was.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn keep_environment(store: &Store, environment: &Environment) -> Result<(), Error> {
    let last =
        kept_environment(store, environment.at)?.and_then(|(_, bytes)| serde_json::from_slice(&bytes).ok());
    if last.is_some_and(|last: Environment| Environment { at: environment.at, ..last } == *environment) {
        return Ok(());
    }
    let blob = store.blobs().put(&document(environment, SUBJECT)?)?;
    let note = format!("{} {}", environment.program.name, environment.program.version);
    let entry = NewEntry {
        at: environment.at,
        what: SUBJECT,
        subject: SUBJECT,
        actor: "earwitness",
        sha256: Some(blob.digest),
        note: &note,
    };
    append(store, &entry)?;
    Ok(())
}

/// What was last kept of the machine at or before `at`: its digest and its JSON; none where nothing was, or it is gone.
///
/// # Errors
/// [`Error`] when the store fails.
pub fn kept_environment(store: &Store, at: Timestamp) -> Result<Option<(Digest, Vec<u8>)>, Error> {
    let entries = entries_about(store, SUBJECT)?;
    let last = entries.into_iter().rev().find(|entry| entry.at <= at).and_then(|entry| entry.sha256);
    let Some(sha256) = last else { return Ok(None) };
    let read =
        File::open(store.blobs().path(&sha256)).and_then(|file| Section::all(&file)?.read(FILE_BYTES_MAX));
    Ok(read.ok().filter(|bytes| Digest::of(bytes) == sha256).map(|bytes| (sha256, bytes)))
}

/// A proxy's address without what may be secret in it.
#[must_use]
pub fn without_secrets(proxy: &str) -> String {
    let Ok(url) = url::Url::parse(proxy) else { return "(unreadable)".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Digested once: the file does not change under a running program, or it is no longer the one that runs.
fn program_sha256() -> Option<Digest> {
    static SHA256: OnceLock<Option<Digest>> = OnceLock::new();
    *SHA256.get_or_init(|| {
        // On Linux the link leads to the file that runs, even where another was put in its place.
        let file = File::open("/proc/self/exe").or_else(|_| File::open(std::env::current_exe()?)).ok()?;
        Some(Section::all(&file).ok()?.sums().ok()?.sha256)
    })
}

fn file(path: &str) -> SystemFile {
    let bytes = bytes(path);
    SystemFile { path: path.to_owned(), sha256: bytes.map(|bytes| Digest::of(&bytes)) }
}

fn bytes(path: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn text(path: &str) -> Option<String> {
    String::from_utf8(bytes(path)?).ok()
}

fn first_line(path: &str) -> Option<String> {
    text(path)?.lines().next().map(|line| line.trim().to_owned())
}

fn pretty_name(os_release: &str) -> Option<String> {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_machine_is_described_without_secrets() {
        let now = Timestamp::UNIX_EPOCH;
        let environment = environment(now, Some("socks5://me:hidden@proxy.example:1080/x?y=hidden"));
        assert_eq!(environment.proxy.as_deref(), Some("socks5://proxy.example:1080"));
        assert!(environment.program.sha256.is_some());
        assert_eq!(environment.system.os, std::env::consts::OS);
        let json = serde_json::to_string(&environment).unwrap();
        assert!(!json.contains("hidden"));
        assert_eq!(serde_json::from_str::<Environment>(&json).unwrap(), environment);
    }

    #[test]
    fn what_it_was_like_at_an_instant_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = environment(at("2026-03-01T00:00:00Z"), None);
        keep_environment(&store, &first).unwrap();
        keep_environment(&store, &Environment { at: at("2026-03-02T00:00:00Z"), ..first.clone() }).unwrap();
        let other = Environment {
            at: at("2026-03-03T00:00:00Z"),
            proxy: Some("http://p".to_owned()),
            ..first.clone()
        };
        keep_environment(&store, &other).unwrap();
        assert_eq!(super::super::log::check(&store).unwrap().number, 2);
        let of = |text: &str| {
            let kept = kept_environment(&store, at(text)).unwrap();
            kept.map(|(_, bytes)| serde_json::from_slice::<Environment>(&bytes).unwrap())
        };
        assert_eq!(of("2026-02-01T00:00:00Z"), None);
        assert_eq!(of("2026-03-02T12:00:00Z"), Some(first));
        assert_eq!(of("2026-03-04T00:00:00Z"), Some(other));
    }
}
