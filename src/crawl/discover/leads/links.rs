//! One address as a lead: magnet, ed2k, thunder, `.torrent`, share link.

use base64::Engine as _;
use base64::alphabet::STANDARD as LETTERS;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::Url;

use super::netdisk::share;
use super::{Lead, LeadKind, TARGET_BYTES_MAX};

/// Base64 as it is written by hand and by scripts: with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &LETTERS,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Info hashes that are read of one magnet link; it has one or two.
const HASHES_MAX: usize = 4;

/// Reads the address of a link, relative to `base`, as a lead.
pub(in crate::crawl::discover) fn of_address(href: &str, base: &Url) -> Option<Lead> {
    let href = href.trim();
    if href.len() > 4 * TARGET_BYTES_MAX {
        return None;
    }
    let scheme = href.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "magnet" => magnet(href),
        "ed2k" => ed2k(href),
        "thunder" => thunder(href),
        _ => {
            let url = base.join(href).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            let is_torrent = url.path().to_ascii_lowercase().ends_with(".torrent");
            if is_torrent { Some(Lead::new(LeadKind::Torrent, url.as_str(), "link")) } else { share(&url) }
        }
    }
}

/// `magnet:?xt=urn:btih:…` (BEP 9) or `btmh` (BEP 52): only the hashes, in hexadecimal.
fn magnet(href: &str) -> Option<Lead> {
    let url = Url::parse(href).ok()?;
    let topics = url.query_pairs().filter(|(name, _)| name == "xt" || name.starts_with("xt."));
    let mut hashes: Vec<String> =
        topics.filter_map(|(_, topic)| info_hash(&topic)).take(HASHES_MAX).collect();
    hashes.sort_unstable();
    hashes.dedup();
    if hashes.is_empty() {
        return None;
    }
    Some(Lead::new(LeadKind::Magnet, &format!("magnet:?xt={}", hashes.join("&xt=")), "link"))
}

fn info_hash(topic: &str) -> Option<String> {
    let topic = topic.to_ascii_lowercase();
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(hash) = topic.strip_prefix("urn:btih:") {
        let hash = match hash.len() {
            40 if is_hex(hash) => hash.to_owned(),
            32 => hex_of_base32(hash)?,
            _ => return None,
        };
        return Some(format!("urn:btih:{hash}"));
    }
    // A multihash: SHA-256 (0x12) of 32 bytes (0x20).
    let hash = topic.strip_prefix("urn:btmh:1220")?;
    (hash.len() == 64 && is_hex(hash)).then(|| topic.clone())
}

/// Base32 (RFC 4648) of lower-case letters, as hexadecimal.
fn hex_of_base32(text: &str) -> Option<String> {
    let (mut bits, mut count, mut out) = (0u32, 0, String::with_capacity(40));
    for byte in text.bytes() {
        let value = match byte {
            b'a'..=b'z' => byte - b'a',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        (bits, count) = ((bits << 5 | u32::from(value)) & 0xfff, count + 5);
        while count >= 4 {
            count -= 4;
            out.push(char::from_digit(bits >> count & 15, 16)?);
        }
    }
    Some(out)
}

/// `ed2k://|file|name|size|hash|…|/`: name, size and hash.
pub(super) fn ed2k(href: &str) -> Option<Lead> {
    let plain = href.replace("%7C", "|").replace("%7c", "|");
    let mut fields = plain.split('|').skip(1);
    if !fields.next()?.eq_ignore_ascii_case("file") {
        return None;
    }
    let (name, size, hash) = (fields.next()?.trim(), fields.next()?, fields.next()?.to_ascii_lowercase());
    let size: u64 = size.trim().parse().ok()?;
    let is_hash = hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash || name.is_empty() || name.len() > TARGET_BYTES_MAX / 2 || name.contains(['\n', '<', '>']) {
        return None;
    }
    Some(Lead::new(LeadKind::Ed2k, &format!("ed2k://|file|{name}|{size}|{hash}|/"), "link"))
}

/// `thunder://` and the Base64 of `AA`, an address, `ZZ`.
fn thunder(href: &str) -> Option<Lead> {
    let packed = href.get("thunder://".len()..)?.trim_end_matches('/');
    let bytes = BASE64.decode(packed).ok()?;
    let bytes = bytes.strip_prefix(b"AA")?.strip_suffix(b"ZZ")?;
    // Written by old programs in the encoding of Chinese Windows.
    let inner = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GBK.decode_without_bom_handling(bytes).0.into_owned(),
    };
    let scheme = inner.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "magnet" => magnet(&inner),
        "ed2k" => ed2k(&inner),
        "http" | "https" | "ftp" => {
            let url = Url::parse(&inner).ok().filter(|url| url.as_str().len() <= TARGET_BYTES_MAX)?;
            Some(Lead::new(LeadKind::Thunder, url.as_str(), "link"))
        }
        _ => None,
    }
}
