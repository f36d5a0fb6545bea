//! Which IP addresses are public. Blocks from the IANA special-purpose registries (RFC 6890 and its successors).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether `address` belongs to the public Internet. Addresses that carry an IPv4 address inside (mapped,
/// translated, tunnelled) are judged by what they carry, or refused where the tunnel's ends cannot be told.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0                                      // this network
        || a == 10                                            // private
        || (a == 100 && (64..=127).contains(&b))              // carrier-grade NAT
        || a == 127                                           // loopback
        || (a == 169 && b == 254)                             // link-local, cloud metadata
        || (a == 172 && (16..=31).contains(&b))               // private
        || (a == 192 && b == 0 && (c == 0 || c == 2))         // IETF protocols, TEST-NET-1
        || (a == 192 && b == 88 && c == 99)                   // 6to4 relays
        || (a == 192 && b == 168)                             // private
        || (a == 198 && (b == 18 || b == 19))                 // benchmarks
        || (a == 198 && b == 51 && c == 100)                  // TEST-NET-2
        || (a == 203 && b == 0 && c == 113)                   // TEST-NET-3
        || a >= 224; // multicast, reserved, broadcast
    // Alibaba's metadata service lies in 100.64/10, Oracle's in 192.0.0/24: both are covered above. Azure's wire
    // server has a public number.
    !special && address != Ipv4Addr::new(168, 63, 129, 16)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let low_v4 = Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    // ISATAP (RFC 5214): an IPv4 address behind any prefix, in an interface identifier that says so.
    if (s[4] == 0 || s[4] == 0x0200) && s[5] == 0x5efe && !is_public_v4(low_v4) {
        return false;
    }
    match s {
        // NAT64 well-known prefix: what it carries.
        [0x0064, 0xff9b, 0, 0, 0, 0, _, _] => is_public_v4(low_v4),
        // 6to4: the IPv4 address of the relay in bits 16 to 47.
        [0x2002, high, low, ..] => is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        // 2001::/23 IETF protocols with Teredo; 2001:db8::/32 and 3fff::/20 documentation.
        [0x2001, second, ..] if second < 0x0200 || second == 0x0db8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Only 2000::/3 is handed out; this leaves out ::, ::1, IPv4-compatible, local NAT64, ULA, link-local,
        // site-local and multicast.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:0:4136:e378::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "240e::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    /// IANA's registries of special-purpose addresses, IPv4 and IPv6, as of 2025, with their names: all that they do not
    /// call globally reachable. Of those that they do, the ones inside a listed block (anycast services, ORCHIDv2, drone
    /// identifiers) hold no web sites and stay refused with it. Added are multicast and what RFC 4291 has retired.
    const REGISTRY: &[(&str, u32, &str)] = &[
        ("0.0.0.0", 8, "this network"),
        ("0.0.0.0", 32, "this host on this network"),
        ("10.0.0.0", 8, "private use"),
        ("100.64.0.0", 10, "shared address space"),
        ("127.0.0.0", 8, "loopback"),
        ("169.254.0.0", 16, "link local"),
        ("172.16.0.0", 12, "private use"),
        ("192.0.0.0", 24, "IETF protocol assignments"),
        ("192.0.0.0", 29, "IPv4 service continuity prefix"),
        ("192.0.0.8", 32, "IPv4 dummy address"),
        ("192.0.0.170", 32, "NAT64/DNS64 discovery"),
        ("192.0.0.171", 32, "NAT64/DNS64 discovery"),
        ("192.0.2.0", 24, "documentation (TEST-NET-1)"),
        ("192.88.99.0", 24, "deprecated (6to4 relay anycast)"),
        ("192.88.99.2", 32, "6a44 relay anycast address"),
        ("192.168.0.0", 16, "private use"),
        ("198.18.0.0", 15, "benchmarking"),
        ("198.51.100.0", 24, "documentation (TEST-NET-2)"),
        ("203.0.113.0", 24, "documentation (TEST-NET-3)"),
        ("224.0.0.0", 4, "multicast"),
        ("240.0.0.0", 4, "reserved"),
        ("255.255.255.255", 32, "limited broadcast"),
        ("::1", 128, "loopback"),
        ("::", 128, "unspecified"),
        ("::", 96, "IPv4-compatible, deprecated"),
        ("64:ff9b:1::", 48, "IPv4-IPv6 translation, local"),
        ("100::", 64, "discard only"),
        ("100:0:0:1::", 64, "dummy prefix"),
        ("2001::", 23, "IETF protocol assignments"),
        ("2001::", 32, "TEREDO"),
        ("2001:2::", 48, "benchmarking"),
        ("2001:10::", 28, "deprecated (ORCHID)"),
        ("2001:db8::", 32, "documentation"),
        ("3fff::", 20, "documentation"),
        ("5f00::", 16, "segment routing (SRv6) SIDs"),
        ("fc00::", 7, "unique local"),
        ("fe80::", 10, "link-local unicast"),
        ("fec0::", 10, "site-local unicast, deprecated"),
        ("ff00::", 8, "multicast"),
    ];

    /// The bits of an address, and how many there are.
    fn bits(address: IpAddr) -> (u128, u32) {
        match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        }
    }

    fn lies_in(address: IpAddr, network: &str, length: u32) -> bool {
        let ((address, width), (network, network_width)) = (bits(address), bits(network.parse().unwrap()));
        width == network_width && (0..length).all(|at| (address ^ network) >> (width - 1 - at) & 1 == 0)
    }

    /// The judgement by the registries alone, written without the code under test.
    fn oracle(address: IpAddr) -> bool {
        let carried = |shift: u32| IpAddr::from(Ipv4Addr::from_bits((bits(address).0 >> shift) as u32));
        let is_of = |network, length| lies_in(address, network, length);
        if is_of("::ffff:0:0", 96) || is_of("64:ff9b::", 96) {
            return oracle(carried(0));
        }
        if is_of("2002::", 16) && !oracle(carried(80)) {
            return false;
        }
        let is_isatap =
            matches!(address, IpAddr::V6(v6) if matches!(v6.segments()[4..6], [0 | 0x200, 0x5efe]));
        if is_isatap && !oracle(carried(0)) {
            return false;
        }
        let is_azure_s_wire_server = is_of("168.63.129.16", 32);
        let is_assigned = address.is_ipv4() || is_of("2000::", 3);
        let is_special = REGISTRY.iter().any(|(network, length, _)| is_of(network, *length));
        is_assigned && !is_special && !is_azure_s_wire_server
    }

    /// The first and last address of every block, their neighbours outside, and every way to carry an IPv4 one.
    #[test]
    fn the_edges_of_every_registered_block() {
        for (network, length, name) in REGISTRY {
            let (first, width) = bits(network.parse().unwrap());
            let rest = 1_u128.checked_shl(width - length).map_or(u128::MAX, |size| size - 1);
            let last = first | rest;
            for value in [first, last, first.wrapping_sub(1), last.wrapping_add(1)] {
                let mut addresses = vec![if width == 32 {
                    IpAddr::V4(Ipv4Addr::from_bits(value as u32))
                } else {
                    IpAddr::V6(Ipv6Addr::from_bits(value))
                }];
                if width == 32 {
                    let v4 = u128::from(value as u32);
                    for prefix in ["::ffff:0:0", "64:ff9b::", "::", "64:ff9b:1::", "2a00:1450::5efe:0:0"] {
                        addresses.push(Ipv6Addr::from_bits(bits(prefix.parse().unwrap()).0 | v4).into());
                    }
                    addresses.push(Ipv6Addr::from_bits(0x2002 << 112 | v4 << 80).into());
                }
                for address in addresses {
                    assert_eq!(is_public(address), oracle(address), "{address} at the edge of {name}");
                }
            }
            assert!(!is_public(network.parse().unwrap()), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_registries_agree(which in 0..REGISTRY.len() * 2, any: u128, low: u32) {
            // Half of the cases lie in a registered block, the others anywhere.
            let address = match REGISTRY.get(which) {
                Some((network, length, _)) => {
                    let (first, width) = bits(network.parse().unwrap());
                    let rest = 1_u128.checked_shl(width - length).map_or(u128::MAX, |size| size - 1);
                    let value = first | any & rest;
                    if width == 32 { IpAddr::from((value as u32).to_be_bytes()) } else { Ipv6Addr::from(value).into() }
                }
                None if any & 1 == 0 => IpAddr::from(low.to_be_bytes()),
                None => Ipv6Addr::from(any).into(),
            };
            proptest::prop_assert_eq!(is_public(address), oracle(address), "{}", address);
            if let IpAddr::V4(v4) = address {
                let carrier = Ipv6Addr::from_bits(0x0064_ff9b << 96 | u128::from(v4.to_bits()));
                proptest::prop_assert_eq!(is_public(carrier.into()), oracle(address), "{}", carrier);
            }
        }

        #[test]
        fn mapped_addresses_are_judged_as_what_they_carry(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            proptest::prop_assert_eq!(is_public(IpAddr::V4(v4)), is_public(IpAddr::V6(v4.to_ipv6_mapped())));
        }
    }
}
