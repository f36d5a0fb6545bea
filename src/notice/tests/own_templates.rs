//! Templates of one's own are taken, and their mistakes are told before anything is written.

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn told(files: &[(&str, &str)]) -> String {
    Templates::load(Some(folder(files).path())).unwrap_err().to_string()
}

#[test]
fn the_built_in_ones_may_be_given_as_one_s_own() {
    let dir = folder(Templates::built_in());
    let own = Templates::load(Some(dir.path())).unwrap();
    let notice = sample::notice(Form::Japan, true);
    let formats = [Format::Html, Format::Pdf];
    assert_eq!(files(&notice, &own, &formats).unwrap(), files(&notice, &built_in(), &formats).unwrap());
}

#[test]
fn own_wording_goes_into_every_format() {
    let text = "title = \"A letter\"\n[[section]]\n[[section.block]]\ntext = \"Dear {{ provider.name }}\"\n";
    let own = Templates::load(Some(folder(&[("dmca.toml", text)]).path())).unwrap();
    let notice = sample::notice(Form::Dmca, true);
    let files = files(&notice, &own, &[Format::Html, Format::Pdf, Format::Docx]).unwrap();
    let html = files.iter().find(|file| file.format == Format::Html).unwrap();
    assert!(String::from_utf8_lossy(&html.bytes).contains("Dear Provider Ltd"));
    assert_eq!(files.len(), 3);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let block = |block: &str| format!("title = \"T\"\n[[section]]\n[[section.block]]\n{block}\n");
    let cases = [
        ("dmca.toml", block("text = \"{{ provider.nmae }}\""), "dmca.toml: section 1, block 1"),
        ("dmca.toml", block("text = \"{{ provider.name \""), "syntax error"),
        ("dsa.toml", block("text = \"a\"\nheading = \"b\""), "a block is one of"),
        ("dsa.toml", block("text = \"a\"\nwhen = \"agnet\""), "`agnet` is not known"),
        (
            "ncac.toml",
            block("columns = [[\"a\", 1]]\ncells = []\neach = \"annex\""),
            "1 columns, but 0 cells",
        ),
        ("ncac.toml", block("fields = [[\"only a name\"]]"), "a field is [name, value]"),
        ("ncac.toml", "title = 1\n".to_owned(), "ncac.toml"),
        ("ncac.toml", block("txet = \"a\""), "txet"),
        ("page.html", "{{ no_such_thing }}".to_owned(), "page.html"),
        ("page.typ", "#no-such-thing".to_owned(), "page.typ"),
        ("page.typ", "#read(\"/etc/passwd\")".to_owned(), "page.typ"),
        ("page.typ", "#set text(font: \"No Such Font\")\na".to_owned(), "page.typ"),
        ("nccac.toml", "title = \"T\"\nsection = []\n".to_owned(), "is no template"),
    ];
    for (name, text, expected) in cases {
        let told = told(&[(name, &text)]);
        assert!(told.contains(expected), "{text}\n→ {told}");
    }
}

#[test]
fn what_is_no_template_is_left_alone() {
    assert!(Templates::load(Some(folder(&[("README.md", "x"), ("logo.png", "x")]).path())).is_ok());
    let nowhere = std::path::Path::new("/nonexistent/templates");
    assert!(Templates::load(Some(nowhere)).unwrap_err().to_string().contains("/nonexistent/templates"));
}
