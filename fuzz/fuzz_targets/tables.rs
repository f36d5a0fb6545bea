//! Tables of recordings and of licences, and the identifiers, dates and territories in them. Input: a byte that
//! selects the parser, its bytes.
#![no_main]

use std::collections::BTreeSet;

use earwitness::base::{Digest, RecordingId, Timestamp, encoding_by_name};
use earwitness::catalog::identifiers::{isrc, iswc, upc};
use earwitness::catalog::import::{Filter, Options, parse};
use earwitness::rights::{LicenceGraph, Territories, Territory, conflicts, parse_csv};
use earwitness_fuzz::{count, selected};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((selector, bytes)) = selected(data) else { return };
    match selector % 8 {
        0 => recordings(bytes, &Options::default()),
        1 => recordings(bytes, &Options { delimiter: Some(b'\t'), ..Options::default() }),
        2 => recordings(bytes, &Options { encoding: encoding_by_name("cp936"), ..Options::default() }),
        3 => {
            let filter = Filter { column: "label".to_owned(), value: "L".to_owned() };
            recordings(bytes, &Options { filters: vec![filter], ..Options::default() });
        }
        4 | 5 => licences(bytes),
        6 => territories(&String::from_utf8_lossy(bytes)),
        _ => identifiers(&String::from_utf8_lossy(bytes)),
    }
});

fn recordings(bytes: &[u8], options: &Options) {
    count("table of recordings");
    let table = parse(bytes, options);
    if !table.rows.is_empty() {
        count("table of recordings, some rows good");
    }
    assert!(table.problems.len() <= 1001);
    assert!(table.problems.iter().all(|problem| problem.message.len() <= 4000), "{:?}", table.problems);
    let ids: BTreeSet<&RecordingId> = table.rows.iter().map(|row| &row.recording.recording_id).collect();
    assert_eq!(ids.len(), table.rows.len(), "each identifier once");
    for row in &table.rows {
        let recording = &row.recording;
        assert!(!recording.title.is_empty() && !recording.title.chars().any(char::is_control));
        assert!(row.duration_s.is_none_or(|seconds| (0.0..=604_800.0).contains(&seconds)));
        for (code, check) in
            [(&recording.isrc, isrc as fn(&str) -> _), (&recording.iswc, iswc), (&recording.upc, upc)]
        {
            assert!(code.as_ref().is_none_or(|code| check(code).as_ref() == Ok(code)), "{code:?}");
        }
    }
}

fn licences(bytes: &[u8]) {
    count("table of licences");
    let parsed = parse_csv(bytes, &TimeZone::UTC, Timestamp::UNIX_EPOCH);
    if !parsed.rows.is_empty() {
        count("table of licences, some rows good");
    }
    assert!(parsed.problems.iter().all(|problem| problem.message.len() <= 4000), "{:?}", parsed.problems);
    for row in &parsed.rows {
        let licence = &row.licence;
        assert!(!licence.licence_id.is_empty() && !licence.licensee.is_empty() && !licence.rights.is_empty());
        let json = serde_json::to_vec(licence).unwrap();
        assert_eq!(serde_json::from_slice::<earwitness::rights::Licence>(&json).as_ref().ok(), Some(licence));
    }
    if parsed.rows.len() <= 40 {
        let graph = LicenceGraph::new(parsed.rows.into_iter().map(|row| row.licence));
        let _ = conflicts(&graph);
    }
}

fn territories(text: &str) {
    count("territories");
    let Ok(territories) = text.parse::<Territories>() else { return };
    let written = territories.to_string();
    assert_eq!(written.parse::<Territories>().as_ref(), Ok(&territories), "{written}");
    let _ = text.parse::<Territory>().map(|territory| territories.contains(territory));
    assert!(territories.is_within(&Territories::WORLDWIDE) && territories.is_within(&territories));
}

fn identifiers(text: &str) {
    count("identifiers");
    for read in [isrc, iswc, upc] {
        if let Ok(code) = read(text) {
            assert_eq!(read(&code).as_ref(), Ok(&code), "{text:?}");
        }
    }
    if let Ok(id) = RecordingId::new(text) {
        assert_eq!(RecordingId::new(id.as_str()).ok(), Some(id));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text.to_ascii_lowercase());
    }
}
