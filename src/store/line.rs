//! One put or delete as a line of JSON, the form in the journal and in exports:
//! `{"kind":"recording","key":"JP-1","value":{…}}`, with `"value":null` for a delete.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// One put (`value` is JSON) or delete (`value` is `None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) kind: String,
    pub(super) key: String,
    pub(super) value: Option<Vec<u8>>,
}

/// Appends `operation` as one line, with its newline.
pub(super) fn encode(kind: &str, key: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"kind\":");
    push_text(kind, out);
    out.extend_from_slice(b",\"key\":");
    push_text(key, out);
    out.extend_from_slice(b",\"value\":");
    out.extend_from_slice(value.unwrap_or(b"null"));
    out.extend_from_slice(b"}\n");
}

/// Reads one line, with or without its newline.
///
/// Lines as [`encode`] writes them keep their value byte for byte: decoding and encoding a number again may
/// change its last digit, and a rebuilt store must equal the one before. Other valid spellings are taken too.
pub(super) fn decode(line: &[u8]) -> Result<Operation, serde_json::Error> {
    if let Some(operation) = decode_own(line.trim_ascii_end()) {
        serde_json::from_slice::<IgnoredAny>(operation.value.as_deref().unwrap_or(b"null"))?;
        return Ok(operation);
    }
    let Foreign { kind, key, value } = serde_json::from_slice(line)?;
    let value = if value.is_null() { None } else { Some(serde_json::to_vec(&value)?) };
    Ok(Operation { kind, key, value })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreign {
    kind: String,
    key: String,
    value: serde_json::Value,
}

/// Reads exactly the spelling of [`encode`]; `None` for any other.
fn decode_own(line: &[u8]) -> Option<Operation> {
    let rest = line.strip_prefix(b"{\"kind\":")?;
    let (kind, rest) = take_text(rest)?;
    let rest = rest.strip_prefix(b",\"key\":")?;
    let (key, rest) = take_text(rest)?;
    let value = rest.strip_prefix(b",\"value\":")?.strip_suffix(b"}")?;
    // Further fields after the value would make this something else than one value: leave it to the slow way.
    serde_json::from_slice::<IgnoredAny>(value).ok()?;
    let value = (value != b"null").then(|| value.to_vec());
    Some(Operation { kind, key, value })
}

fn take_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<String>();
    let text = stream.next()?.ok()?;
    let end = stream.byte_offset();
    Some((text, bytes.get(end..)?))
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            c if u32::from(c) < 0x20 => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_numbers_byte_for_byte() {
        let line = b"{\"kind\":\"a\",\"key\":\"k\",\"value\":{\"x\":0.30000000000000004,\"y\":1e0}}\n";
        let operation = decode(line).unwrap();
        assert_eq!(operation.value.as_deref().unwrap(), b"{\"x\":0.30000000000000004,\"y\":1e0}");
    }

    #[test]
    fn takes_other_spellings_and_refuses_other_things() {
        let operation = decode(br#" { "value": [1], "key": "k", "kind": "a" } "#).unwrap();
        assert_eq!(operation.value.as_deref(), Some(&b"[1]"[..]));
        for wrong in
            ["", "{}", "[1]", r#"{"kind":"a","key":"k"}"#, r#"{"kind":"a","key":"k","value":1,"x":2}"#]
        {
            assert!(decode(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(kind in ".*", key in ".*", text in ".*", delete: bool) {
            let value = serde_json::to_vec(&serde_json::json!({ "t": text })).unwrap();
            let value = (!delete).then_some(value);
            let mut line = Vec::new();
            encode(&kind, &key, value.as_deref(), &mut line);
            prop_assert_eq!(line.iter().filter(|&&b| b == b'\n').count(), 1);
            prop_assert_eq!(decode(&line).unwrap(), Operation { kind, key, value });
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
