//! What connections were seen to do: what names were resolved to, which certificates servers showed, and which cipher suites
//! were agreed on. Connections are kept and used again, so that all are remembered for the requests that come later.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use rustls::CipherSuite;
use rustls::pki_types::CertificateDer;

use super::exchange::{DnsAnswer, TlsSeen};
use super::suites;
use crate::base::{Clock, Digest, Timestamp, lock};

/// Names whose answers are remembered; a run knows up to 20,000 hosts, of which few are asked at a time.
const NAMES_MAX: usize = 4096;
/// Addresses of one answer that are remembered; a hostile name server may send thousands.
const ADDRESSES_MAX: usize = 64;
/// Chains that are remembered: with the next constant at most 24 MiB, in practice some 4.
const CHAINS_MAX: usize = 1024;
/// Bytes of a chain that are remembered; those in use have under 8 KiB. Of a longer one only the server's own
/// certificate is, if that is shorter.
const CHAIN_BYTES_MAX: usize = 24 << 10;

/// What the connections of one client were seen to do.
pub(super) struct Seen {
    clock: Arc<dyn Clock>,
    names: Mutex<Recent<String, DnsAnswer>>,
    /// By the SHA-256 of the server's own certificate, which is all that the HTTP library tells afterwards.
    chains: Mutex<Recent<Digest, Vec<String>>>,
    /// By the same, and the version of TLS; none where connections agreed on different ones.
    suites: Mutex<Recent<(Digest, &'static str), Option<CipherSuite>>>,
}

impl Seen {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            names: Mutex::new(Recent::new(NAMES_MAX)),
            chains: Mutex::new(Recent::new(CHAINS_MAX)),
            // A certificate may be shown in both versions.
            suites: Mutex::new(Recent::new(2 * CHAINS_MAX)),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Remembers what the resolver gave, before anything of it was refused.
    pub(super) fn resolved(&self, name: &str, addresses: &[IpAddr]) {
        let addresses = addresses.iter().take(ADDRESSES_MAX).map(ToString::to_string).collect();
        let answer = DnsAnswer { name: name.to_owned(), addresses, at: self.now() };
        lock(&self.names).put(name.to_owned(), answer);
    }

    /// What a name was resolved to last.
    pub(super) fn answer(&self, name: &str) -> Option<DnsAnswer> {
        lock(&self.names).get(name).cloned()
    }

    /// Remembers a chain that was found good.
    pub(super) fn verified(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) {
        let chain = bounded(std::iter::once(own.as_ref()).chain(others.iter().map(AsRef::as_ref)));
        lock(&self.chains).put(Digest::of(own), chain);
    }

    /// Remembers that a connection to the owner of a certificate agreed on this suite.
    pub(super) fn agreed(&self, certificate: Digest, version: &'static str, suite: CipherSuite) {
        let mut suites = lock(&self.suites);
        let known = suites.get(&(certificate, version)).copied();
        let is_same = known.is_none_or(|known| known == Some(suite));
        suites.put((certificate, version), is_same.then_some(suite));
    }

    /// What was seen of the connection that an answer came over. The library tells the version and the server's own
    /// certificate, and not the connection: where connections with both the same agreed on different suites, none is told.
    pub(super) fn tls(&self, info: &reqwest::tls::TlsInfo) -> TlsSeen {
        let version = info.version().and_then(|version| match version {
            reqwest::tls::Version::TLS_1_2 => Some(suites::TLS_1_2),
            reqwest::tls::Version::TLS_1_3 => Some(suites::TLS_1_3),
            _ => None,
        });
        let own = info.peer_certificate();
        let digest = own.map(Digest::of);
        let known = digest.and_then(|digest| lock(&self.chains).get(&digest).cloned());
        let suite = digest.zip(version).and_then(|key| lock(&self.suites).get(&key).copied().flatten());
        TlsSeen {
            version: version.map(str::to_owned),
            cipher: suite.and_then(suites::name),
            certificates: known.unwrap_or_else(|| bounded(own.into_iter())),
        }
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

/// Certificates as base64, as many from the first one on as are short enough together.
fn bounded<'c>(certificates: impl Iterator<Item = &'c [u8]>) -> Vec<String> {
    let mut bytes = 0;
    certificates
        .take_while(|certificate| {
            bytes += certificate.len();
            bytes <= CHAIN_BYTES_MAX
        })
        .map(|certificate| base64::engine::general_purpose::STANDARD.encode(certificate))
        .collect()
}

/// A map that forgets what came first when it is full.
struct Recent<K, V> {
    values: HashMap<K, V>,
    order: VecDeque<K>,
    count_max: usize,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    fn new(count_max: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), count_max }
    }

    fn put(&mut self, key: K, value: V) {
        if self.values.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.count_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.values.remove(&oldest);
        }
    }

    fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.values.get(key)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::FixedClock;

    fn seen() -> Seen {
        Seen::new(Arc::new(FixedClock(Timestamp::UNIX_EPOCH)))
    }

    #[test]
    fn names_are_remembered_up_to_a_bound() {
        let seen = seen();
        let many: Vec<IpAddr> = (0..200).map(|last| IpAddr::from([203, 0, 113, last])).collect();
        for number in 0..=NAMES_MAX {
            seen.resolved(&format!("{number}.example"), &many[..1]);
        }
        assert_eq!(seen.answer("0.example"), None);
        assert_eq!(seen.answer("1.example").unwrap().addresses, ["203.0.113.0"]);
        seen.resolved("1.example", &many);
        assert_eq!(seen.answer("1.example").unwrap().addresses.len(), ADDRESSES_MAX);
        assert_eq!(lock(&seen.names).order.len(), NAMES_MAX);
    }

    #[test]
    fn a_suite_is_told_only_where_it_was_the_only_one() {
        let seen = seen();
        let (one, other) = (CipherSuite::TLS13_AES_128_GCM_SHA256, CipherSuite::TLS13_AES_256_GCM_SHA384);
        let told =
            |version| lock(&seen.suites).get(&(Digest::of(b"certificate"), version)).copied().flatten();
        for _ in 0..2 {
            seen.agreed(Digest::of(b"certificate"), suites::TLS_1_3, one);
            assert_eq!((told(suites::TLS_1_3), told(suites::TLS_1_2)), (Some(one), None));
        }
        for suite in [other, one, other] {
            seen.agreed(Digest::of(b"certificate"), suites::TLS_1_3, suite);
            assert_eq!(told(suites::TLS_1_3), None);
        }
    }

    #[test]
    fn long_chains_are_cut_and_old_ones_forgotten() {
        let seen = seen();
        let other = CertificateDer::from(vec![7; CHAIN_BYTES_MAX]);
        for number in 0..=CHAINS_MAX {
            let own = CertificateDer::from(number.to_le_bytes().to_vec());
            seen.verified(&own, std::slice::from_ref(&other));
        }
        let chains = lock(&seen.chains);
        assert_eq!(chains.values.len(), CHAINS_MAX);
        assert!(chains.values.values().all(|chain| chain.len() == 1));
    }
}
