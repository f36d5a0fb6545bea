//! Whether what a redacted bundle leaves out is told, and the whole bundle is sealed inside.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::opened::Opened;
use crate::base::{Digest, Recipient};
use crate::evidence::annex::{ANNEX, ANNEX_BYTES, annex_of};
use crate::evidence::withheld::{WITHHELD, WithheldItem, WithheldKind};

/// Nothing is withheld; or all that is, is told by its digest, and the whole is sealed for somebody.
pub(super) fn annex(opened: &Opened<'_>) -> Result<String, String> {
    let is_there = |name: &str| opened.container.get(name).is_some();
    if ![ANNEX, ANNEX_BYTES, WITHHELD].into_iter().any(is_there) {
        return Ok("nothing is withheld".to_owned());
    }
    let (record, _) = annex_of(&opened.container)?;
    let withheld = opened.withheld()?.ok_or_else(|| format!("{WITHHELD} is missing"))?;
    let mut known = Known::of(opened)?;
    for item in &withheld.items {
        known.told(opened, item).map_err(|why| format!("{WITHHELD}, {}: {why}", item.at.escape_debug()))?;
    }
    let named: Vec<&str> = record.recipients.iter().map(Recipient::as_str).collect();
    Ok(format!(
        "withheld, each told by its digest: {}; the whole bundle (root {}) is sealed inside for {}",
        withheld.summary(),
        record.merkle_root,
        named.join(", ")
    ))
}

/// What the bundle says and holds, for the things that it is told to withhold.
struct Known {
    /// Bodies of the captured answers.
    captured: BTreeSet<Digest>,
    /// Pictures of the captured pages.
    pictured: BTreeSet<Digest>,
    /// What the archive and the other entries hold.
    held: BTreeSet<Digest>,
    /// Documents that were looked into.
    documents: BTreeMap<String, Value>,
}

impl Known {
    fn of(opened: &Opened<'_>) -> Result<Self, String> {
        let captures = opened.captures()?;
        let exchanges = captures.iter().flat_map(|capture| &capture.exchanges);
        let records = opened.records()?.iter().filter(|record| record.kind != "revisit");
        let entries = opened.container.entries().iter().map(|entry| entry.sha256);
        Ok(Self {
            captured: exchanges.filter_map(|exchange| exchange.body_sha256).collect(),
            pictured: captures.iter().filter_map(|capture| capture.sighting.page_screenshot).collect(),
            held: records.map(|record| record.sha256).chain(entries).collect(),
            documents: BTreeMap::new(),
        })
    }

    /// Whether one thing that is told to be withheld belongs here, and is not here after all.
    fn told(&mut self, opened: &Opened<'_>, item: &WithheldItem) -> Result<(), String> {
        let known = match item.what {
            WithheldKind::Body => &self.captured,
            WithheldKind::Screenshot => &self.pictured,
            WithheldKind::PageTitle | WithheldKind::Credentials | WithheldKind::Person => {
                return self.place(opened, item);
            }
        };
        match (known.contains(&item.sha256), self.held.contains(&item.sha256)) {
            (true, false) => Ok(()),
            (false, _) => Err("no capture has it".to_owned()),
            (true, true) => Err("the bundle holds it".to_owned()),
        }
    }

    fn place(&mut self, opened: &Opened<'_>, item: &WithheldItem) -> Result<(), String> {
        if !self.documents.contains_key(&item.entry) {
            self.documents.insert(item.entry.clone(), opened.json(&item.entry)?);
        }
        let place = self.documents.get(&item.entry).and_then(|document| document.pointer(&item.at));
        match place {
            Some(Value::Null | Value::String(_)) => Ok(()),
            _ => Err("there is no text at that place".to_owned()),
        }
    }
}
