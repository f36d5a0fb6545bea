//! Stands in for the Public Suffix List, whose one function of ten thousand branches takes a compiler a quarter of an
//! hour under instrumentation: the same rules, with a handful of suffixes of each shape.

use psl_types::{Info, List as _, Type};

pub use psl_types::{Domain, Suffix};

/// Suffixes of one and of two labels, of registries and of hosts for many.
const SUFFIXES: [(&str, Type); 10] = [
    ("com", Type::Icann),
    ("example", Type::Icann),
    ("cn", Type::Icann),
    ("com.cn", Type::Icann),
    ("jp", Type::Icann),
    ("co.jp", Type::Icann),
    ("xn--fiqs8s", Type::Icann),
    ("io", Type::Icann),
    ("github.io", Type::Private),
    ("blogspot.com", Type::Private),
];

struct List;

impl psl_types::List for List {
    fn find<'a, T>(&self, mut labels: T) -> Info
    where
        T: Iterator<Item = &'a [u8]>,
    {
        let Some(last) = labels.next() else { return Info { len: 0, typ: None } };
        let second = labels.next().unwrap_or_default();
        let both = [second, b".", last].concat();
        let known = |text: &[u8]| SUFFIXES.iter().find(|(suffix, _)| suffix.as_bytes() == text);
        let found = known(&both).or_else(|| known(last));
        // Whatever is not on the list is a suffix of one label, of no known type.
        found.map_or(Info { len: last.len(), typ: None }, |(suffix, kind)| Info { len: suffix.len(), typ: Some(*kind) })
    }
}

/// Finds the public suffix of a name.
#[must_use]
pub fn suffix(name: &[u8]) -> Option<Suffix<'_>> {
    List.suffix(name)
}

/// Finds the registrable domain of a name.
#[must_use]
pub fn domain_str(name: &str) -> Option<&str> {
    std::str::from_utf8(List.domain(name.as_bytes())?.trim().as_bytes()).ok()
}

/// Finds the public suffix of a name.
#[must_use]
pub fn suffix_str(name: &str) -> Option<&str> {
    std::str::from_utf8(suffix(name.as_bytes())?.trim().as_bytes()).ok()
}
