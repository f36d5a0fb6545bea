//! Who runs a site, by its domains: how domains are written and compared.

use core::net::{IpAddr, SocketAddr};

/// Brings a domain, address or operator's name into the one form that is compared: domains in lower case and
/// punycode (IDNA, UTS 46) without a final dot, addresses in their canonical form, anything else as
/// [`fold_name`] does. A scheme or path around a domain is dropped, and its port too; addresses, and names without a
/// registrable domain (`localhost`), keep their port, since there it is all that tells two sites apart.
#[must_use]
pub fn normalise_operator(text: &str) -> String {
    // Folded first: there are capitals that no domain may hold, of small letters that one may.
    let text = fold_name(text);
    if let Some((address, port)) = as_address(&text) {
        return spelled(&Site::Address(address), port);
    }
    match host_of(&text) {
        Some((site, port)) => spelled(&site, port),
        None => text,
    }
}

/// Reads a domain or an address as it may stand in a licence.
///
/// # Errors
/// A sentence saying why it cannot be one.
pub fn parse_domain(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some((address, port)) = as_address(text) {
        return Ok(spelled(&Site::Address(address), port));
    }
    let (site, port) =
        host_of(&text.to_lowercase()).ok_or_else(|| format!("`{}` is not a domain", shorten(text)))?;
    if let Site::Name(host) = &site {
        let is_suffix = psl::suffix(host.as_bytes())
            .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == host.as_bytes());
        if is_suffix {
            return Err(format!(
                "`{host}` is a public suffix that many operators share, not an operator's domain"
            ));
        }
    }
    Ok(spelled(&site, port))
}

/// Folds a party's name for comparison: case and runs of white space do not matter.
#[must_use]
pub fn fold_name(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// How an operator's domain stands to a licensed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinship {
    /// The same.
    Same,
    /// The operator's is a subdomain, or a port, of the licensed one.
    Below,
    /// The licensed one is a subdomain, or a port, of the operator's: which part of the site was seen is not known.
    Above,
    /// Neither.
    None,
}

/// Compares two domains in the form of [`normalise_operator`] at the boundaries of labels.
pub(super) fn kinship(operator: &str, licensed: &str) -> Kinship {
    if operator == licensed {
        return Kinship::Same;
    }
    let (operator_host, operator_port) = split_port(operator);
    let (licensed_host, licensed_port) = split_port(licensed);
    if operator_host == licensed_host {
        return match (operator_port, licensed_port) {
            (Some(_), None) => Kinship::Below,
            (None, Some(_)) => Kinship::Above,
            _ => Kinship::None,
        };
    }
    // An address has no subdomains, and neither has a name with spaces.
    if as_address(operator).is_some() || as_address(licensed).is_some() {
        return Kinship::None;
    }
    if is_below(operator, licensed) {
        Kinship::Below
    } else if is_below(licensed, operator) {
        Kinship::Above
    } else {
        Kinship::None
    }
}

fn is_below(long: &str, short: &str) -> bool {
    !short.is_empty() && long.strip_suffix(short).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Where a site is, without its port.
enum Site {
    Address(IpAddr),
    /// In lower case and punycode, without a final dot.
    Name(String),
}

fn spelled(site: &Site, port: Option<u16>) -> String {
    match (site, port) {
        (Site::Address(address), Some(port)) => SocketAddr::new(*address, port).to_string(),
        (Site::Address(address), None) => address.to_string(),
        (Site::Name(name), Some(port)) if psl::domain_str(name).is_none() => format!("{name}:{port}"),
        (Site::Name(name), _) => name.clone(),
    }
}

/// Splits what [`spelled`] made; the brackets of an IPv6 address with a port are taken off.
fn split_port(operator: &str) -> (&str, Option<&str>) {
    match operator.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            if let Some(bare) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
                (bare, Some(port))
            } else if host.contains(':') {
                (operator, None)
            } else {
                (host, Some(port))
            }
        }
        _ => (operator, None),
    }
}

fn as_address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => Some((address, None)),
        Err(_) => text.parse::<SocketAddr>().ok().map(|socket| (socket.ip(), Some(socket.port()))),
    }
}

fn host_of(text: &str) -> Option<(Site, Option<u16>)> {
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A party's name may hold a slash; only what looks like a host has a path to drop.
    let rest = if scheme.is_some() || authority.contains('.') { authority } else { rest };
    let (rest, port) = match rest.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port.parse().ok()),
        _ => (rest, None),
    };
    if rest.is_empty() || rest.contains(char::is_whitespace) {
        return None;
    }
    let site = match url::Host::parse(rest).ok()? {
        url::Host::Domain(domain) => {
            let domain = domain.strip_suffix('.').unwrap_or(&domain);
            // Without an empty label: `100..` is neither a name nor, less its dots, the address that `100` is.
            (!domain.split('.').any(str::is_empty)).then(|| Site::Name(domain.to_owned()))?
        }
        url::Host::Ipv4(address) => Site::Address(address.into()),
        url::Host::Ipv6(address) => Site::Address(address.into()),
    };
    // The scheme's own port says nothing.
    let default = match scheme {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    };
    Some((site, port.filter(|_| port != default)))
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_compared_without_case_in_punycode() {
        assert_eq!(
            normalise_operator("Music.例子.中国."),
            normalise_operator("music.xn--fsqu00a.xn--fiqs8s")
        );
        assert_eq!(normalise_operator("https://WWW.Example.COM:8080/a?b"), "www.example.com");
        assert_eq!(normalise_operator("[::1]"), "::1");
        assert_eq!(normalise_operator("NetEase  Cloud Music"), "netease cloud music");
    }

    #[test]
    fn a_port_counts_where_nothing_else_tells_two_sites_apart() {
        assert_eq!(normalise_operator("127.0.0.1:8080"), "127.0.0.1:8080");
        assert_eq!(normalise_operator("http://127.0.0.1:8080/a"), "127.0.0.1:8080");
        assert_eq!(normalise_operator("http://127.0.0.1:80/a"), "127.0.0.1");
        assert_eq!(normalise_operator("[::1]:81"), "[::1]:81");
        assert_eq!(normalise_operator("http://[::1]:81/"), "[::1]:81");
        assert_eq!(normalise_operator("LocalHost:3000"), "localhost:3000");
        assert_eq!(parse_domain("127.0.0.1:8080").ok().as_deref(), Some("127.0.0.1:8080"));
        for (with_port, without) in
            [("127.0.0.1:8080", "127.0.0.1"), ("[::1]:81", "::1"), ("localhost:1", "localhost")]
        {
            assert_eq!(kinship(with_port, with_port), Kinship::Same);
            assert_eq!(kinship(with_port, without), Kinship::Below);
            assert_eq!(kinship(without, with_port), Kinship::Above);
        }
        assert_eq!(kinship("127.0.0.1:8080", "127.0.0.1:8081"), Kinship::None);
        assert_eq!(kinship("127.0.0.1:8080", "127.0.0.2"), Kinship::None);
    }

    #[test]
    fn the_compared_form_is_its_own() {
        for text in
            ["100..", "a..b", ".163.com", "\u{2183}", "HTTP://LocalHost:80/", "0x7f.1:8080", "100", "ΑΣ Σ"]
        {
            let once = normalise_operator(text);
            assert_eq!(normalise_operator(&once), once, "{text}");
        }
        assert_eq!(normalise_operator("HTTP://LocalHost:80/"), "localhost");
        assert!(parse_domain("100..").is_err() && parse_domain("a..b").is_err());
    }

    #[test]
    fn suffixes_count_only_at_label_boundaries() {
        assert_eq!(kinship("music.qq.com", "qq.com"), Kinship::Below);
        assert_eq!(kinship("evilqq.com", "qq.com"), Kinship::None);
        assert_eq!(kinship("qq.com", "music.qq.com"), Kinship::Above);
        assert_eq!(kinship("qq.com", "qq.com"), Kinship::Same);
        assert_eq!(kinship("1.127.0.0.1", "127.0.0.1"), Kinship::None);
    }

    #[test]
    fn a_public_suffix_is_no_operator() {
        assert!(parse_domain("com.cn").is_err());
        assert!(parse_domain("github.io").is_err());
        assert!(parse_domain("no domain").is_err());
        assert_eq!(parse_domain("localhost").ok().as_deref(), Some("localhost"));
        assert_eq!(parse_domain("163.com").ok().as_deref(), Some("163.com"));
    }
}
