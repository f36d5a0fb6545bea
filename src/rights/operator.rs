//! Who runs a site, by its domains: how domains are written and compared.

use core::net::IpAddr;

/// Brings a domain, address or operator's name into the one form that is compared: domains in lower case and
/// punycode (IDNA, UTS 46) without a final dot, addresses in their canonical form, anything else as
/// [`fold_name`] does. A scheme, path or port around a domain is dropped.
#[must_use]
pub fn normalise_operator(text: &str) -> String {
    let text = text.trim();
    if let Some(address) = as_address(text) {
        return address;
    }
    match host_of(text) {
        Some(host) => host,
        None => fold_name(text),
    }
}

/// Reads a domain or an address as it may stand in a licence.
///
/// # Errors
/// A sentence saying why it cannot be one.
pub fn parse_domain(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(address) = as_address(text) {
        return Ok(address);
    }
    let host = host_of(text).ok_or_else(|| format!("`{}` is not a domain", shorten(text)))?;
    let is_suffix = psl::suffix(host.as_bytes())
        .is_some_and(|suffix| suffix.is_known() && suffix.as_bytes() == host.as_bytes());
    if is_suffix {
        return Err(format!(
            "`{host}` is a public suffix that many operators share, not an operator's domain"
        ));
    }
    Ok(host)
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
    /// The operator's is a subdomain of the licensed one.
    Below,
    /// The licensed one is a subdomain of the operator's: which part of the site was seen is not known.
    Above,
    /// Neither.
    None,
}

/// Compares two domains in the form of [`normalise_operator`] at the boundaries of labels.
pub(super) fn kinship(operator: &str, licensed: &str) -> Kinship {
    if operator == licensed {
        return Kinship::Same;
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

fn as_address(text: &str) -> Option<String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<core::net::SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(address.to_string())
}

fn host_of(text: &str) -> Option<String> {
    let (has_scheme, rest) = text.split_once("://").map_or((false, text), |(_, rest)| (true, rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A party's name may hold a slash; only what looks like a host has a path to drop.
    let rest = if has_scheme || authority.contains('.') { authority } else { rest };
    let rest = match rest.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => rest,
    };
    if rest.is_empty() || rest.contains(char::is_whitespace) {
        return None;
    }
    match url::Host::parse(rest).ok()? {
        url::Host::Domain(domain) => {
            let domain = domain.trim_end_matches('.').to_owned();
            (!domain.is_empty()).then_some(domain)
        }
        url::Host::Ipv4(address) => Some(address.to_string()),
        url::Host::Ipv6(address) => Some(address.to_string()),
    }
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
        assert_eq!(normalise_operator("127.0.0.1:8080"), "127.0.0.1");
        assert_eq!(normalise_operator("[::1]"), "::1");
        assert_eq!(normalise_operator("NetEase  Cloud Music"), "netease cloud music");
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
