//! The configuration file, and outside text on its way into messages and notices. Input: a byte that selects the
//! parser, its text.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use earwitness::config::Settings;
use earwitness::crawl::Plan;
use earwitness::net::Guard;
use earwitness::notice::fuzzing::written;
use earwitness::notice::{Form, Format, inert};
use earwitness_fuzz::{count, selected};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((selector, bytes)) = selected(data) else { return };
    let text = String::from_utf8_lossy(bytes);
    match selector % 4 {
        0 | 1 => settings(&text),
        2 => made_inert(&text),
        _ => rendered(&text),
    }
});

fn settings(text: &str) {
    count("configuration");
    let path = Path::new("earwitness.toml");
    let settings = match Settings::parse(text, path) {
        Ok(settings) => settings,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    count("configuration, taken");
    let _ = Guard::new(&settings.fetch);
    for (name, site) in &settings.sites {
        let _ = Plan::for_site(name, site);
    }
    // A number beyond TOML's range cannot be written.
    let Ok(written) = toml::to_string(&settings) else { return };
    let again = Settings::parse(&written, path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(toml::to_string(&again).as_ref(), Ok(&written));
}

fn made_inert(text: &str) {
    count("inert text");
    let shown = inert(text);
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!shown.contains(steers), "{shown:?}");
    assert_eq!(inert(&shown), shown);
    assert!(shown.len() <= text.len() * 12);
}

/// The page with a harmless text in all places.
static PLAIN: LazyLock<String> = LazyLock::new(|| page("x"));

fn page(text: &str) -> String {
    let bytes = written(Form::Ncac, Format::Html, text).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn rendered(text: &str) {
    // What is empty leaves out lines that the page has otherwise.
    if text.len() > 2000 || inert(text).trim().is_empty() {
        return;
    }
    count("rendered notice");
    let page = page(text);
    assert_eq!(tags(&page), tags(&PLAIN), "{text:?}");
    assert_eq!(page.matches('"').count(), PLAIN.matches('"').count(), "{text:?}");
    let message = written(Form::Acns, Format::Xml, text).unwrap();
    assert!(!message.contains(&0), "{text:?}");
}

fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap_or_default()).collect()
}
