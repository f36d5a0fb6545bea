//! The tags of two files side by side, and when they become a claim.

use proptest::prelude::*;

use super::super::spelling::spelt;
use super::super::{
    Caveat, Comparison, CopyHeard, Field, FieldOutcome, Match, Sign, compare, load_file, state_information,
};
use super::*;
use crate::base::{Cover, MediaTags, TagScheme};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn own_tags() -> MediaTags {
    MediaTags {
        scheme: Some(TagScheme::Id3),
        isrc: text("JP-AB0-17-00001"),
        title: text("東京の夜"),
        p_line: text("℗ 2017 House"),
        label: text("House"),
        cover: Cover::of(b"cover"),
        ..MediaTags::default()
    }
}

/// The recording as it is, from the start of a file of 100 s to its end.
fn whole() -> Match {
    Match {
        query_start_s: 0.0,
        query_end_s: 100.0,
        speed: 1.0,
        tempo: 1.0,
        pitch_semitones: 0.0,
        ..found(-40.0)
    }
}

fn copy_of<'a>(tags: &'a MediaTags, matches: &'a [Match]) -> CopyHeard<'a> {
    CopyHeard { tags, duration_s: 100.0, matches, has_others: false, names_another: false }
}

fn compared(own: &MediaTags, copy: &MediaTags) -> Comparison {
    compare(own, &copy_of(copy, &[whole()]))
}

fn outcome(comparison: &Comparison, field: Field) -> Option<FieldOutcome> {
    comparison.fields.iter().find(|one| one.field == field).map(|one| one.outcome)
}

#[test]
fn every_outcome_is_told_and_spelling_does_not_count() {
    let copy = MediaTags {
        isrc: text("ＪＰＡＢ０１７０００ ０１"),
        title: text("東京の\u{200B}夜  "),
        p_line: text("(P) 2017  HOUSE"),
        label: text("Other"),
        artist: text("Hikari"),
        cover: None,
        ..own_tags()
    };
    let told = compared(&own_tags(), &copy);
    for field in [Field::Isrc, Field::Title, Field::PLine] {
        assert_eq!(outcome(&told, field), Some(FieldOutcome::Kept), "{field:?}");
    }
    assert_eq!(outcome(&told, Field::Label), Some(FieldOutcome::Altered));
    assert_eq!(outcome(&told, Field::Artist), Some(FieldOutcome::NotInReference));
    assert_eq!(outcome(&told, Field::Cover), Some(FieldOutcome::Removed));
    assert_eq!(outcome(&told, Field::Upc), None);
    // What a person can explain is weak, and a picture or a title alone is nothing.
    assert_eq!(told.sign(), Sign::Weak);
    let shown = MediaTags { title: text("other"), cover: None, ..own_tags() };
    assert_eq!(compared(&own_tags(), &shown).sign(), Sign::None);
    let identifiers = [("ISRC JP-AB0-17-00001", "jpab01700001"), ("〇", "〇")];
    for (one, other) in identifiers {
        assert_eq!(spelt(Field::Isrc, one), spelt(Field::Isrc, other));
    }
    assert_eq!(spelt(Field::Upc, "0 12345-678905"), spelt(Field::Upc, "12345678905"));
    assert_eq!(
        spelt(Field::RightsUrl, "https://Label.example/"),
        spelt(Field::RightsUrl, "http://label.example")
    );
}

#[test]
fn an_identity_that_was_altered_or_lost_among_others_is_a_strong_sign() {
    let altered = MediaTags { isrc: text("QZABC1900001"), ..own_tags() };
    assert_eq!(compared(&own_tags(), &altered).sign(), Sign::Strong);
    let lost = MediaTags { isrc: None, p_line: None, ..own_tags() };
    assert_eq!(compared(&own_tags(), &lost).sign(), Sign::Strong);
    assert_eq!(compared(&own_tags(), &own_tags()).sign(), Sign::None);
    // A platform's transcode, and a converter that has no place for a field: a person must know more.
    let bare = MediaTags { scheme: Some(TagScheme::Id3), ..MediaTags::default() };
    let told = compared(&own_tags(), &bare);
    assert_eq!((told.caveats.as_slice(), told.sign()), (&[Caveat::BareCopy][..], Sign::Weak));
    let converted = MediaTags { scheme: Some(TagScheme::Mp4), isrc: None, ..own_tags() };
    assert_eq!(compared(&own_tags(), &converted).sign(), Sign::Weak);
    // A licensee's line is another one, and the owner of a file may be who bought it.
    for changed in [
        MediaTags { p_line: text("℗ 2017 House, under licence to Other"), ..own_tags() },
        MediaTags { owner: text("A. Buyer"), label: text("Other"), ..own_tags() },
    ] {
        let own = MediaTags { owner: text("House"), ..own_tags() };
        assert_eq!(compared(&own, &changed).sign(), Sign::Weak);
    }
    let renamed = MediaTags { scheme: Some(TagScheme::Mp4), isrc: text("QZABC1900001"), ..own_tags() };
    assert_eq!(compared(&own_tags(), &renamed).sign(), Sign::Strong);
}

#[test]
fn what_cannot_be_read_and_what_is_no_copy_of_the_file_gives_no_ground() {
    let altered = MediaTags { isrc: text("QZABC1900001"), p_line: None, ..own_tags() };
    for tags in
        [MediaTags { scheme: None, ..altered.clone() }, MediaTags { is_partly_read: true, ..altered.clone() }]
    {
        let told = compared(&own_tags(), &tags);
        assert_eq!((told.sign(), outcome(&told, Field::PLine)), (Sign::None, Some(FieldOutcome::Unknown)));
    }
    let sign = |copy: CopyHeard<'_>| compare(&own_tags(), &copy).sign();
    let (one, matches) = (whole(), [whole()]);
    let base = copy_of(&altered, &matches);
    assert_eq!(sign(base), Sign::Strong);
    assert_eq!(sign(CopyHeard { has_others: true, ..base }), Sign::None);
    assert_eq!(sign(CopyHeard { names_another: true, ..base }), Sign::None);
    assert_eq!(sign(CopyHeard { duration_s: 126.0, ..base }), Sign::None);
    for changed in [
        Match { speed: 1.25, ..one.clone() },
        Match { tempo: 0.9, ..one.clone() },
        Match { pitch_semitones: 1.0, ..one.clone() },
        Match { channel: crate::base::ChannelView::Side, ..one.clone() },
    ] {
        assert_eq!(sign(CopyHeard { matches: &[changed], ..base }), Sign::None);
    }
    // The same stretch twice is not twice as much of the file.
    let half = Match { query_end_s: 50.0, ..one };
    assert_eq!(sign(CopyHeard { matches: &[half.clone(), half], ..base }), Sign::None);
    // A reference that says nothing, and one whose file was never asked.
    assert_eq!(compared(&MediaTags::default(), &altered).sign(), Sign::None);
}

#[test]
fn a_claim_needs_the_owner_s_word_and_a_sure_verdict_or_a_person() {
    let mut case = approved(at("2026-03-01T10:00:00Z")).case;
    let strong = compared(&own_tags(), &MediaTags { isrc: text("QZABC1900001"), ..own_tags() });
    let weak = compared(&own_tags(), &MediaTags { label: None, ..own_tags() });
    let none = compared(&own_tags(), &own_tags());
    assert!(case.claims_information(&strong, true) && !case.claims_information(&weak, true));
    assert!(!case.claims_information(&strong, false) && !case.claims_information(&none, true));

    let by = (at("2026-03-02T10:00:00Z"), "Ann");
    let entries = case.history.len();
    assert!(state_information(&mut case, Some(&none), by, true).is_err());
    assert!(state_information(&mut case, None, by, true).is_err());
    assert_eq!((case.states_information, case.history.len()), (None, entries));
    state_information(&mut case, Some(&weak), by, true).unwrap();
    assert!(case.claims_information(&weak, true) && !case.claims_information(&weak, false));
    assert_eq!(case.history.len(), entries + 1);
    state_information(&mut case, Some(&strong), by, false).unwrap();
    assert!(!case.claims_information(&strong, true));

    case.states_information = None;
    case.verdict.decision = Decision::Undetermined;
    assert!(!case.claims_information(&strong, true), "an open verdict claims nothing by itself");
}

#[test]
fn the_comparison_is_kept_with_the_case_as_it_was_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::Store::open(&folder.path().join("store")).unwrap();
    let now = at("2026-03-01T10:00:00Z");
    let (seen, verdict) = (sighting(URL, PROVIDER, b"bytes", now), verdict(Decision::Unlicensed, now));
    let first = compared(&own_tags(), &MediaTags { isrc: None, ..own_tags() });
    let later = compared(&own_tags(), &own_tags());
    let file = |information| {
        let input = CaseInput {
            sighting: &seen,
            matches: &[found(-40.0)],
            verdict: &verdict,
            recording: &recording(),
            information,
        };
        let id = queue(&store, now, input).unwrap().case_id().unwrap().to_owned();
        load_file(&store, find(&store, &id).unwrap()).unwrap().information
    };
    assert_eq!(file(None), None);
    for input in [Some(&first), Some(&later), None] {
        assert_eq!(file(input).as_ref(), Some(&first));
    }
}

fn any_tags() -> impl Strategy<Value = MediaTags> {
    let line = || proptest::option::of("[ -~ａ-ｚ℗©]{0,300}");
    let scheme = proptest::option::of(proptest::sample::select(vec![TagScheme::Id3, TagScheme::Mp4]));
    (scheme, any::<bool>(), line(), line(), line(), line()).prop_map(
        |(scheme, is_partly_read, isrc, p_line, label, title)| MediaTags {
            scheme,
            is_partly_read,
            isrc,
            p_line,
            label,
            title,
            ..MediaTags::default()
        },
    )
}

proptest! {
    #[test]
    fn a_file_beside_itself_shows_no_change(tags in any_tags()) {
        let told = compared(&tags, &tags);
        prop_assert!(told.fields.iter().all(|one| one.outcome == FieldOutcome::Kept));
        prop_assert_eq!(told.sign(), Sign::None);
    }

    #[test]
    fn nothing_is_stated_of_what_the_owner_s_file_does_not_say(own in any_tags(), copy in any_tags()) {
        let told = compared(&own, &copy);
        for one in told.fields.iter().filter(|one| one.is_changed()) {
            prop_assert!(one.reference.is_some());
            prop_assert_eq!(one.copy.is_some(), one.outcome == FieldOutcome::Altered);
        }
        let is_read = copy.scheme.is_some() && !copy.is_partly_read;
        prop_assert!(is_read || told.sign() == Sign::None);
        // A record of the store takes 64 KiB.
        prop_assert!(serde_json::to_vec(&told).unwrap().len() < 32 << 10);
        let back: Comparison = serde_json::from_str(&serde_json::to_string(&told).unwrap()).unwrap();
        prop_assert_eq!(back, told);
    }

    #[test]
    fn spelling_once_is_enough(line in any::<String>()) {
        for field in Field::ALL {
            let once = spelt(field, &line);
            prop_assert_eq!(spelt(field, &once), once.clone(), "{:?} {:?}", field, line);
        }
    }
}
