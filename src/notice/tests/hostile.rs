//! Text from outside that tries to break a page, a line, a font or a format.

use proptest::prelude::*;

use super::*;

/// The tags of a page, in order.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
}

fn html(form: Form, text: &str) -> String {
    let files = files(&sample::filled(form, text), &built_in(), &[Format::Html]).unwrap();
    String::from_utf8(files[0].bytes.clone()).unwrap()
}

/// What titles and page titles are known to hold.
const HARD: [&str; 9] = [
    "夜明けの駅・東京之夜／東京之夜",
    "한국어 제목 – Żółć – Ångström – Tiếng Việt",
    "🎵🔥👨‍👩‍👧 free 🇯🇵 mp3 ①②③ ℗",
    "שלום مرحبا \u{202E}3pm.exe",
    "𠮷野家 𝕬𝖗𝖙 \u{1F3FB}",
    "Zalgo Z\u{0310}\u{0311}\u{0312}\u{0313}\u{0314}\u{0315}a\u{0300}\u{0301}",
    "\u{FFFE}\u{FFFF}\u{0}\u{7F}\u{85}",
    "#let x = 1; $ #read(\"/etc/passwd\") *bold* _it_ @ref <label> // \\ [a](b)",
    "{{ 7 * 7 }} {% for %} </td></tr></table><script>alert(1)</script>",
];

#[test]
fn hard_text_is_written_in_every_format() {
    let templates = built_in();
    for text in HARD {
        for form in [Form::Ncac, Form::Japan, Form::Dmca] {
            files(&sample::filled(form, text), &templates, form.formats())
                .unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }
}

#[test]
fn endless_titles_are_written() {
    let templates = built_in();
    for text in ["長".repeat(10_000), "x".repeat(10_000), "a\u{301}".repeat(5_000), "word ".repeat(2_000)] {
        let notice = sample::filled(Form::Ncac, &text);
        files(&notice, &templates, Form::Ncac.formats()).unwrap();
    }
}

#[test]
fn what_the_machine_s_xml_reader_refuses_is_not_in_messages() {
    for text in HARD {
        for file in files(&sample::filled(Form::Acns, text), &built_in(), &[Format::Xml]).unwrap() {
            let mut reader = quick_xml::Reader::from_reader(file.bytes.as_slice());
            reader.config_mut().check_end_names = true;
            let mut buffer = Vec::new();
            loop {
                match reader.read_event_into(&mut buffer) {
                    Ok(quick_xml::events::Event::Eof) => break,
                    Ok(_) => buffer.clear(),
                    Err(error) => panic!("{text}: {error}"),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_text_adds_or_removes_markup(text in "[<>\"'&/a{}%=!-]{1,20}") {
        let plain = html(Form::Ncac, "x");
        let hostile = html(Form::Ncac, &text);
        prop_assert_eq!(tags(&hostile), tags(&plain));
        prop_assert_eq!(hostile.matches('"').count(), plain.matches('"').count());
    }

    #[test]
    fn any_text_is_laid_out(text in "\\PC{0,40}") {
        let templates = built_in();
        files(&sample::filled(Form::Dsa, &text), &templates, &[Format::Pdf, Format::Docx, Format::Xlsx]).unwrap();
    }
}
