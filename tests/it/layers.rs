//! The rooms' walls: who imports whom, who touches which crate, and what pure rooms must not do.
//!
//! What is allowed stands in `ARCHITECTURE.md` for people and in [`MAY_IMPORT`] for this test; both must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of the data's way, and what each may import.
const MAY_IMPORT: [(&str, &[&str]); 18] = [
    ("base", &[]),
    ("config", &["base"]),
    ("store", &["base", "config"]),
    ("net", &["base", "config"]),
    ("catalog", &["base", "store"]),
    ("rights", &["base", "catalog types"]),
    ("audio", &["base"]),
    ("fingerprint", &["base"]),
    ("index", &["base", "fingerprint"]),
    ("matching", &["base", "fingerprint", "index"]),
    ("crawl", &["base", "config", "store", "net"]),
    ("evidence", &["base", "store", "net", "fingerprint", "types of 10 and 11"]),
    ("cases", &["base", "store", "types of the rooms above"]),
    ("notice", &["base", "config", "catalog", "cases"]),
    ("scan", &["1–14"]),
    ("schedule", &["base", "config", "store", "crawl", "scan"]),
    ("web", &["all but cli"]),
    ("cli", &["all"]),
];

/// Crates, and the one room that may touch each.
const OWNED_CRATES: [(&str, &str); 2] = [("sled", "store"), ("reqwest", "net")];

/// Rooms without I/O, clock or async: same input, same output.
const PURE_ROOMS: [&str; 3] = ["rights", "fingerprint", "matching"];

const IMPURE_PATHS: [&[&str]; 7] = [
    &["std", "fs"],
    &["std", "net"],
    &["std", "process"],
    &["tokio"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["Timestamp", "now"],
];

/// One path of a source file, from its first segment on, for example `crate::store::Store`.
type PathSegments = Vec<String>;

#[test]
fn the_architecture_table_says_the_same() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = text
        .split("<!-- rooms:")
        .nth(1)
        .and_then(|rest| rest.split("<!-- end of rooms -->").next())
        .expect("ARCHITECTURE.md has its table of rooms between the marks");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), MAY_IMPORT.len(), "one row for each room");
    for (number, (row, (room, allowed))) in rows.iter().zip(MAY_IMPORT).enumerate() {
        let [own_number, name, state, _, may_import] = row.as_slice() else { panic!("bad row {row:?}") };
        assert_eq!(own_number.parse::<usize>().unwrap(), number + 1, "{room}");
        assert_eq!(name.trim_matches('`'), room);
        assert_eq!(
            *state == "built",
            room_path(room).is_some(),
            "{room}: `{state}` must be built or planned"
        );
        assert!(*state == "built" || *state == "planned", "{room}: {state}");
        let listed: Vec<&str> = may_import.split(", ").filter(|word| *word != "–").collect();
        assert_eq!(listed, allowed, "{room}");
    }
}

#[test]
fn arrows_point_up_only() {
    let allowed = allowed();
    for (index, (room, _)) in MAY_IMPORT.iter().enumerate() {
        let below: BTreeSet<&str> = MAY_IMPORT[index..].iter().map(|(room, _)| *room).collect();
        assert!(allowed[room].is_disjoint(&below), "{room} may import what stands below it");
    }
}

#[test]
fn every_folder_is_a_room_and_lib_lists_them_in_order() {
    let mut found: Vec<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".rs").to_owned())
        .filter(|name| name != "main" && name != "lib")
        .collect();
    found.sort();
    let mut known: Vec<&str> =
        MAY_IMPORT.iter().map(|(room, _)| *room).filter(|room| room_path(room).is_some()).collect();
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let listed: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub mod "))
        .map(|name| name.trim_end_matches(';'))
        .collect();
    assert_eq!(listed, known, "lib.rs lists the rooms in the order of the table");
    known.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn no_source_breaks_a_wall() {
    let mut faults = Vec::new();
    for (room, path, text) in sources() {
        faults.extend(faults_of(&room, &path, &text));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_test_itself_sees_bad_imports() {
    let cases = [
        ("catalog", "src/catalog/mod.rs", "use crate::cli::Context;", "cli"),
        ("audio", "src/audio/mod.rs", "use crate::{base::Pcm, store::Store};", "store"),
        ("matching", "src/matching/vote.rs", "fn f() { crate::audio::decode(); }", "audio"),
        ("store", "src/store/a/b.rs", "use super::super::super::catalog::Recording;", "catalog"),
        ("store", "src/store/mod.rs", "use super::{base::Digest, net};", "net"),
        ("scan", "src/scan/mod.rs", "use crate::web;", "web"),
        ("catalog", "src/catalog/mod.rs", "use sled::Db;", "sled"),
        ("catalog", "src/catalog/mod.rs", "type T = ::sled::Db;", "sled"),
        ("crawl", "src/crawl/mod.rs", "fn f() { reqwest::get(\"x\"); }", "reqwest"),
        ("rights", "src/rights/mod.rs", "use std::{collections::BTreeMap, fs};", "std::fs"),
        (
            "rights",
            "src/rights/mod.rs",
            "fn f() { let t = crate::base::Timestamp::now(); }",
            "Timestamp::now",
        ),
        ("fingerprint", "src/fingerprint/mod.rs", "use tokio::sync::Mutex;", "tokio"),
        ("matching", "src/matching/mod.rs", "use std::net::{IpAddr};", "std::net"),
        ("main", "src/main.rs", "use earwitness::store::Store;", "store"),
        ("rights", "src/rights/mod.rs", "use crate::store::Record;", "store"),
        ("audio", "src/audio/mod.rs", "use earwitness::index::Reader;", "index"),
    ];
    for (room, path, text, named) in cases {
        let faults = faults_of(room, Path::new(path), text);
        assert!(faults.iter().any(|fault| fault.contains(named)), "not seen: {room}: {text} ({faults:?})");
    }
    let innocent = [
        ("store", "src/store/a/b.rs", "use super::super::Error; use super::c; use crate::base::Digest;"),
        (
            "store",
            "src/store/mod.rs",
            "// use crate::cli::Context;\n/* crate::cli */ const A: &str = \"crate::cli\";",
        ),
        (
            "rights",
            "src/rights/mod.rs",
            "use crate::catalog::Recording; const FS: char = '\"'; fn f<'a>() {}",
        ),
        (
            "store",
            "src/store/mod.rs",
            "use sled::Db; use crate::store::Batch; const A: &str = r#\"\"crate::cli\"\"#;",
        ),
        ("main", "src/main.rs", "fn main() { earwitness::cli::run() }"),
        ("rights", "src/rights/mod.rs", "fn f() {} #[cfg(test)] mod tests { use std::fs; }"),
        ("cli", "src/cli/store.rs", "use super::{Context, Exit}; use crate::scan::register;"),
    ];
    for (room, path, text) in innocent {
        assert_eq!(faults_of(room, Path::new(path), text), Vec::<String>::new(), "{text}");
    }
}

/// Returns what a source file imports against the rules, one line each.
fn faults_of(room: &str, path: &Path, text: &str) -> Vec<String> {
    let allowed = allowed();
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("{}: {what}", path.display()));
    let code = without_comments_and_text(text);
    let product =
        if path.ends_with("tests.rs") { 0 } else { code.find("#[cfg(test)]").unwrap_or(code.len()) };
    for segments in paths_in(&code) {
        let joined = segments.join("::");
        if let Some(target) = room_imported(room, path, &segments) {
            let fine = match room {
                "main" => target == "cli",
                _ => target == room || allowed[room].contains(target.as_str()),
            };
            if !fine {
                fault(format!("`{room}` may not import `{target}` ({joined})"));
            }
        }
        for (name, owner) in OWNED_CRATES {
            if segments[0] == name && room != owner {
                fault(format!("only `{owner}` touches `{name}` ({joined})"));
            }
        }
    }
    if PURE_ROOMS.contains(&room) {
        // Tests in a pure room may read golden files; they stand at the end of their file.
        for segments in paths_in(&code[..product]) {
            let joined = segments.join("::");
            for impure in IMPURE_PATHS {
                // `Timestamp::now` may hide behind any path, the others begin theirs.
                let starts_at = if impure[0] == "Timestamp" { 0..segments.len() } else { 0..1 };
                let found = starts_at.into_iter().any(|at| {
                    segments[at..].iter().map(String::as_str).take(impure.len()).eq(impure.iter().copied())
                });
                if found {
                    fault(format!("`{room}` is pure and may not use `{}` ({joined})", impure.join("::")));
                }
            }
        }
    }
    faults
}

/// Returns the room that a path leads into, if it is one of ours.
fn room_imported(room: &str, path: &Path, segments: &[String]) -> Option<String> {
    let is_room = |name: &String| MAY_IMPORT.iter().any(|(room, _)| room == name);
    match segments[0].as_str() {
        "crate" | "earwitness" => segments.get(1).filter(|name| is_room(name)).cloned(),
        "super" => {
            let ups = segments.iter().take_while(|segment| *segment == "super").count();
            // How many steps lead from the file's module to the crate's root.
            let inside = path.strip_prefix("src").unwrap_or(path);
            let files_module = usize::from(inside.file_name().is_some_and(|name| name != "mod.rs"));
            let depth = inside.components().count() - 1 + files_module;
            if ups < depth || room == "main" {
                return None;
            }
            segments.get(ups).filter(|name| is_room(name)).cloned()
        }
        _ => None,
    }
}

/// Returns each room with those it may import, the words of the table resolved.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let name = |number: usize| MAY_IMPORT[number - 1].0;
    let above = |room: &str| -> Vec<&'static str> {
        MAY_IMPORT.iter().map(|(other, _)| *other).take_while(|other| *other != room).collect()
    };
    let resolve = |room: &str, word: &'static str| -> Vec<&'static str> {
        if ["types of the rooms above", "all but cli", "all"].contains(&word) {
            return above(room);
        }
        let word = word.trim_start_matches("types of ").trim_end_matches(" types");
        if let Some((first, last)) = word.split_once('–') {
            (first.parse().unwrap()..=last.parse().unwrap()).map(name).collect()
        } else if let Some((one, other)) = word.split_once(" and ") {
            vec![name(one.parse().unwrap()), name(other.parse().unwrap())]
        } else {
            assert!(MAY_IMPORT.iter().any(|(room, _)| *room == word), "no room `{word}`");
            vec![word]
        }
    };
    MAY_IMPORT
        .iter()
        .map(|(room, words)| (*room, words.iter().flat_map(|word| resolve(room, word)).collect()))
        .collect()
}

/// Returns every path of two segments or more, and each single segment of a `use`; groups in braces are taken apart.
fn paths_in(code: &str) -> Vec<PathSegments> {
    let tokens = tokens(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let in_use = tokens[at] == "use";
        if in_use {
            at += 1;
        }
        while tokens.get(at).is_some_and(|token| token == "::") {
            at += 1;
        }
        if at < tokens.len() && is_word(&tokens[at]) {
            let before = paths.len();
            at = read_path(&tokens, at, &[], &mut paths);
            if !in_use {
                let alone = |path: &PathSegments| path.len() < 2;
                while paths.len() > before && paths.last().is_some_and(alone) {
                    paths.pop();
                }
            }
        } else {
            at += 1;
        }
    }
    paths
}

/// Reads the path, or the tree of paths, that begins at `at`; gives the place behind it.
fn read_path(tokens: &[String], mut at: usize, prefix: &[String], paths: &mut Vec<PathSegments>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while at < tokens.len() && tokens[at] != "}" {
                    let next = read_path(tokens, at, &path, paths);
                    at = next.max(at + 1);
                }
                return at + 1;
            }
            Some(word) if is_word(word) => {
                path.push(word.to_owned());
                at += 1;
            }
            _ => break,
        }
        if tokens.get(at).is_some_and(|token| token == "::") {
            at += 1;
        } else {
            break;
        }
    }
    if path.len() > prefix.len() {
        paths.push(path);
    }
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Splits code into words, `::`, and single signs.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let length = if is_word(rest) {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            c.len_utf8()
        };
        if !c.is_whitespace() {
            tokens.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    tokens
}

/// Blanks out comments, texts and characters, in which `crate::cli` means nothing.
fn without_comments_and_text(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw_text_length(rest)
        } else if c == '"' {
            quoted_length(rest)
        } else if c == '\'' {
            character_length(rest)
        } else {
            0
        };
        if skipped > 0 {
            out.push(' ');
            rest = &rest[skipped..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn quoted_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_text_length(rest: &str) -> usize {
    let hashes = rest[1..].bytes().take_while(|&byte| byte == b'#').count();
    let body = 1 + hashes + 1;
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    rest[body..].find(&close).map_or(rest.len(), |at| body + at + close.len())
}

/// Returns the length of a character in quotes, or 0 for a lifetime.
fn character_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let after = at + escaped.len_utf8();
            rest[after..].find('\'').map_or(0, |end| after + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Returns every source file with its room and its path from the root.
fn sources() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_owned();
                let room = path.components().nth(1).unwrap().as_os_str().to_string_lossy();
                let room = room.trim_end_matches(".rs").to_owned();
                if room != "lib" {
                    found.push((room, path, text));
                }
            }
        }
    }
    assert!(found.len() > 30, "the sources are not where they are looked for");
    found
}

fn room_path(room: &str) -> Option<PathBuf> {
    let source = root().join("src");
    [source.join(room), source.join(format!("{room}.rs"))].into_iter().find(|path| path.exists())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
