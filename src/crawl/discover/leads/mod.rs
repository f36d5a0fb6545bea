//! Leads: what points to music by ways that a crawler does not go (share links of netdisks, peer-to-peer links), and
//! files that a platform encrypted. They are recorded for a person to follow, and never fetched from here.
//!
//! `links` reads one address, `code` finds the extraction code that stands near a share link, `text` searches the
//! whole source of a document for both, since such links mostly stand in plain text.

mod code;
mod links;
mod netdisk;
pub(super) mod text;

use serde::{Deserialize, Serialize};
use url::Url;

pub(super) use links::of_address;

/// The longest target, in bytes; longer ones are no links that a person could follow.
const TARGET_BYTES_MAX: usize = 2000;

/// What a lead is: the service or the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeadKind {
    /// BitTorrent, by info hash.
    Magnet,
    /// A `.torrent` file.
    Torrent,
    /// eDonkey, by hash.
    Ed2k,
    /// Xunlei's wrapping of another address; the target is what was wrapped.
    Thunder,
    /// Baidu Pan.
    Baidu,
    /// Quark Pan.
    Quark,
    /// Aliyun Drive (alipan).
    Aliyun,
    /// 123 Pan.
    Pan123,
    /// Lanzou.
    Lanzou,
    /// 115.
    Pan115,
    /// Xunlei Pan.
    Xunlei,
    /// Tencent Weiyun.
    Weiyun,
    /// China Telecom's Tianyi cloud (189).
    Tianyi,
    /// MEGA; the fragment of the target is the key that the page shows.
    Mega,
    /// MediaFire.
    MediaFire,
    /// Google Drive.
    GoogleDrive,
    /// Dropbox.
    Dropbox,
    /// A file in a music platform's encrypted format (`.ncm`, `.mflac` …), which is never decrypted.
    Encrypted,
}

/// Something that points to music and is not followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// What it is.
    pub kind: LeadKind,
    /// The address in its shortest form: one share is one target, however it is written.
    pub target: String,
    /// The extraction code, where the address or the text near it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How the page names it: `link`, `text`, or as a [`super::MediaLink`] does.
    pub via: String,
}

impl Lead {
    pub(super) fn new(kind: LeadKind, target: &str, via: &str) -> Self {
        Self { kind, target: target.to_owned(), code: None, via: via.to_owned() }
    }
}

/// Extensions of files that a music platform encrypted. (`xm` is also an old format of computer music.)
pub(super) const ENCRYPTED_EXTENSIONS: &[&str] = &[
    "ncm", "qmc0", "qmc2", "qmc3", "qmc4", "qmc6", "qmc8", "qmcflac", "qmcogg", "tkm", "bkcmp3", "bkcflac",
    "mflac", "mflac0", "mflach", "mgg", "mgg0", "mgg1", "kgm", "kgma", "vpr", "kwm", "xm",
];

/// Whether the extension of a path is that of an encrypted file.
pub(super) fn is_encrypted(path: &str) -> bool {
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.'));
    extension.is_some_and(|(_, extension)| {
        ENCRYPTED_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// A share link's parts that are compared.
fn host_and_path(url: &Url) -> Option<(String, String)> {
    Some((url.host_str()?.to_ascii_lowercase(), url.path().trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests;
