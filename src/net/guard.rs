//! The address guard: which URLs and which addresses may be reached.
//!
//! Literal addresses never reach a resolver, so they are judged in the URL, in every spelling that the URL standard
//! knows (`127.1`, `0x7f.1`, `2130706433`, `[::ffff:127.0.0.1]`). Names are judged when they are resolved for the
//! connection: forbidden addresses are left out, and where none is left the request is refused. Since the
//! connection is made to the very addresses that were judged, a name that changes its address in between gains
//! nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use super::addresses::is_public;
use super::error::{Error, shown};
use crate::base::Network;
use crate::config::FetchSettings;

/// Ports of other services than the web's, which a page must not make us talk to: the WHATWG fetch standard's list
/// up to 1023, and the databases and caches that sit unguarded behind firewalls most often.
const PORTS_REFUSED: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
    515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 2049, 3306, 5432,
    6379, 11211, 27017,
];

/// Which URLs and addresses may be reached.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allow_private: bool,
    allowed: Vec<Allowed>,
}

/// A place that may be reached although it is not public.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Addresses(Network, Option<u16>),
    Name(String, Option<u16>),
}

impl Allowed {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(network) = Network::parse(text) {
            return Some(Self::Addresses(network, None));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(Self::Addresses(Network::parse(&address.ip().to_string())?, Some(address.port())));
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        match Host::parse(name).ok()? {
            Host::Domain(name) => Some(Self::Name(name, port)),
            _ => None,
        }
    }
}

impl Guard {
    /// Makes the guard that `settings` ask for.
    ///
    /// # Errors
    /// [`Error::Setting`] when an entry of `private_allowed` cannot be read.
    pub fn new(settings: &FetchSettings) -> Result<Self, Error> {
        let mut allowed = Vec::with_capacity(settings.private_allowed.len());
        for entry in &settings.private_allowed {
            allowed.push(Allowed::parse(entry).ok_or_else(|| Error::Setting {
                key: "private_allowed",
                reason: format!(
                    "`{entry}` is no host, address, block or host:port; write for example `nas.lan`, `10.0.0.0/8` \
                     or `127.0.0.1:8080`"
                ),
            })?);
        }
        Ok(Self { allow_private: settings.allow_private, allowed })
    }

    /// Lets a host be connected to, whatever its address.
    pub(super) fn allow_name(&mut self, name: &str) {
        self.allowed.push(Allowed::Name(name.to_ascii_lowercase(), None));
    }

    /// Checks what can be known before anything is resolved: scheme, host, port, literal addresses.
    ///
    /// # Errors
    /// [`Error::Url`] or [`Error::NotPublic`].
    pub fn check_url(&self, url: &Url) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Url { url: shown(url), reason });
        if !matches!(url.scheme(), "http" | "https") {
            return wrong(format!("only http and https are fetched, not {}", url.scheme()));
        }
        let port = url.port_or_known_default().unwrap_or(0);
        if PORTS_REFUSED.contains(&port) {
            return wrong(format!("port {port} belongs to another service than the web's"));
        }
        let address = match url.host() {
            None => return wrong("it names no host".to_owned()),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(name)) => return self.check_name(url, name, port),
        };
        if self.allow_private || is_public(address) || self.allows_literal(address, port) {
            return Ok(());
        }
        Err(Error::NotPublic { url: shown(url), address: address.to_string() })
    }

    /// Whether the settings let this place be reached although it is none of the public network, as far as that shows
    /// before its name is resolved.
    #[must_use]
    pub fn is_private_place(&self, url: &Url) -> bool {
        let port = url.port_or_known_default().unwrap_or(0);
        let address = match url.host() {
            None => return false,
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(name)) => {
                let is_named = self.allowed.iter().any(|entry| {
                    matches!(entry, Allowed::Name(own, only) if own == bare(name) && only.is_none_or(|only| only == port))
                });
                return self.allow_private
                    || is_named
                    || (is_localhost(name) && self.check_name(url, name, port).is_ok());
            }
        };
        !is_public(address) && (self.allow_private || self.allows_literal(address, port))
    }

    fn allows_literal(&self, address: IpAddr, port: u16) -> bool {
        self.allowed.iter().any(|entry| match entry {
            Allowed::Addresses(network, only) => {
                network.contains(address) && only.is_none_or(|only| only == port)
            }
            Allowed::Name(..) => false,
        })
    }

    /// A name that is allowed at certain ports only is refused at others here, since the resolver does not learn
    /// the port.
    fn check_name(&self, url: &Url, name: &str, port: u16) -> Result<(), Error> {
        if self.allow_private {
            return Ok(());
        }
        let itself = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        if is_localhost(name) && !itself.iter().any(|&address| self.allows_resolved(name, address)) {
            return Err(Error::NotPublic { url: shown(url), address: name.to_owned() });
        }
        let mut ports = self.allowed.iter().filter_map(|entry| match entry {
            Allowed::Name(allowed, only) if allowed == bare(name) => Some(*only),
            _ => None,
        });
        let Some(first) = ports.next() else { return Ok(()) };
        let fits = |only: Option<u16>| only.is_none_or(|only| only == port);
        if fits(first) || ports.any(fits) {
            return Ok(());
        }
        Err(Error::Url {
            url: shown(url),
            reason: format!("fetch.private_allowed names this host, but not its port {port}"),
        })
    }

    /// Whether `name` may be connected to at `address`.
    fn allows_resolved(&self, name: &str, address: IpAddr) -> bool {
        self.allow_private
            || is_public(address)
            || self.allowed.iter().any(|entry| match entry {
                Allowed::Name(allowed, _) => allowed == bare(name),
                // An address allowed at one port only is for URLs that write it out: the resolver has no port.
                Allowed::Addresses(network, only) => only.is_none() && network.contains(address),
            })
    }

    /// Keeps the addresses that may be connected to.
    ///
    /// # Errors
    /// The first address, where there are some and none may be.
    pub(super) fn filter(&self, name: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, IpAddr> {
        let refused = found.first().copied();
        let kept: Vec<_> = found.into_iter().filter(|at| self.allows_resolved(name, *at)).collect();
        match refused {
            Some(address) if kept.is_empty() => Err(address),
            _ => Ok(kept),
        }
    }
}

/// `host.` and `host` are one name.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Names that stand for the machine itself (RFC 6761, section 6.3), whatever a resolver or a proxy makes of them.
fn is_localhost(name: &str) -> bool {
    let name = bare(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn guard(private_allowed: &[&str]) -> Guard {
        let private_allowed = private_allowed.iter().map(|&s| s.to_owned()).collect();
        Guard::new(&FetchSettings { private_allowed, ..FetchSettings::default() }).unwrap()
    }

    fn check(guard: &Guard, url: &str) -> Result<(), Error> {
        guard.check_url(&Url::parse(url).unwrap())
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://017700000001/",
            "http://0/",
            "http://0.0.0.0:8080/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "https://10.1.2.3/",
            "http://１２７.０.０.１/",
            "http://127。0。0。1/",
        ] {
            assert!(matches!(check(&guard(&[]), url), Err(Error::NotPublic { .. })), "{url}");
        }
        assert!(check(&guard(&[]), "http://93.184.215.14/").is_ok());
    }

    #[test]
    fn names_and_disguises_of_the_machine_itself() {
        for url in [
            "http://localhost/",
            "http://LOCALHOST:8080/",
            "http://localhost./",
            "http://a.b.localhost/",
            "http://a.localhost./",
            "http://%6cocalhost/",
            "http://\u{24db}ocalhost/",
            "http://\u{ff4c}\u{ff4f}\u{ff43}\u{ff41}\u{ff4c}\u{ff48}\u{ff4f}\u{ff53}\u{ff54}/",
            "http://local\u{ad}host/",
            "http://example.com@127.0.0.1/",
            "http://example.com:80@localhost/",
            "http://example.com%2f@127.0.0.1/",
            "http://0177.0.0.1/",
            "http://0x7f000001/",
            "http://127.0.1/",
            "http://127.0.0.1.:80/",
            "http:\\\\127.0.0.1\\x",
            "http:127.0.0.1/",
            "http://\u{2460}\u{2461}\u{2466}.0.0.1./",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::127.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "http://[0:0:0:0:0:ffff:0a00:0001]/",
        ] {
            let Ok(parsed) = Url::parse(url) else { panic!("{url}") };
            let result = guard(&[]).check_url(&parsed);
            // 127 in circles is 127; what is not must not be reached either.
            assert!(
                matches!(result, Err(Error::NotPublic { .. })) || url.contains('\u{2460}'),
                "{url}: {result:?}"
            );
        }
        for url in
            ["http://[fe80::1%25eth0]/", "http://[::1%lo]/", "http://127.0.0.256/", "http://1.2.3.4.5/"]
        {
            assert!(Url::parse(url).is_err(), "{url}");
        }
        for url in ["http://localhost.example.com/", "http://mylocalhost/", "http://127.0.0.1@example.com/"] {
            assert!(check(&guard(&[]), url).is_ok(), "{url}");
        }
        for allowed in ["localhost", "127.0.0.1", "::1", "127.0.0.0/8"] {
            assert!(check(&guard(&[allowed]), "http://localhost:8080/").is_ok(), "{allowed}");
        }
        assert!(check(&guard(&["localhost:80"]), "http://localhost:8080/").is_err());
    }

    #[test]
    fn schemes_ports_and_hosts() {
        for url in
            ["ftp://example.com/", "file:///etc/passwd", "http://example.com:22/", "http://example.com:6379/"]
        {
            assert!(matches!(check(&guard(&[]), url), Err(Error::Url { .. })), "{url}");
        }
        assert!(check(&guard(&[]), "https://example.com:8443/x").is_ok());
    }

    #[test]
    fn allowed_places() {
        let guard = guard(&["127.0.0.1:8080", "10.1.0.0/16", "nas.lan:81", "[::1]:9000"]);
        assert!(check(&guard, "http://127.0.0.1:8080/").is_ok());
        assert!(check(&guard, "http://[::1]:9000/").is_ok());
        assert!(check(&guard, "http://127.0.0.1:8081/").is_err());
        assert!(check(&guard, "http://10.1.9.9/").is_ok());
        assert!(check(&guard, "http://nas.lan:81/").is_ok());
        assert!(check(&guard, "http://nas.lan./").is_err());
        let private = "10.9.9.9".parse().unwrap();
        let block = "10.1.2.3".parse().unwrap();
        let loopback = "127.0.0.1".parse().unwrap();
        let public = "1.1.1.1".parse().unwrap();
        assert_eq!(guard.filter("nas.lan", vec![private]).unwrap(), vec![private]);
        assert_eq!(guard.filter("evil.example", vec![private, public, block]).unwrap(), vec![public, block]);
        assert!(guard.filter("evil.example", vec![loopback]).is_err());
    }

    #[test]
    fn private_places_are_those_that_are_named_and_not_public() {
        let is_private = |guard: &Guard, url: &str| guard.is_private_place(&Url::parse(url).unwrap());
        let named = guard(&["127.0.0.1:8080", "10.1.0.0/16", "nas.lan:81", "1.1.1.1", "localhost"]);
        for url in ["http://127.0.0.1:8080/", "http://10.1.2.3/", "http://nas.lan:81/", "http://localhost/"] {
            assert!(is_private(&named, url), "{url}");
            assert!(!is_private(&guard(&[]), url), "{url}");
        }
        for url in ["http://127.0.0.1/", "http://nas.lan/", "http://1.1.1.1/", "http://example.com/"] {
            assert!(!is_private(&named, url), "{url}");
        }
        let all = Guard::new(&FetchSettings { allow_private: true, ..FetchSettings::default() }).unwrap();
        assert!(is_private(&all, "http://[::1]:9/") && is_private(&all, "http://intranet/"));
        assert!(!is_private(&all, "http://1.1.1.1/"));
    }

    #[test]
    fn a_wrong_entry_is_named() {
        let settings =
            FetchSettings { private_allowed: vec!["10.0.0.0/99".to_owned()], ..Default::default() };
        let Err(error) = Guard::new(&settings) else { panic!("accepted") };
        assert!(error.to_string().contains("10.0.0.0/99"), "{error}");
    }
}
