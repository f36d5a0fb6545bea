//! How runs stand, for other processes to read while the store is locked: a file for each run in the store's folder,
//! written anew every second, and a file that asks a run to stop.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::frontier::Frontier;
use super::ledger::Ledger;
use super::plan::Plan;
use super::records::{HostRecord, JobRecord, job_key};
use crate::store::Store;

/// The folder, in the store's.
const FOLDER: &str = "crawls";
/// Hosts that are told of, those with the most to do first.
const HOSTS_MAX: usize = 200;
/// A file of another program's making is not read to its end.
const STATUS_BYTES_MAX: u64 = 4 << 20;

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The process that carries it out, while it does.
    pub process: Option<u32>,
    /// The run's record.
    pub job: JobRecord,
    /// URLs that wait.
    pub waiting: u64,
    /// Hosts, those with the most to do first.
    pub hosts: Vec<HostStatus>,
}

/// How a run stands with one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostStatus {
    /// What passed so far.
    pub host: HostRecord,
    /// URLs that wait in its lane.
    pub waiting: u64,
}

/// Where one run writes how it stands.
pub(super) struct Board {
    /// `None` where nobody is to be told.
    file: Option<PathBuf>,
    stop: PathBuf,
}

impl Board {
    pub(super) fn new(store: &Store, plan: &Plan) -> Self {
        let (file, stop) = files(store.path(), &plan.name);
        let file = (!plan.transient).then_some(file);
        if let Some(folder) = file.as_ref().and_then(|file| file.parent()) {
            // Where it cannot be written there is no status; the run goes on.
            let _ = fs::create_dir_all(folder);
        }
        let _ = fs::remove_file(&stop);
        Self { file, stop }
    }

    /// Whether `crawl stop` has asked for the end.
    pub(super) fn is_stop_asked(&self) -> bool {
        self.file.is_some() && self.stop.exists()
    }

    pub(super) fn write(&self, frontier: &Frontier<'_>, ledger: &Ledger) {
        let Some(file) = &self.file else { return };
        let status = status(frontier, ledger);
        let written = serde_json::to_vec(&status).map_err(std::io::Error::from).and_then(|bytes| {
            let half = file.with_extension("new");
            fs::File::create(&half)?.write_all(&bytes)?;
            fs::rename(&half, file)
        });
        if let Err(error) = written {
            tracing::warn!("cannot write how the run stands to {}: {error}", file.display());
        }
    }

    /// The run is over: the store tells the rest.
    pub(super) fn remove(&self) {
        if let Some(file) = &self.file {
            let _ = fs::remove_file(file);
        }
        let _ = fs::remove_file(&self.stop);
    }
}

fn files(store: &Path, name: &str) -> (PathBuf, PathBuf) {
    let folder = store.join(FOLDER);
    let key = job_key(name);
    (folder.join(format!("{key}.json")), folder.join(format!("{key}.stop")))
}

fn status(frontier: &Frontier<'_>, ledger: &Ledger) -> Status {
    let waiting: std::collections::HashMap<&str, u64> = frontier.waiting_by_lane().collect();
    let mut hosts: Vec<HostStatus> = ledger
        .hosts()
        .map(|host| HostStatus {
            host: host.clone(),
            waiting: waiting.get(host.lane.as_str()).copied().unwrap_or_default(),
        })
        .collect();
    sort(&mut hosts);
    hosts.truncate(HOSTS_MAX);
    let (process, job) = (Some(std::process::id()), frontier.job.clone());
    Status { process, job, waiting: frontier.waiting(), hosts }
}

fn sort(hosts: &mut [HostStatus]) {
    hosts.sort_by(|a, b| {
        (b.waiting, b.host.requests, &a.host.authority).cmp(&(a.waiting, a.host.requests, &b.host.authority))
    });
}

/// Returns how the runs stand that another process carries out with the store in this folder; those of a process that
/// is gone are left out.
#[must_use]
pub fn running(store: &Path) -> Vec<Status> {
    let Ok(entries) = fs::read_dir(store.join(FOLDER)) else { return Vec::new() };
    let mut all: Vec<Status> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| read(&path))
        .filter(|status| status.process.is_some_and(is_alive))
        .collect();
    all.sort_by(|a, b| a.job.name.cmp(&b.job.name));
    all
}

fn read(path: &Path) -> Option<Status> {
    let length = fs::metadata(path).ok()?.len();
    if length > STATUS_BYTES_MAX {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Asks a run that another process carries out to stop: it finishes what is in hand.
///
/// # Errors
/// Why the file cannot be written that asks for it.
pub fn ask_to_stop(store: &Path, name: &str) -> std::io::Result<()> {
    let (_, stop) = files(store, name);
    fs::write(stop, [])
}

#[cfg(unix)]
fn is_alive(process: u32) -> bool {
    let Some(pid) = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
const fn is_alive(_process: u32) -> bool {
    true
}

/// Returns the records of the runs that the store holds.
///
/// # Errors
/// When the store cannot be read.
pub fn jobs(store: &Store) -> Result<Vec<JobRecord>, crate::store::Error> {
    store.scan::<JobRecord>("")?.filter(|job| job.as_ref().map_or(true, |job| !job.transient)).collect()
}

/// Returns how the runs stand that the store holds, by name.
///
/// # Errors
/// When the store cannot be read.
pub fn kept(store: &Store) -> Result<Vec<Status>, crate::store::Error> {
    let mut all = Vec::new();
    for job in jobs(store)? {
        let prefix = format!("{}/", job_key(&job.name));
        let mut waiting = std::collections::HashMap::<String, u64>::new();
        let mut total = 0;
        for task in store.scan::<super::records::TaskRecord>(&prefix)? {
            *waiting.entry(super::address::lane_of(&task?.task.url)).or_default() += 1;
            total += 1;
        }
        let mut hosts = Vec::new();
        for host in store.scan::<HostRecord>(&prefix)? {
            let host = host?;
            let waiting = waiting.get(&host.lane).copied().unwrap_or_default();
            hosts.push(HostStatus { host, waiting });
        }
        sort(&mut hosts);
        hosts.truncate(HOSTS_MAX);
        all.push(Status { process: None, job, waiting: total, hosts });
    }
    all.sort_by(|a, b| a.job.name.cmp(&b.job.name));
    Ok(all)
}
