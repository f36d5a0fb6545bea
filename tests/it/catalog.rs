//! The catalogue's tables under the real program.

use std::fs;
use std::path::Path;

use predicates::prelude::*;

use crate::music::{excerpt, music, write_wav};
use crate::support::earwitness;

const TABLE: &str = "\
recording_id,ISRC,Title,title_alt,artist,upc,first_made_date,Duration,comment
JP-1,JPXX12300001,夜に駆ける,Yoru ni Kakeru|Into the Night,ヨアソビ,4006381333931,2019-12-15,4:21,
CN-1,CN-XX1-23-00002,月亮代表我的心,,邓丽君,,1977,215.4,\"a, b\"
KR-1,,아리랑 🎵,,한국 민요,,,,
";

fn import(folder: &Path, name: &str, arguments: &[&str]) -> assert_cmd::assert::Assert {
    earwitness(folder).args(["catalog", "import", name]).args(arguments).assert()
}

#[test]
fn a_table_goes_in_and_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t.csv"), TABLE).unwrap();
    import(folder.path(), "t.csv", &["--dry-run"]).success().stderr(
        predicate::str::contains("3 added, 0 updated, 0 unchanged, 0 failed")
            .and(predicate::str::contains("nothing was changed")),
    );
    earwitness(folder.path())
        .args(["catalog", "stats", "--json"])
        .assert()
        .success()
        .stdout(predicate::str::contains(r#""recordings":0"#));
    import(folder.path(), "t.csv", &[]).success().stderr(predicate::str::contains("3 added"));
    import(folder.path(), "t.csv", &[]).success().stderr(predicate::str::contains("0 updated, 3 unchanged"));
    earwitness(folder.path()).args(["catalog", "show", "JP-1", "--json"]).assert().success().stdout(
        "{\"recording_id\":\"JP-1\",\"isrc\":\"JPXX12300001\",\"upc\":\"4006381333931\",\"title\":\"夜に駆ける\",\
         \"title_alt\":[\"Yoru ni Kakeru\",\"Into the Night\"],\"artist\":\"ヨアソビ\",\"first_made\":\"2019-12-15\"}\n",
    );
    earwitness(folder.path())
        .args(["catalog", "show", "CN-1"])
        .assert()
        .success()
        .stdout(predicate::str::contains("月亮代表我的心").and(predicate::str::contains("CNXX12300002")));
    let list =
        earwitness(folder.path()).args(["catalog", "list", "--json", "--limit", "2"]).output().unwrap();
    assert_eq!(String::from_utf8(list.stdout).unwrap().lines().count(), 2);
    earwitness(folder.path())
        .args(["catalog", "list", "KR"])
        .assert()
        .success()
        .stdout(predicate::str::contains("아리랑 🎵").and(predicate::str::contains("JP-1").not()));
    earwitness(folder.path())
        .args(["catalog", "stats"])
        .assert()
        .success()
        .stdout(predicate::str::contains("3"));
    let changed = TABLE.replace("邓丽君", "鄧麗君");
    fs::write(folder.path().join("t.csv"), changed).unwrap();
    import(folder.path(), "t.csv", &["--json"])
        .success()
        .stdout(predicate::str::contains(r#""line":3,"recording_id":"CN-1","outcome":"updated""#))
        .stderr(predicate::str::contains("1 updated, 2 unchanged"));
}

#[test]
fn bad_rows_are_named_and_good_ones_kept() {
    let folder = tempfile::tempdir().unwrap();
    let table = "recording_id,isrc,upc,release_date,title\n\
        a,JPXX12300001,,2001-02-30,wrong date\n\
        b,JPXX1230000,,2001,short isrc\n\
        c,,4006381333932,,wrong upc\n\
        d,,,,good\n\
        d,,,,twice\n\
        ,,,,nameless\n\
        e,,,,too,many,fields\n\
        f,,,,\"open\n\
        g,,,,good again\n";
    fs::write(folder.path().join("t.csv"), table).unwrap();
    let said = [
        "line 2, column release_date: there is no day",
        "line 3, column isrc: `JPXX1230000` is not an ISRC: it has 11 characters",
        "line 4, column upc: `4006381333932` is not a UPC or EAN: the check digit is 2, must be 1",
        "line 6, column recording_id: `d` is on line 5 already",
        "line 7: the row has neither recording_id nor ISRC nor file name",
        "line 8: the row has 7 fields, the header 5",
        "line 9: a quotation mark is not closed",
        "2 added, 0 updated, 0 unchanged, 7 failed",
    ];
    let mut assert = import(folder.path(), "t.csv", &[]).code(3);
    for text in said {
        assert = assert.stderr(predicate::str::contains(text));
    }
}

#[test]
fn encodings_and_delimiters_of_spreadsheets() {
    let folder = tempfile::tempdir().unwrap();
    let tables = [
        ("sjis.csv", encoding_rs::SHIFT_JIS, "ISRC;曲名;アーティスト\nJPXX12300001;夜に駆ける;ヨアソビ\n"),
        ("gb.csv", encoding_rs::GB18030, "isrc\t歌名\t歌手\nCNXX12300002\t月亮代表我的心\t邓丽君\n"),
        ("bom.csv", encoding_rs::UTF_8, "\u{feff}isrc,title,artist\nKRXX12300003,아리랑,민요\n"),
    ];
    for (name, encoding, text) in tables {
        fs::write(folder.path().join(name), encoding.encode(text).0).unwrap();
        import(folder.path(), name, &[]).success().stderr(predicate::str::contains(encoding.name()));
    }
    for (id, title) in
        [("JPXX12300001", "夜に駆ける"), ("CNXX12300002", "月亮代表我的心"), ("KRXX12300003", "아리랑")]
    {
        earwitness(folder.path())
            .args(["catalog", "show", id, "--json"])
            .assert()
            .success()
            .stdout(predicate::str::contains(title));
    }
    import(folder.path(), "sjis.csv", &["--encoding", "utf-8"])
        .code(2)
        .stderr(predicate::str::contains("--encoding"));
    import(folder.path(), "sjis.csv", &["--encoding", "klingon"]).code(2);
}

#[test]
fn other_schemes_headers() {
    let folder = tempfile::tempdir().unwrap();
    let content_id = "filename,isrc,add_asset_labels,song_title,artist,album,upc,genre,label,original_release_date,\
        ownership,match_policy,custom_id\n\
        one.wav,JPXX12300001,,夜に駆ける,YOASOBI,,,,Label,2019-12-15,WW,block,own-1\n";
    fs::write(folder.path().join("cid.csv"), content_id).unwrap();
    import(folder.path(), "cid.csv", &[]).success().stderr(predicate::str::contains("--audio-root"));
    earwitness(folder.path())
        .args(["catalog", "show", "own-1", "--json"])
        .assert()
        .success()
        .stdout(predicate::str::contains(r#""release_date":"2019-12-15""#));
    let manifest = "track_id,role,path,file,duration,sha256\n\
        a-1,catalogue,usr/a.ogg,tracks/a.ogg,85.38,00\n\
        b-1,stranger,usr/b.ogg,tracks/b.ogg,60.98,00\n";
    fs::write(folder.path().join("manifest.csv"), manifest).unwrap();
    import(folder.path(), "manifest.csv", &["--where", "role=catalogue"])
        .success()
        .stderr(predicate::str::contains("1 added").and(predicate::str::contains("1 left out by --where")));
    import(folder.path(), "manifest.csv", &["--where", "rolle=catalogue"]).code(2).stderr(
        predicate::str::contains("no column `rolle`").and(predicate::str::contains("track_id, role")),
    );
}

#[test]
fn what_is_no_table_or_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in
        [("empty.csv", &b""[..]), ("noise.csv", &[0xff; 300][..]), ("text.csv", b"Dear Sir,\nhello")]
    {
        fs::write(folder.path().join(name), bytes).unwrap();
        import(folder.path(), name, &[]).code(2).stderr(predicate::str::contains(name));
    }
    import(folder.path(), "missing.csv", &[]).code(2);
    earwitness(folder.path()).args(["catalog", "show", "nobody"]).assert().code(2);
    earwitness(folder.path()).args(["catalog", "add", "missing.wav"]).assert().code(2);
}

const RATE_HZ: u32 = 11_025;

/// Writes music by its seed as `NAME.wav`, and an excerpt of it as `query-SEED.wav`.
fn write_music(folder: &Path, name: &str, seed: u64) {
    let samples = music(seed, 12.0, RATE_HZ);
    fs::create_dir_all(folder.join("masters")).unwrap();
    write_wav(&folder.join(format!("masters/{name}.wav")), &samples, RATE_HZ, 1);
    write_wav(&folder.join(format!("query-{seed}.wav")), &excerpt(&samples, RATE_HZ, 2.0, 9.0), RATE_HZ, 1);
}

/// The recordings that are found in the excerpt of the music with a seed.
fn found(folder: &Path, seed: u64) -> Vec<String> {
    let output =
        earwitness(folder).args(["identify", "--json", &format!("query-{seed}.wav")]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["error"], serde_json::Value::Null);
    let matches = answer["matches"].as_array().unwrap().iter();
    matches.map(|one| one["recording_id"].as_str().unwrap().to_owned()).collect()
}

fn add(folder: &Path, said: &str) {
    earwitness(folder)
        .args(["catalog", "add", "masters"])
        .assert()
        .success()
        .stderr(predicate::str::contains(said));
    earwitness(folder).args(["store", "check"]).assert().success();
}

/// The names of the segment files, which change with every change of the index.
fn segments(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder.join("store/index")).unwrap();
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn changed_audio_replaces_its_fingerprint_and_removed_audio_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_music(path, "a", 1);
    write_music(path, "b", 2);
    add(path, "2 added, 0 updated, 0 unchanged, 0 failed");
    assert_eq!((found(path, 1), found(path, 2)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    let before = segments(path);
    add(path, "0 added, 0 updated, 2 unchanged, 0 failed");
    assert_eq!(segments(path), before);

    write_music(path, "a", 3);
    add(path, "0 added, 1 updated, 1 unchanged, 0 failed");
    assert_eq!((found(path, 1), found(path, 3)), (vec![], vec!["a".to_owned()]));
    assert_eq!(found(path, 2), ["b"]);

    earwitness(path)
        .args(["catalog", "remove", "a", "nobody"])
        .assert()
        .code(3)
        .stderr(predicate::str::contains("`nobody`").and(predicate::str::contains("1 removed")));
    assert_eq!((found(path, 3), found(path, 2)), (vec![], vec!["b".to_owned()]));
    earwitness(path)
        .args(["catalog", "list", "--json"])
        .assert()
        .success()
        .stdout(predicate::str::contains("\"b\"").and(predicate::str::contains("\"a\"").not()));
    earwitness(path).args(["store", "check"]).assert().success();
    earwitness(path)
        .args(["store", "stats", "--json"])
        .assert()
        .success()
        .stdout(predicate::str::contains(r#""recordings":1,"#));
    add(path, "1 added, 0 updated, 1 unchanged, 0 failed");
    assert_eq!(found(path, 3), ["a"]);

    earwitness(path).args(["catalog", "remove", "a", "b"]).assert().success();
    assert_eq!(segments(path), Vec::<String>::new());
    assert_eq!(found(path, 2), Vec::<String>::new());
}

#[test]
fn importing_a_table_with_audio_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_music(path, "a", 1);
    write_music(path, "b", 2);
    // One master under two ids, as on an album and as a single.
    let table = "recording_id,filename,title\nA-1,a.wav,Ah\nA-2,a.wav,Ah again\nB-1,b.wav,Bee\nC-1,,Without audio\n\
        D-1,missing.wav,Lost\n";
    fs::write(path.join("t.csv"), table).unwrap();
    let with_audio = ["--audio-root", "masters"];
    import(path, "t.csv", &with_audio).code(3).stderr(
        predicate::str::contains("3 added, 0 updated, 0 unchanged, 1 failed")
            .and(predicate::str::contains("missing.wav").and(predicate::str::contains("line 6"))),
    );
    let list = || earwitness(path).args(["catalog", "list", "--json"]).output().unwrap().stdout;
    let (before, before_segments) = (list(), segments(path));
    assert_eq!(String::from_utf8_lossy(&before).lines().count(), 5);
    import(path, "t.csv", &with_audio)
        .code(3)
        .stderr(predicate::str::contains("0 added, 0 updated, 3 unchanged, 1 failed"));
    assert_eq!((list(), segments(path)), (before, before_segments.clone()));
    // A new title needs no new fingerprint.
    fs::write(path.join("t.csv"), table.replace("Bee", "Be")).unwrap();
    import(path, "t.csv", &with_audio)
        .code(3)
        .stderr(predicate::str::contains("0 added, 1 updated, 2 unchanged, 1 failed"));
    assert_eq!(segments(path), before_segments);
    let mut both = found(path, 1);
    both.sort();
    assert_eq!(both, ["A-1", "A-2"]);
    // The same masters without the table: known by their bytes.
    add(path, "0 added, 0 updated, 2 unchanged, 0 failed");
    write_music(path, "b", 3);
    import(path, "t.csv", &with_audio)
        .code(3)
        .stderr(predicate::str::contains("0 added, 1 updated, 2 unchanged, 1 failed"));
    assert_eq!((found(path, 2), found(path, 3)), (vec![], vec!["B-1".to_owned()]));
}

#[test]
fn what_recordings_share_is_told_listed_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (one, two, three) = (music(1, 24.0, RATE_HZ), music(2, 24.0, RATE_HZ), music(3, 24.0, RATE_HZ));
    fs::create_dir(path.join("masters")).unwrap();
    let write = |name: &str, samples: &[f32]| {
        write_wav(&path.join(format!("masters/{name}.wav")), samples, RATE_HZ, 1);
    };
    write("master", &one);
    write("medley", &[two, one.clone(), three].concat());
    let overlaps = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let output =
            earwitness(path).args(["catalog", "overlaps", "--json"]).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    earwitness(path)
        .args(["catalog", "add", "masters", "--no-overlaps"])
        .assert()
        .success()
        .stderr(predicate::str::contains("overlap").not());
    assert!(overlaps(&[]).is_empty());
    assert_eq!(overlaps(&["--scan"]).len(), 1);
    let [found] = overlaps(&["medley"]).try_into().unwrap();
    assert_eq!((&found["with"], &found["kind"]), (&"master".into(), &"contained".into()));
    let start = found["start_s"].as_f64().unwrap();
    assert!((start - 24.0).abs() < 2.0, "{found}");

    write("medley", &music(4, 24.0, RATE_HZ));
    write("again", &one[RATE_HZ as usize..]);
    add(path, "overlap: again and master share nearly all of both: 0:0");
    assert_eq!(overlaps(&[]).len(), 1);
    earwitness(path).args(["catalog", "show", "master"]).assert().success().stdout(
        predicate::str::contains("again share nearly all").and(predicate::str::contains("medley").not()),
    );
    earwitness(path).args(["catalog", "remove", "again"]).assert().success();
    assert!(overlaps(&[]).is_empty());
    earwitness(path).args(["catalog", "overlaps", "nobody"]).assert().code(2);
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)).unwrap()
}

/// An ID3v2.4 tag of text frames; all lengths are below 128.
fn id3(frames: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let frames = frames.iter().flat_map(|(name, text)| {
        [name.as_bytes(), &[0, 0, 0, u8::try_from(text.len()).unwrap(), 0, 0], text].concat()
    });
    let body: Vec<u8> = frames.collect();
    [b"ID3\x04\0\0\0\0\0", &[u8::try_from(body.len()).unwrap()][..], &body].concat()
}

/// A FLAC file with a block of Vorbis comments put behind its first block.
fn flac_with_comments(flac: &[u8], comments: &[&str]) -> Vec<u8> {
    let mut block = vec![0; 4];
    block.extend((comments.len() as u32).to_le_bytes());
    for comment in comments {
        block.extend((comment.len() as u32).to_le_bytes());
        block.extend(comment.as_bytes());
    }
    let first_end = 4 + 4 + 34;
    let header = [4, 0, 0, u8::try_from(block.len()).unwrap()];
    [&flac[..first_end], &header, &block, &flac[first_end..]].concat()
}

#[test]
fn the_tags_of_an_audio_file_name_its_recording() {
    let folder = tempfile::tempdir().unwrap();
    let masters = folder.path().join("masters");
    fs::create_dir(&masters).unwrap();
    let utf16: Vec<u8> =
        [1, 0xff, 0xfe].into_iter().chain("夜に駆ける".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let tag = id3(&[("TSRC", b"\0JP-XX1-23-00001".to_vec()), ("TIT2", utf16)]);
    fs::write(masters.join("01.mp3"), [tag, fixture("music.mp3")].concat()).unwrap();
    let comments = ["TITLE=アリラン", "isrc=KRXX12300003", "ARTIST=민요", "DATE=1977", "LABEL=House"];
    fs::write(masters.join("02.flac"), flac_with_comments(&fixture("flac16.flac"), &comments)).unwrap();
    fs::write(masters.join("03.ogg"), fixture("vorbis.ogg")).unwrap();
    add(folder.path(), "3 added, 0 updated, 0 unchanged, 0 failed");
    let show = |id: &str| -> serde_json::Value {
        let output = earwitness(folder.path()).args(["catalog", "show", id, "--json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let first = show("JPXX12300001");
    assert_eq!((&first["isrc"], &first["title"]), (&"JPXX12300001".into(), &"夜に駆ける".into()));
    let second = show("KRXX12300003");
    assert_eq!((&second["title"], &second["artist"]), (&"アリラン".into(), &"민요".into()));
    assert_eq!((&second["release_date"], &second["label"]), (&"1977".into(), &"House".into()));
    assert_eq!(show("03")["title"], "03");
    add(folder.path(), "0 added, 0 updated, 3 unchanged, 0 failed");
}
