#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn parse_text(text: &str) -> Table {
    parse(text.as_bytes(), &Options::default())
}

#[test]
fn a_mark_that_is_never_closed_swallows_no_good_rows() {
    let table = parse_text("recording_id,note\na,\"x\nb,y\nc,z\n");
    let ids: Vec<&str> = table.rows.iter().map(|row| row.recording.recording_id.as_str()).collect();
    assert_eq!(ids, ["b", "c"]);
    assert_eq!((table.problems[0].line, table.bad_rows), (2, 1));
    // A note of two lines is none of that.
    let table = parse_text("recording_id,note\na,\"x\ny\"\nb,\n");
    assert_eq!((table.rows.len(), table.bad_rows, table.rows[1].line), (2, 0, 4));
}

#[test]
fn rows_name_their_audio_and_length() {
    let table = parse_text("file,duration,title\ntracks/夜.flac,1:02,\n");
    let row = &table.rows[0];
    assert_eq!(row.recording.recording_id.as_str(), "夜");
    assert_eq!((row.filename.as_deref(), row.duration_s), (Some("tracks/夜.flac"), Some(62.0)));
    assert!(!row.title_given && row.recording.title == "夜");
    assert!(table.names_audio);
}

#[test]
fn every_bad_cell_of_a_row_is_named_once() {
    let table = parse_text("recording_id,isrc,upc\na,1,2\n");
    let columns: Vec<_> = table.problems.iter().map(|problem| problem.column.as_deref().unwrap()).collect();
    assert_eq!((columns, table.bad_rows), (vec!["isrc", "upc"], 1));
    let table = parse_text("isrc,title\nbad,x\n");
    assert_eq!(table.problems.len(), 1, "{:?}", table.problems);
}

#[test]
fn problems_are_bounded() {
    let table = parse_text(&format!("recording_id,isrc\n{}", "a,b\n".repeat(5000)));
    assert_eq!((table.problems.len(), table.bad_rows), (1000, 5000));
}

#[test]
fn line_ends_of_old_spreadsheets() {
    let table = parse_text("recording_id,title\ra,x\rb,y\r");
    assert_eq!(table.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut table = b"recording_id,isrc,title\n".to_vec();
        table.extend(&bytes);
        let _ = (parse(&bytes, &Options::default()), parse(&table, &Options::default()));
    }

    #[test]
    fn never_panics_on_what_looks_like_a_table(text in "[ab,;\"\n\r\t夜]{0,80}") {
        let table = parse_text(&format!("recording_id,title\n{text}"));
        let lines = 2 + text.matches('\n').count() as u64;
        prop_assert!(table.rows.iter().all(|row| (2..=lines).contains(&row.line)));
    }

    #[test]
    fn quoted_titles_come_back_in_any_encoding(
        titles in prop::collection::vec("[a-z,;\"'夜駆月心東京駅前広場曲歌]{1,12}", 1..20),
        encoding in prop::sample::select(vec![encoding_rs::UTF_8, encoding_rs::GB18030, encoding_rs::SHIFT_JIS]),
    ) {
        let mut text = "title,recording_id\n".to_owned();
        for (number, title) in titles.iter().enumerate() {
            text += &format!("{},r{number}\n", quoted(title));
        }
        let (bytes, _, broken) = encoding.encode(&text);
        prop_assume!(!broken);
        let table = parse(&bytes, &Options { encoding: Some(encoding), ..Options::default() });
        prop_assert_eq!(&table.problems, &[]);
        let found: Vec<&str> = table.rows.iter().map(|row| row.recording.title.as_str()).collect();
        prop_assert_eq!(found, titles);
    }
}
