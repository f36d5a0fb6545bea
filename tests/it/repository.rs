//! What the repository promises beside the code: dependencies that are used, files that are there.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of all Rust sources under `folder`.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn every_dependency_is_used() {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let product = sources(&root().join("src"));
    let others = ["tests", "examples", "benches"].map(|folder| sources(&root().join(folder)));
    let all = [product.clone(), others.concat()].concat();
    let linux = manifest["target"].as_table().unwrap().values();
    let product_tables = linux.map(|target| &target["dependencies"]).chain([&manifest["dependencies"]]);
    let tables = product_tables.map(|table| (table, &product)).chain([(&manifest["dev-dependencies"], &all)]);
    for (table, text) in tables {
        for name in table.as_table().unwrap().keys() {
            let path = name.replace('-', "_");
            let used = [format!("{path}::"), format!("use {path}")].iter().any(|form| text.contains(form));
            assert!(used, "no source names the dependency `{name}`; take it out of Cargo.toml");
        }
    }
}

#[test]
fn relative_links_of_the_documents_lead_somewhere() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/evidence.md",
        "docs/formats.md",
        "fingerprints/FORMAT.md",
        "fingerprints/store.md",
    ] {
        let file = root().join(document);
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{document}: {error}"));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            let target = link.split('#').next().unwrap();
            assert!(file.parent().unwrap().join(target).exists(), "{document} links to {link}");
        }
    }
}
