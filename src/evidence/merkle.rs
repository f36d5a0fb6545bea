//! The root over a bundle's entries: the tree of RFC 6962, section 2.1.
//!
//! A leaf is the line that `sha256sum` prints for the entry (`<64 hex digits>  <name>` and a line feed); leaves stand in the
//! order of their names. Hash of a leaf: SHA-256(0x00 ‖ line); of a node: SHA-256(0x01 ‖ left ‖ right), where the left side
//! holds the greatest power of two of leaves that is less than all of them.

use crate::base::{Digest, Hasher};

/// The line of `sha256sum` for an entry: what a leaf is made of.
#[must_use]
pub fn leaf_line(name: &str, sha256: &Digest) -> String {
    format!("{sha256}  {name}\n")
}

/// Computes the root over leaves in their order; the digest of nothing where there is none.
#[must_use]
pub fn merkle_root<'a>(leaves: impl IntoIterator<Item = (&'a str, Digest)>) -> Digest {
    // Complete subtrees from left to right with their numbers of leaves: equal neighbours are joined at once, so the
    // numbers are falling powers of two, and what is left in the end is joined from the right.
    let mut subtrees: Vec<(u64, Digest)> = Vec::new();
    for (name, sha256) in leaves {
        let mut joined = (1, hash(0, &[leaf_line(name, &sha256).as_bytes()]));
        while let Some(&(leaves, left)) = subtrees.last().filter(|(leaves, _)| *leaves == joined.0) {
            subtrees.pop();
            joined = (2 * leaves, node(&left, &joined.1));
        }
        subtrees.push(joined);
    }
    let right_to_left = subtrees.into_iter().rev().map(|(_, digest)| digest);
    right_to_left.reduce(|right, left| node(&left, &right)).unwrap_or_else(|| Digest::of(b""))
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(1, &[left.as_bytes(), right.as_bytes()])
}

fn hash(prefix: u8, parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[prefix]);
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, word for word.
    fn by_definition(lines: &[String]) -> Digest {
        match lines {
            [] => Digest::of(b""),
            [one] => hash(0, &[one.as_bytes()]),
            _ => {
                let split = (lines.len().div_ceil(2)).next_power_of_two();
                let (left, right) = lines.split_at(split);
                node(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition() {
        for count in 0..40 {
            let names: Vec<String> = (0..count).map(|n| format!("file-{n:02}")).collect();
            let leaves: Vec<(&str, Digest)> =
                names.iter().map(|name| (name.as_str(), Digest::of(name.as_bytes()))).collect();
            let lines: Vec<String> = leaves.iter().map(|(name, digest)| leaf_line(name, digest)).collect();
            assert_eq!(merkle_root(leaves), by_definition(&lines), "{count} leaves");
        }
    }
}
