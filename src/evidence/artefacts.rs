//! What a bundle holds, for the report on what courts look at.

use super::bundle::{ARCHIVE, CAPTURES};
use super::capture::Capture;
use super::container::Container;
use super::error::Error;
use super::factors::{Artefact, ArtefactKind};
use super::manifest::{MANIFEST, SIGNATURE, TIMESTAMP};
use super::reading;
use super::section::ReadAt;

/// Lists what is in a bundle and what is not. That each part is sound, [`verify`](super::verify()) tells.
///
/// # Errors
/// [`Error::NotABundle`] when the file is none.
pub fn artefacts(bundle: &dyn ReadAt) -> Result<Vec<Artefact>, Error> {
    let not = |what: String| Error::NotABundle { what };
    let container = Container::read(bundle).map_err(|fault| not(fault.to_string()))?;
    let captures = container.get(CAPTURES).ok_or_else(|| not(format!("it has no {CAPTURES}")))?;
    let captures: Vec<Capture> = reading::json(&captures.content, CAPTURES).map_err(not)?;
    let mut exchanges = captures.iter().flat_map(|capture| &capture.exchanges).peekable();
    let has_requests = exchanges.peek().is_some();
    let has_connections = exchanges.any(|exchange| exchange.dns.is_some() || exchange.tls.is_some());
    let named = |beginning: &str| -> Vec<String> {
        let names = container.entries().iter().map(|entry| &entry.name);
        names.filter(|name| name.starts_with(beginning)).cloned().collect()
    };
    let mut found = Vec::new();
    let mut add = |kind: ArtefactKind, paths: Vec<String>| {
        if paths.is_empty() {
            found.push(Artefact { kind, path: None });
        }
        found.extend(paths.into_iter().map(|path| Artefact { kind, path: Some(path) }));
    };
    let archive = |is_there: bool| if is_there { named(ARCHIVE) } else { Vec::new() };
    add(ArtefactKind::Requests, archive(has_requests));
    add(ArtefactKind::Connections, archive(has_connections));
    add(ArtefactKind::Media, named(ARCHIVE));
    for (kind, beginning) in BY_NAME {
        add(kind, named(beginning));
    }
    let pictures = ["coverage", "spectrograms", "time-map"].map(|name| named(&format!("earwitness/{name}-")));
    add(ArtefactKind::Pictures, pictures.concat());
    Ok(found)
}

/// The other kinds, by how the names of their files begin.
const BY_NAME: [(ArtefactKind, &str); 15] = [
    (ArtefactKind::Screenshot, "earwitness/screenshot-"),
    (ArtefactKind::Match, "earwitness/match.json"),
    (ArtefactKind::ReferenceFingerprint, "earwitness/reference.ewfp"),
    (ArtefactKind::Replay, "earwitness/replay.json"),
    (ArtefactKind::Licences, "earwitness/licences.json"),
    (ArtefactKind::Recording, "earwitness/recording.json"),
    (ArtefactKind::Case, "earwitness/case.json"),
    (ArtefactKind::Environment, "earwitness/environment"),
    (ArtefactKind::SelfTest, "earwitness/environment.json"),
    (ArtefactKind::Configuration, "earwitness/configuration.json"),
    (ArtefactKind::Log, "earwitness/log.json"),
    (ArtefactKind::Manifest, MANIFEST),
    (ArtefactKind::Signature, SIGNATURE),
    (ArtefactKind::Timestamp, TIMESTAMP),
    (ArtefactKind::Excerpts, "earwitness/excerpt-"),
];
