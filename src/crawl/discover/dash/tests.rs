#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::crawl::discover::{Discovered, discover};

fn read(manifest: &str) -> Discovered {
    let url = Url::parse("http://a.example/d/m.mpd").unwrap();
    discover(&url, Some("application/dash+xml"), manifest.as_bytes())
}

fn segments(manifest: &str) -> (Vec<Segment>, Option<String>, bool) {
    match read(manifest).stream {
        Some(Stream::Segments { segments, encrypted, ended, .. }) => (segments, encrypted, ended),
        other => panic!("{other:?}"),
    }
}

fn paths(segments: &[Segment]) -> Vec<&str> {
    segments.iter().map(|segment| segment.url.path()).collect()
}

/// A period of one audio set with what is given inside its representation.
fn manifest(attributes: &str, inside: &str) -> String {
    format!(
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' {attributes}><Period><AdaptationSet contentType='audio'>\
         <Representation id='a' bandwidth='64000'>{inside}</Representation></AdaptationSet></Period></MPD>"
    )
}

#[test]
fn a_template_with_numbers() {
    let (segments, encrypted, ended) = segments(
        r#"<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT5.5S" maxSegmentDuration="PT2S"><BaseURL>media/</BaseURL>
        <Period><BaseURL>p1/</BaseURL>
        <AdaptationSet mimeType="video/mp4" codecs="avc1.4d"><Representation id="v" bandwidth="9000000"><BaseURL>v.mp4</BaseURL></Representation></AdaptationSet>
        <AdaptationSet mimeType="audio/mp4"><SegmentTemplate timescale="1000" duration="2000" startNumber="0" media="$RepresentationID$/$Number%03d$.m4s" initialization="$RepresentationID$/init&#46;mp4"/>
        <Representation id="hi" bandwidth="320000"/><Representation id="lo" bandwidth="64000"/><Representation id="absurd" bandwidth="9"/></AdaptationSet>
        </Period></MPD>"#,
    );
    let wanted = ["init.mp4", "000.m4s", "001.m4s", "002.m4s"].map(|name| format!("/d/media/p1/lo/{name}"));
    assert_eq!(paths(&segments), wanted);
    assert_eq!((segments[0].is_init, segments[1].is_init, segments[3].number), (true, false, 2));
    assert_eq!(segments[1].duration_s, Some(2.0));
    assert_eq!((encrypted, ended), (None, true));
}

#[test]
fn a_template_with_times() {
    let (segments, ..) = segments(&manifest(
        "mediaPresentationDuration='PT10S'",
        "<SegmentTemplate timescale='1' presentationTimeOffset='100' media='$Time$.m4s?b=$Bandwidth$'><SegmentTimeline><S t='100' d='3' r='-1'/></SegmentTimeline></SegmentTemplate>",
    ));
    assert_eq!(paths(&segments), ["/d/100.m4s", "/d/103.m4s", "/d/106.m4s", "/d/109.m4s"]);
    assert_eq!(segments[0].url.query(), Some("b=64000"));
}

#[test]
fn lists_and_single_resources() {
    let list = "<SegmentList timescale='10' duration='25'><Initialization sourceURL='i.mp4' range='0-99'/><SegmentURL media='1.m4s'/>\
                <SegmentURL mediaRange='100-199'/><SegmentURL media='3.m4s' mediaRange='9-1'/></SegmentList>";
    let (listed, ..) = segments(&manifest("", &format!("<BaseURL>all.mp4</BaseURL>{list}")));
    assert_eq!(paths(&listed), ["/d/i.mp4", "/d/1.m4s", "/d/all.mp4", "/d/3.m4s"]);
    let ranges: Vec<_> = listed.iter().map(|segment| segment.range).collect();
    assert_eq!(ranges, [Some((0, 100)), None, Some((100, 100)), None]);
    assert_eq!((listed[1].duration_s, listed[2].number), (Some(2.5), 2));
    for inside in [
        "<BaseURL>https://b.example/x.m4a</BaseURL>",
        "<BaseURL>https://b.example/x.m4a</BaseURL><SegmentBase indexRange='1-2'><Initialization range='0-1'/></SegmentBase>",
    ] {
        let (whole, ..) = segments(&manifest("", inside));
        assert_eq!(
            (whole.len(), whole[0].url.as_str(), whole[0].range),
            (1, "https://b.example/x.m4a", None)
        );
    }
}

#[test]
fn periods_follow_one_another() {
    let period = |id: &str, attributes: &str| {
        format!(
            "<Period {attributes}><AdaptationSet mimeType='audio/mp4'><SegmentTemplate duration='4' media='{id}$Number$' initialization='init'/>\
             <Representation id='r'/></AdaptationSet></Period>"
        )
    };
    let (joined, ..) = segments(&format!(
        "<MPD mediaPresentationDuration='PT14S'>{}{}{}</MPD>",
        period("a", "duration='PT8S'"),
        period("b", "start='PT8S'"),
        period("c", "start='PT0H0M12S'")
    ));
    assert_eq!(paths(&joined), ["/d/init", "/d/a1", "/d/a2", "/d/b1", "/d/c1"]);
    let breaks: Vec<_> = joined.iter().map(|segment| segment.discontinuity).collect();
    assert_eq!(breaks, [false, false, false, true, true]);
}

#[test]
fn protection_is_named_and_passed_by() {
    let set = |name: &str, protection: &str| {
        format!(
            "<AdaptationSet mimeType='audio/mp4'>{protection}<Representation id='x'><BaseURL>{name}</BaseURL></Representation></AdaptationSet>"
        )
    };
    let widevine = "<ContentProtection schemeIdUri='urn:mpeg:dash:mp4protection:2011' value='cenc'/>\
                    <ContentProtection schemeIdUri='urn:uuid:EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED'/><ContentProtection schemeIdUri='urn:other'/>";
    let all = format!("<MPD><Period>{}</Period></MPD>", set("1", widevine));
    assert_eq!(segments(&all).1.as_deref(), Some("cenc (Widevine, urn:other)"));
    let some = format!("<MPD><Period>{}{}</Period></MPD>", set("1", widevine), set("2", ""));
    let (open, encrypted, _) = segments(&some);
    assert_eq!((paths(&open), encrypted), (vec!["/d/2"], None));
}

#[test]
fn live_streams_have_a_window() {
    let live = "type='dynamic' minimumUpdatePeriod='PT2S' availabilityStartTime='2026-01-01T00:00:00Z'";
    let numbers = "<SegmentTemplate duration='2' media='$Number$'/>";
    let with_time = manifest(&format!("{live} publishTime='2026-01-01T01:00:01Z'"), numbers);
    let (window, _, ended) = segments(&with_time);
    assert_eq!((window.len(), ended), (LIVE_SEGMENTS_MAX, false));
    assert_eq!((window[0].number, window.last().unwrap().number), (1201, 1800));
    let without = read(&manifest(live, numbers));
    assert_eq!((without.stream, without.problems.len()), (None, 1));
    let timeline = "<SegmentTemplate media='$Time$' initialization='i'><SegmentTimeline><S t='7' d='1' r='999'/></SegmentTimeline></SegmentTemplate>";
    let (window, ..) = segments(&manifest(live, timeline));
    assert_eq!(
        (window.len(), window[0].url.path(), window[1].url.path()),
        (LIVE_SEGMENTS_MAX, "/d/i", "/d/408")
    );
}

#[test]
fn nothing_leads_in_a_circle_or_on_without_end() {
    let itself = read(&manifest("", "<BaseURL>m.mpd</BaseURL>"));
    assert_eq!((itself.stream, itself.problems.len()), (None, 1));
    let endless = manifest(
        "mediaPresentationDuration='PT99999999H'",
        "<SegmentTemplate duration='1' media='$Number$'/>",
    );
    assert_eq!(segments(&endless).0.len(), SEGMENTS_MAX);
    let many = "<SegmentURL media='x'/>".repeat(60_000);
    assert!(segments(&manifest("", &format!("<SegmentList>{many}</SegmentList>"))).0.len() <= SEGMENTS_MAX);
    let deep = format!("<MPD>{}", "<Period>".repeat(100_000));
    assert_eq!(read(&deep).problems.len(), 1);
}

#[test]
fn durations() {
    for (text, wanted) in [
        ("PT1H2M3.5S", Some(3723.5)),
        ("P1DT1S", Some(86_401.0)),
        ("PT0S", Some(0.0)),
        ("P1M", None),
        ("1S", None),
        ("PT1é", None),
        ("PTS", None),
        ("PT5", None),
    ] {
        assert_eq!(seconds(text), wanted, "{text}");
    }
}

proptest! {
    #[test]
    fn any_manifest_is_read(
        elements in "(<(Period|AdaptationSet|Representation|SegmentTemplate|SegmentTimeline|SegmentList|BaseURL|S|SegmentURL|Initialization|ContentProtection)( (duration|timescale|startNumber|endNumber|media|initialization|start|d|r|t|n|bandwidth|contentType|range|mediaRange|presentationTimeOffset)='(-1|0|1|9|18446744073709551615|audio|PT9S|PT1e9H|\\$Number\\$|\\$Time%09d\\$|m.mpd|0-9)'){0,4}/?>|</(Period|AdaptationSet|BaseURL|SegmentTemplate)>|x/|&amp;){0,40}",
        kind in "(static|dynamic)",
    ) {
        let found = read(&format!("<MPD type='{kind}' mediaPresentationDuration='PT20S' publishTime='2026-01-01T01:00:00Z' availabilityStartTime='2026-01-01T00:00:00Z'>{elements}"));
        if let Some(Stream::Segments { segments, .. }) = found.stream {
            prop_assert!(!segments.is_empty() && segments.len() <= SEGMENTS_MAX);
            for segment in segments {
                prop_assert!(segment.range.is_none_or(|(first, count)| count > 0 && first.checked_add(count).is_some()));
                prop_assert!(segment.url.as_str() != "http://a.example/d/m.mpd");
            }
        }
    }

    #[test]
    fn any_bytes_behind_mpd_are_read(bytes: Vec<u8>) {
        let document = [b"<MPD>", &bytes[..]].concat();
        let _ = discover(&Url::parse("http://a.example/d/m.mpd").unwrap(), None, &document);
    }
}
