//! ACNS 2.0 (revision 1.2) messages, one for each server address and recording. `assets/schemas/acns-2.0-infringement.xsd` is the
//! schema, written from the published field tree; what is used of it is described in `docs/notices.md`.

use std::fmt::Write as _;

use super::data::{AnnexItem, Notice, Party};
use crate::base::encoded;

/// The namespace of revision 1.2.
const NAMESPACE: &str = "http://www.acns.net/ACNS";

/// Writes the messages; `statement` is the notice in words.
pub(super) fn messages(notice: &Notice, statement: &str) -> Vec<String> {
    // A message tells of one source, and of one asset that was detected.
    let mut by_source: Vec<((String, usize), Vec<&AnnexItem>)> = Vec::new();
    for item in &notice.annex {
        let key = (server(notice, item), item.work);
        match by_source.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => by_source.push((key, vec![item])),
        }
    }
    let several = by_source.len() > 1;
    let messages = by_source.into_iter().enumerate().map(|(n, ((server, _), items))| {
        let id = if several { format!("{}-{}", notice.number, n + 1) } else { notice.number.clone() };
        message(notice, &id, &server, &items, statement)
    });
    messages.collect()
}

/// The address that served the file: as seen, else as configured for the sites.
fn server(notice: &Notice, item: &AnnexItem) -> String {
    let configured = || notice.sites.iter().flat_map(|site| &site.ip_addresses).next();
    item.ip_address.as_ref().or_else(configured).cloned().unwrap_or_default()
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

fn message(notice: &Notice, id: &str, server: &str, items: &[&AnnexItem], statement: &str) -> String {
    let mut xml = Xml { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() };
    xml.begin("Infringement", &[("xmlns", NAMESPACE), ("schemaVersion", "1.2")]);
    xml.begin("Case", &[]);
    xml.element("ID", &[], id);
    xml.element("Status", &[], "OPEN");
    xml.element("Severity", &[], "Normal");
    xml.end();
    parties(&mut xml, notice);
    source(&mut xml, server, items);
    xml.begin("Content", &[]);
    for item in items {
        content(&mut xml, item);
    }
    xml.end();
    xml.element("Type", &[("Retraction", "false")], "INFRINGEMENT");
    detection(&mut xml, items);
    xml.element("TextNotice", &[], statement.trim_end());
    xml.end();
    xml.text
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
