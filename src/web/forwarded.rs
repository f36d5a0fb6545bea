//! Whose request it is that a proxy hands on.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::base::Network;

/// Where proxies add whom they were asked by, each at the end (the de-facto standard that RFC 7239 tells of in section 1).
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies behind each other that are looked through.
const HOPS_MAX: usize = 32;

/// The client's address: whoever is connected, or, where that is a proxy that is trusted, the last in `X-Forwarded-For` that is
/// none. What stands before that may have been made up by the client, and is not read.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut nearest = peer.to_canonical();
    if !is_trusted(nearest) {
        return nearest;
    }
    // A line that is no text is one entry that is no address.
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX) {
        // Beyond what cannot be read, nothing is known: the proxy that wrote it then stands for all behind it.
        let Some(address) = address(entry) else { return nearest };
        nearest = address;
        if !is_trusted(address) {
            return address;
        }
    }
    nearest
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers
    }

    fn asked(peer: &str, lines: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers(lines), &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = ["10.0.0.0/8", "2001:db8::1"];
        for (peer, lines, client) in [
            // Nobody that is trusted: whatever it says.
            ("198.51.100.7", vec!["203.0.113.9"], "198.51.100.7"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
            // What the client made up stands before what the proxies add.
            ("10.0.0.1", vec!["127.0.0.1, 10.0.0.9, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", vec!["127.0.0.1", "203.0.113.9 ,10.0.0.2"], "203.0.113.9"),
            ("2001:db8::1", vec!["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", vec!["203.0.113.9:4711"], "203.0.113.9"),
            // What cannot be read hides all behind it.
            ("10.0.0.1", vec!["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["203.0.113.9, , 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec!["203.0.113.9", "\u{e9}"], "10.0.0.1"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(asked(peer, &lines, &trusted), client, "{peer} {lines:?}");
            assert_eq!(asked(peer, &lines, &[]), peer.trim_start_matches("::ffff:"), "{peer} {lines:?}");
        }
    }

    fn entry() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(|bytes| IpAddr::from(bytes).to_string()),
            any::<[u8; 16]>().prop_map(|bytes| IpAddr::from(bytes).to_string()),
            (0u8..4).prop_map(|last| format!("10.0.0.{last}")),
            "[ -~]{0,20}",
        ]
    }

    proptest! {
        #[test]
        fn what_a_client_sends_does_not_change_who_it_is(
            forged in proptest::collection::vec(entry(), 0..6),
            from: [u8; 4],
            hops in proptest::collection::vec(0u8..=255, 0..4),
        ) {
            prop_assume!(from[0] != 10);
            let from = IpAddr::from(from);
            let mut entries = forged.clone();
            entries.push(from.to_string());
            entries.extend(hops.iter().map(|last| format!("10.0.0.{last}")));
            prop_assert_eq!(asked("10.0.0.1", &[&entries.join(", ")], &["10.0.0.0/8"]), from.to_string());
        }

        #[test]
        fn any_header_is_read_to_some_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(FORWARDED_FOR, value);
            }
            let trusted = ["0.0.0.0/0".parse().unwrap()];
            client(IpAddr::from([10, 0, 0, 1]), &headers, &trusted);
        }
    }
}
