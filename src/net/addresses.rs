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

/// A block of addresses, `network/bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    network: IpAddr,
    bits: u32,
}

impl Block {
    /// Reads `address` or `address/bits`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let network: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let bits_max = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(bits_max);
        (bits <= bits_max).then_some(Self { network, bits })
    }

    /// Returns whether `address` lies in the block; an IPv4-mapped address counts as the IPv4 address.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                u32::from(network) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                u128::from(network) & mask == u128::from(address) & mask
            }
            _ => false,
        }
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

    #[test]
    fn blocks() {
        let block = Block::parse("10.1.0.0/16").unwrap();
        assert!(block.contains("10.1.255.1".parse().unwrap()));
        assert!(block.contains("::ffff:10.1.0.1".parse().unwrap()));
        assert!(!block.contains("10.2.0.1".parse().unwrap()));
        assert!(Block::parse("0.0.0.0/0").unwrap().contains("9.9.9.9".parse().unwrap()));
        assert!(Block::parse("[fd00::]/8").is_none() || Block::parse("fd00::/8").is_some());
        assert!(Block::parse("fd00::/8").unwrap().contains("fd12::1".parse().unwrap()));
        assert!(Block::parse("10.0.0.0/33").is_none());
        assert!(Block::parse("nas.lan").is_none());
    }

    proptest::proptest! {
        #[test]
        fn mapped_addresses_are_judged_as_what_they_carry(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            proptest::prop_assert_eq!(is_public(IpAddr::V4(v4)), is_public(IpAddr::V6(v4.to_ipv6_mapped())));
        }
    }
}
