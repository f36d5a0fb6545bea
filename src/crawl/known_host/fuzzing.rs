//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use url::Url;

use super::KnownMedia;
use super::answer::read;
use super::child::Said;
use crate::config::KnownHostSettings;

/// Reads what the program said; gives media, pages and problems.
#[must_use]
pub fn answer(
    answer: &[u8],
    complaints: &str,
    url: &Url,
) -> Option<(Vec<KnownMedia>, Vec<Url>, Vec<String>)> {
    let said = Said { answer: answer.to_vec(), complaints: complaints.to_owned() };
    let answer = read(&said, url, &KnownHostSettings::default()).ok()?;
    Some((answer.media, answer.pages, answer.problems))
}
