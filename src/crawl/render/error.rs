//! Why a page could not be rendered.

use std::path::PathBuf;

use crate::net;

/// What can go wrong with a page in the browser. Each message names the URL, or the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No browser is on this machine.
    #[error(
        "pages cannot be rendered: {looked_for}; install Chromium (Debian: apt-get install chromium) or name it in \
         render.program"
    )]
    Missing {
        /// What was looked for.
        looked_for: String,
    },
    /// The browser does not start.
    #[error("{program} does not start ({reason})", program = .program.display())]
    Start {
        /// The browser.
        program: PathBuf,
        /// What the system or the browser said.
        reason: String,
    },
    /// The guard or the network said no before anything was rendered.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The page may not be loaded.
    #[error("{url}: not rendered: {reason}")]
    Refused {
        /// The page.
        url: String,
        /// Which rule forbids it.
        reason: String,
    },
    /// The page cannot be loaded.
    #[error("{url}: the browser cannot load it ({reason})")]
    Load {
        /// The page.
        url: String,
        /// What the browser said.
        reason: String,
    },
    /// It is no page but a file to be saved.
    #[error("{url}: is a download, not a page")]
    Download {
        /// The URL.
        url: String,
    },
    /// The page leads from one to the next without an end.
    #[error("{url}: leads on and on ({count} pages, the last {last})")]
    Wanders {
        /// The page that was asked for.
        url: String,
        /// Pages that were loaded.
        count: u32,
        /// The last of them.
        last: String,
    },
    /// The page opens one dialog after the other.
    #[error("{url}: keeps opening dialogs ({count} were dismissed)")]
    Dialogs {
        /// The page.
        url: String,
        /// Dialogs.
        count: u32,
    },
    /// A script does not end, and cannot be stopped.
    #[error("{url}: a script of the page does not end, nothing could be read within {seconds} s")]
    Hangs {
        /// The page.
        url: String,
        /// Seconds that were waited.
        seconds: u64,
    },
    /// The page made the browser crash.
    #[error("{url}: the browser crashed ({reason})")]
    Crashed {
        /// The page.
        url: String,
        /// What is known.
        reason: String,
    },
    /// The browser took too much memory.
    #[error("{url}: the browser took more than {mib} MiB of memory (render.memory_bytes_max)")]
    Memory {
        /// The page.
        url: String,
        /// The limit.
        mib: u64,
    },
    /// The time is over.
    #[error("{url}: not rendered within {seconds} s (render.timeout_s)")]
    Timeout {
        /// The page.
        url: String,
        /// The limit.
        seconds: u64,
    },
    /// The browser does not do what its protocol says.
    #[error("{url}: the browser refuses {command} ({reason})")]
    Protocol {
        /// The page.
        url: String,
        /// The command.
        command: &'static str,
        /// What it said.
        reason: String,
    },
}
