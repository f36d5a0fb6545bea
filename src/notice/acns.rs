//! ACNS 2.0 (revision 1.2) messages, one for each server address and recording. `assets/schemas/acns-2.0-infringement.xsd` is the
//! schema, written from the published field tree; what is used of it is described in `docs/notices.md`.

use std::fmt::Write as _;

use super::data::{AnnexItem, Notice, Party, Site};
use crate::base::{Timestamp, encoded, inert};

/// The namespace of revision 1.2.
const NAMESPACE: &str = "http://www.acns.net/ACNS";

/// Which earlier notice is taken back, and why.
#[derive(Debug, Clone, Copy)]
pub struct AcnsRetraction<'a> {
    /// Its number.
    pub notice_id: &'a str,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Why, in a line.
    pub reason: &'a str,
    /// The letter that says the same in words.
    pub letter: &'a str,
}

/// Writes the messages; `statement` is the notice in words.
pub(super) fn messages(notice: &Notice, statement: &str) -> Vec<String> {
    written(notice, &notice.number, statement, None)
}

/// Writes the messages that take a notice back: those of the notice once more, closed, with `Type/@Retraction`; `History` names what
/// is taken back. `notice` is composed from what is taken back, and may be a part of what was sent.
#[must_use]
pub fn acns_retraction(notice: &Notice, retraction: &AcnsRetraction<'_>) -> Vec<String> {
    written(notice, &inert(retraction.notice_id), retraction.letter, Some(retraction))
}

fn written(
    notice: &Notice,
    number: &str,
    statement: &str,
    retraction: Option<&AcnsRetraction<'_>>,
) -> Vec<String> {
    // A message tells of one source, and of one asset that was detected.
    let mut by_source: Vec<((String, usize), Vec<&AnnexItem>)> = Vec::new();
    for item in &notice.annex {
        let key = (server(notice, item).unwrap_or_default().to_owned(), item.work);
        match by_source.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => by_source.push((key, vec![item])),
        }
    }
    let several = by_source.len() > 1;
    let messages = by_source.into_iter().enumerate().map(|(n, ((server, _), items))| {
        let part = if retraction.is_some() { "R" } else { "" };
        let id = if several { format!("{number}-{part}{}", n + 1) } else { number.to_owned() };
        message(notice, (&id, &server), &items, statement, retraction)
    });
    messages.collect()
}

/// The address that served the file: as seen; else as configured for the site, where the file lies on the site itself. What served
/// another file is another server.
pub(super) fn server<'a>(notice: &'a Notice, item: &'a AnnexItem) -> Option<&'a str> {
    let configured = || site_of(notice, item).filter(|site| site.has_own_address)?.ip_addresses.first();
    item.ip_address.as_ref().or_else(configured).map(String::as_str)
}

/// The site under whose domain the file lies; none where another host serves it.
pub(super) fn site_of<'a>(notice: &'a Notice, item: &AnnexItem) -> Option<&'a Site> {
    let url = url::Url::parse(&item.media_url).ok()?;
    let host = url.host_str()?.to_lowercase();
    let is_under = |site: &&Site| {
        let domain = site.domain.to_lowercase();
        host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    notice.sites.iter().find(is_under)
}

/// XML in the making: text is escaped, elements are closed in the order in which they were opened.
struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    fn begin(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, ">\n");
        self.open.push(name);
    }

    fn end(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            let _ = writeln!(self.text, "</{name}>");
        }
    }

    fn element(&mut self, name: &'static str, attributes: &[(&str, &str)], value: &str) {
        self.tag(name, attributes, ">");
        let _ = writeln!(self.text, "{}</{name}>", escaped(value));
    }

    fn perhaps(&mut self, name: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.element(name, &[], value);
        }
    }

    fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, "/>\n");
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)], end: &str) {
        self.indent();
        let _ = write!(self.text, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.text, " {attribute}=\"{}\"", escaped(value));
        }
        self.text.push_str(end);
    }

    fn indent(&mut self) {
        self.text.push_str(&"  ".repeat(self.open.len()));
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            // XML 1.0 has no place for these at all.
            '\u{FFFE}' | '\u{FFFF}' => {}
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

fn message(
    notice: &Notice,
    (id, server): (&str, &str),
    items: &[&AnnexItem],
    statement: &str,
    retraction: Option<&AcnsRetraction<'_>>,
) -> String {
    let mut xml = Xml { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() };
    xml.begin("Infringement", &[("xmlns", NAMESPACE), ("schemaVersion", "1.2")]);
    xml.begin("Case", &[]);
    xml.element("ID", &[], id);
    xml.element("Status", &[], if retraction.is_some() { "CLOSED" } else { "OPEN" });
    xml.element("Severity", &[], "Normal");
    xml.end();
    parties(&mut xml, notice);
    source(&mut xml, server, items);
    xml.begin("Content", &[]);
    for item in items {
        content(&mut xml, item);
    }
    xml.end();
    match retraction {
        Some(retraction) => taken_back(&mut xml, retraction),
        None => xml.element("Type", &[("Retraction", "false")], "INFRINGEMENT"),
    }
    detection(&mut xml, items);
    xml.element("TextNotice", &[], statement.trim_end());
    xml.end();
    xml.text
}

/// What is taken back, and why.
fn taken_back(xml: &mut Xml, retraction: &AcnsRetraction<'_>) {
    xml.begin("History", &[]);
    let (id, sent_at) = (inert(retraction.notice_id), retraction.sent_at.to_string());
    xml.empty("Notice", &[("ID", &id), ("TimeStamp", &sent_at)]);
    xml.end();
    xml.element("Type", &[("Retraction", "true"), ("Comments", &inert(retraction.reason))], "INFRINGEMENT");
}

fn parties(xml: &mut Xml, notice: &Notice) {
    xml.begin("Complainant", &[]);
    let sender = notice.agent.as_ref().unwrap_or(&notice.right_holder);
    contact(xml, sender, &notice.right_holder);
    xml.end();
    let provider = &notice.provider;
    xml.begin("Service_Provider", &[]);
    xml.element("Entity", &[], provider.name.as_deref().unwrap_or_default());
    xml.perhaps("Address", provider.address.as_ref());
    xml.perhaps("Phone", provider.telephone.as_ref());
    xml.element("Email", &[], provider.email.as_deref().unwrap_or_default());
    xml.end();
}

fn contact(xml: &mut Xml, sender: &Party, right_holder: &Party) {
    xml.element("Entity", &[], right_holder.name.as_deref().unwrap_or_default());
    let contact = [sender.contact_person.as_ref(), sender.name.as_ref().filter(|_| sender != right_holder)];
    let contact: Vec<&str> = contact.into_iter().flatten().map(String::as_str).collect();
    xml.perhaps("Contact", Some(contact.join(", ")).filter(|text| !text.is_empty()).as_ref());
    xml.perhaps("Address", sender.address.as_ref());
    xml.perhaps("Phone", sender.telephone.as_ref());
    xml.element("Email", &[], sender.email.as_deref().unwrap_or_default());
}

fn source(xml: &mut Xml, server: &str, items: &[&AnnexItem]) {
    let first = items.iter().map(|item| item.captured_at.as_str()).min().unwrap_or_default();
    let seen_again = items.iter().any(|item| item.times_seen > 1);
    xml.begin("Source", &[]);
    xml.element("TimeStamp", &[], first);
    xml.element("IP_Address", &[], server);
    let port = items.iter().find_map(|item| item.port);
    xml.perhaps("Port", port.map(|port| port.to_string()).as_ref());
    let host = items.first().and_then(|item| host(&item.media_url));
    xml.perhaps("DNS_Name", host.as_ref());
    xml.element("Type", &[], "WEB");
    let base = if items.iter().all(|item| item.page_url.is_none()) { "SERVER" } else { "LINK" };
    xml.empty("SubType", &[("BaseType", base), ("Protocol", "HTTP")]);
    xml.element("Number_Files", &[], &items.len().to_string());
    xml.element("Deja_Vu", &[], if seen_again { "Yes" } else { "No" });
    xml.end();
}

fn host(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.domain().map(str::to_owned)
}

fn content(xml: &mut Xml, item: &AnnexItem) {
    xml.begin("Item", &[]);
    xml.element("TimeStamp", &[], &item.captured_at);
    if item.times_seen > 1 {
        xml.empty("AlsoSeen", &[("Start", &item.captured_at), ("End", &item.last_seen_at)]);
    }
    xml.element("Title", &[], &item.title);
    xml.perhaps("Artist", item.artist.as_ref());
    xml.element("FileName", &[], &item.file_name);
    xml.element("FileSize", &[], &item.bytes.to_string());
    xml.element("URL", &[], &encoded(&item.media_url));
    xml.element("Type", &[], "SoundRecording");
    xml.element("ExplicitType", &[], "Music");
    xml.element("Hash", &[("Type", "SHA256")], &item.sha256.to_string());
    xml.end();
}

/// That the fingerprint found it and a person approved it: only approved cases are notified.
fn detection(xml: &mut Xml, items: &[&AnnexItem]) {
    let Some(item) = items.first() else { return };
    xml.begin("Detection", &[]);
    xml.begin("Asset", &[]);
    xml.element("OriginalAssetName", &[], &item.title);
    let (kind, id) = match &item.isrc {
        Some(isrc) => ("ISRC", isrc),
        None => ("Proprietary", &item.recording_id),
    };
    xml.element("OriginalAssetID", &[("type", kind)], id);
    xml.end();
    let surest = items.iter().flat_map(|item| &item.matches).map(|found| found.log10_false_match);
    let threshold =
        surest.fold(None, |surest: Option<f64>, one| Some(surest.map_or(one, |known| known.max(one))));
    let threshold = threshold.map(|log10| format!("log10 false match {log10:.1}"));
    let mut attributes = vec![("Audio", "true"), ("Fingerprint", "true"), ("Human", "true")];
    if let Some(threshold) = &threshold {
        attributes.push(("MatchThreshold", threshold));
    }
    xml.empty("ContentMatched", &attributes);
    xml.element("VerificationID", &[], &item.case_id);
    xml.end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::{Form, sample};

    #[test]
    fn no_other_server_s_address_is_named() {
        let mut notice = sample::notice(Form::Acns, true);
        let mut site = notice.sites.remove(0);
        site.domain = "pirate.example".to_owned();
        site.ip_addresses = vec!["203.0.113.7".to_owned()];
        notice.sites = vec![site];
        let mut item = notice.annex.remove(0);
        let mut served_by = |url: &str, ip: Option<&str>, is_own: bool| {
            item.media_url = url.to_owned();
            item.ip_address = ip.map(str::to_owned);
            notice.sites.iter_mut().for_each(|site| site.has_own_address = is_own);
            server(&notice, &item).map(str::to_owned)
        };
        let (own, cdn) = ("https://files.pirate.example/a.mp3", "https://cdn.example/a.mp3");
        assert_eq!(served_by(cdn, Some("198.51.100.1"), true).as_deref(), Some("198.51.100.1"));
        assert_eq!(served_by(own, None, true).as_deref(), Some("203.0.113.7"));
        assert_eq!(served_by(own, None, false), None, "seen of another file");
        assert_eq!(served_by(cdn, None, true), None, "another host");
        assert_eq!(served_by("https://notpirate.example/a.mp3", None, true), None);
    }
}
