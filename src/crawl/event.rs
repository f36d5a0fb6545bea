//! What a crawl tells of.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::discover::Lead;
use super::records::Heard;
use super::sighting::Sighting;
use crate::net::{self, Exchange};

/// What can go wrong with one URL, or with the plan.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network said no.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// A seed is no URL that can be fetched.
    #[error("`{seed}` is no web address ({reason}); write it whole, for example https://example.com/page")]
    Seed {
        /// The seed as given.
        seed: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that a site cannot have.
    #[error(
        "a site's name is 1 to 200 bytes without control characters or outer white space, no URL, and not `*`"
    )]
    SiteName,
    /// A site has no seeds.
    #[error("site `{site}` has no seeds; add `seeds = [\"https://…\"]` to its settings")]
    NoSeeds {
        /// The site's name.
        site: String,
    },
    /// robots.txt shall be ignored without a reason.
    #[error("site `{site}` has robots = \"ignore\" but no robots_reason; the reason is kept as evidence")]
    NoRobotsReason {
        /// The site's name.
        site: String,
    },
    /// A setting of a site cannot be used.
    #[error("sites.{site}.{key}: {reason}")]
    Setting {
        /// The site's name.
        site: String,
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// A pattern of a site is no regular expression.
    #[error("sites.{site}.{key}: not a regular expression ({reason})")]
    Pattern {
        /// The site's name.
        site: String,
        /// The key.
        key: &'static str,
        /// What is wrong, and where in the pattern.
        reason: String,
    },
    /// The store does not work; the run ends.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// The bytes cannot be kept.
    #[error("{url}: cannot keep the bytes in {folder} ({source})")]
    Keep {
        /// The media URL.
        url: String,
        /// The folder for temporary files.
        folder: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A document could not be looked through.
    #[error("{url}: the document could not be read ({reason})")]
    Document {
        /// Its URL.
        url: String,
        /// What happened.
        reason: String,
    },
}

/// A media object with its bytes. The file is removed when this is dropped.
#[derive(Debug)]
pub struct Found {
    /// Where, when and how.
    pub sighting: Sighting,
    /// The bytes.
    pub file: tempfile::TempPath,
    /// Every request on the way as it went over the wire: that of the seed first, each behind those for the robots.txt
    /// of its host, every one once. The bodies of robots.txt, documents, playlists and keys lie in the store until the run
    /// is over; whoever rests on them keeps them by a [`crate::store::Pin`] each. What was asked for in vain (refused for
    /// now, failed) is not among them.
    pub exchanges: Vec<Exchange>,
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageRead {
    /// Where it came from, after redirects.
    pub url: String,
    /// Its title.
    pub title: Option<String>,
    /// How many links to media it holds, known ones too.
    pub media: usize,
    /// How many links to pages it holds, known ones too.
    pub links: usize,
    /// What in it could not be read.
    pub problems: Vec<String>,
}

/// A pointer to music that is not followed: a magnet link, a share of a net disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadFound {
    /// The document that it stands in.
    pub page_url: String,
    /// What it points to.
    pub lead: Lead,
}

/// A URL that was not fetched, or not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skip {
    /// The URL.
    pub url: String,
    /// The page that led there.
    pub page_url: Option<String>,
    /// Why.
    pub reason: SkipReason,
}

/// Why a URL was not fetched, or not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// robots.txt forbids it.
    #[error("robots.txt forbids it ({rule})")]
    Robots {
        /// The rule, or why there is none.
        rule: String,
    },
    /// It belongs to another site.
    #[error("outside the site")]
    OutOfScope,
    /// It redirects to another site.
    #[error("redirects to another site ({to})")]
    RedirectsOut {
        /// Where to.
        to: String,
    },
    /// It is further from the seeds than `depth_max`.
    #[error("more than {depth_max} links away from the seeds")]
    TooDeep {
        /// The limit.
        depth_max: u32,
    },
    /// Playlists in playlists, players in players.
    #[error("nested too deeply in players and playlists")]
    TooNested,
    /// It looks like a trap for crawlers.
    #[error("looks like a trap: {what}")]
    Trap {
        /// By what.
        what: String,
    },
    /// It is neither audio or video nor a document that could lead there.
    #[error("neither audio nor a page ({content_type})")]
    NotAudio {
        /// Its Content-Type.
        content_type: String,
    },
    /// The stream is encrypted.
    #[error("the stream is encrypted ({method})")]
    Encrypted {
        /// The method that the playlist names.
        method: String,
    },
    /// The format is known but not read.
    #[error("{format} streams are not read")]
    Unsupported {
        /// The format.
        format: String,
    },
    /// The run, or its host, has spent what it may.
    #[error("the limit of {max} {budget} is reached; {waiting} URLs are left")]
    Budget {
        /// What is spent: `requests`, `bytes`, `seconds of audio`, `seconds`, `requests to one host`, `bytes of one host`.
        budget: String,
        /// The limit.
        max: u64,
        /// URLs still waiting.
        waiting: u64,
    },
    /// The host refused or failed too often in a row, and is let alone for the rest of the run.
    #[error("the host is given up: {why}; {waiting} URLs of it are left out")]
    HostGivenUp {
        /// What it did.
        why: String,
        /// URLs of it that were waiting.
        waiting: u64,
    },
    /// Something in an archive that is no audio, or could not be taken out.
    #[error("in an archive: {why}")]
    Member {
        /// Why it was passed over.
        why: String,
    },
    /// A script of a rendered page wanted it, and was not let.
    #[error("a script of the page wanted it: {why}")]
    Refused {
        /// Why it was not let.
        why: String,
    },
    /// Another page had the same bytes.
    #[error("the same content as a page that was read before")]
    SameContent,
    /// A sitemap that robots.txt names cannot be read.
    #[error("the sitemap cannot be read: {reason}")]
    NoSitemap {
        /// Why.
        reason: String,
    },
    /// More URLs are known than can be kept in mind.
    #[error("too many URLs are waiting already")]
    FrontierFull,
}

/// A URL that could not be fetched.
#[derive(Debug)]
pub struct Failure {
    /// The URL.
    pub url: String,
    /// The page that led there.
    pub page_url: Option<String>,
    /// What went wrong; the message names the URL.
    pub error: Error,
}

/// Windows of a media object, joined in one file, to be listened to before it is fetched whole.
#[derive(Debug)]
pub struct Probe {
    /// Where it is.
    pub media_url: String,
    /// The windows one after the other. The file is removed when this is dropped.
    pub file: tempfile::TempPath,
}

/// Where the listener says what it heard. A run waits for it before it counts a media object as done; without an answer
/// the object is fetched again when the run goes on.
#[derive(Debug)]
pub struct Hearing(pub(super) oneshot::Sender<Heard>);

impl Hearing {
    /// Says what was heard.
    pub fn heard(self, heard: Heard) {
        // A run that was stopped meanwhile does not wait for it.
        let _ = self.0.send(heard);
    }
}

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    /// A media object was fetched.
    Found(Box<Found>, Hearing),
    /// A media object was fetched in part, to decide by what is heard whether all of it is wanted.
    Probe(Box<Probe>, Hearing),
    /// A document was read.
    Page(PageRead),
    /// A document points to music that is not followed.
    Lead(LeadFound),
    /// A URL was passed over.
    Skipped(Skip),
    /// A URL failed.
    Failed(Box<Failure>),
}

impl SkipReason {
    /// Returns the reason's kind in one or two words, for counts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Robots { .. } => "robots.txt",
            Self::OutOfScope => "out of scope",
            Self::RedirectsOut { .. } => "redirects out",
            Self::TooDeep { .. } => "too deep",
            Self::TooNested => "too nested",
            Self::Trap { .. } => "trap",
            Self::NotAudio { .. } => "not audio",
            Self::Encrypted { .. } => "encrypted",
            Self::Unsupported { .. } => "unsupported",
            Self::Budget { .. } => "budget",
            Self::HostGivenUp { .. } => "host given up",
            Self::Member { .. } => "in an archive",
            Self::Refused { .. } => "script stopped",
            Self::SameContent => "same content",
            Self::NoSitemap { .. } => "sitemap",
            Self::FrontierFull => "frontier full",
        }
    }
}
