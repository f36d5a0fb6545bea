//! Which pages belong to a site.

use regex::RegexSet;
use url::Url;

use super::address::{authority, domain_of};
use super::event::Error;
use crate::config::{ScopeKind, SiteSettings};

/// Which pages belong to a site: by host or domain, and by what the site's settings include and exclude.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    kind: ScopeKind,
    seeds: Vec<Url>,
    /// What the URLs of the site begin with, or their domains or hosts.
    keys: Vec<String>,
    include: Option<RegexSet>,
    exclude: Option<RegexSet>,
}

impl Scope {
    /// The scope of a site.
    ///
    /// # Errors
    /// [`Error::Pattern`] when a regular expression is none.
    pub(super) fn new(name: &str, site: &SiteSettings, seeds: &[Url]) -> Result<Self, Error> {
        let mut keys: Vec<String> = seeds.iter().map(|seed| key(site.scope, seed)).collect();
        keys.extend(site.domains.iter().map(|domain| domain.trim().to_ascii_lowercase()));
        Ok(Self {
            kind: site.scope,
            seeds: seeds.to_vec(),
            keys,
            include: patterns(name, "include", &site.include)?,
            exclude: patterns(name, "exclude", &site.exclude)?,
        })
    }

    /// The scope of one URL, whose links nobody follows.
    pub(super) fn of_url(url: &Url) -> Self {
        let keys = vec![key(ScopeKind::Domain, url)];
        Self { kind: ScopeKind::Domain, seeds: vec![url.clone()], keys, include: None, exclude: None }
    }

    /// Whether `url` lies on the site's hosts, whatever of them is read.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        let kind = if self.kind == ScopeKind::Path { ScopeKind::Host } else { self.kind };
        self.seeds.iter().any(|seed| key(kind, seed) == key(kind, url)) || self.keys.contains(&domain_of(url))
    }

    /// Whether the page at `url` belongs to the site.
    pub(super) fn holds(&self, url: &Url) -> bool {
        if self.seeds.contains(url) {
            return true;
        }
        let is_inside = match self.kind {
            ScopeKind::Path => self.keys.iter().any(|start| url.as_str().starts_with(start.as_str())),
            kind => self.keys.contains(&key(kind, url)),
        };
        let is_mirror = || self.keys.contains(&domain_of(url));
        (is_inside || is_mirror())
            && self.include.as_ref().is_none_or(|patterns| patterns.is_match(url.as_str()))
            && !self.exclude.as_ref().is_some_and(|patterns| patterns.is_match(url.as_str()))
    }
}

/// What two URLs of one site share.
fn key(kind: ScopeKind, url: &Url) -> String {
    match kind {
        ScopeKind::Domain => match url.host() {
            Some(url::Host::Domain(name)) if psl::domain_str(name).is_some() => domain_of(url),
            _ => authority(url),
        },
        ScopeKind::Host => authority(url),
        ScopeKind::Path => {
            let mut start = url.clone();
            start.set_query(None);
            start.set_fragment(None);
            let folder = url.path().rfind('/').map_or("/", |end| &url.path()[..=end]);
            start.set_path(folder);
            start.into()
        }
    }
}

fn patterns(site: &str, key: &'static str, texts: &[String]) -> Result<Option<RegexSet>, Error> {
    if texts.is_empty() {
        return Ok(None);
    }
    // The library matches in linear time, and refuses patterns whose automaton would be large.
    RegexSet::new(texts).map(Some).map_err(|error| {
        // The library draws the pattern with a caret; its last line says what is wrong.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Error::Pattern { site: site.to_owned(), key, reason }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn scope(site: &SiteSettings) -> Scope {
        Scope::new("test", site, &[url("https://www.music.example/new/index.html?x=1")]).unwrap()
    }

    #[test]
    fn domains_hosts_and_paths() {
        let domain =
            scope(&SiteSettings { domains: vec!["Mirror.example".to_owned()], ..Default::default() });
        assert!(
            domain.holds(&url("http://cdn.music.example/a"))
                && domain.holds(&url("http://a.mirror.example/"))
        );
        assert!(!domain.holds(&url("http://other.example/")));
        let host = scope(&SiteSettings { scope: ScopeKind::Host, ..Default::default() });
        assert!(
            host.holds(&url("https://www.music.example/a")) && !host.holds(&url("https://music.example/a"))
        );
        let path = scope(&SiteSettings { scope: ScopeKind::Path, ..Default::default() });
        assert!(path.holds(&url("https://www.music.example/new/a/b")));
        assert!(
            !path.holds(&url("https://www.music.example/old/"))
                && !path.holds(&url("https://www.music.example/new"))
        );
    }

    #[test]
    fn patterns_take_in_and_leave_out_but_never_the_seeds() {
        let scope = scope(&SiteSettings {
            include: vec!["/song/".to_owned()],
            exclude: vec![r"\?print=".to_owned()],
            ..Default::default()
        });
        assert!(scope.holds(&url("https://music.example/song/1")));
        assert!(!scope.holds(&url("https://music.example/about")));
        assert!(!scope.holds(&url("https://music.example/song/1?print=yes")));
        assert!(scope.holds(&url("https://www.music.example/new/index.html?x=1")));
        let wrong = SiteSettings { exclude: vec!["(".to_owned()], ..Default::default() };
        let error = Scope::new("test", &wrong, &[]).unwrap_err().to_string();
        assert_eq!(error, "sites.test.exclude: not a regular expression (unclosed group)");
    }
}
