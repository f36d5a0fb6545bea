//! Figures, recordings, licences, sounds and pictures, by a program.

use std::fs;

use serde_json::{Value, json};

use super::Client;
use super::api::served;
use crate::evidence::House;

const RECORDINGS: &str = "recording_id,title,artist\nR1,First,Aoi\nR2,Second,Midori\nR3,夜の歌,Aoi\n";
const LICENCES: &str = "\
licence_id,parent_licence_id,licensor,licensee,licensee_domains,scope,exclusive,sublicensable,territories,start,end
L1,,,Avex,,all,,,Worldwide,,
L2,L1,Avex,NetEase,163.com,all,yes,no,CN,2017-02-01,2090-12-31
L3,L1,Avex,Tencent,qq.com,all,yes,no,CN,2018-03-01,2090-06-30
";

/// Gives a house three more recordings and three licences, two of which contradict each other.
pub(super) fn import(house: &House) {
    fs::write(house.path().join("recordings.csv"), RECORDINGS).unwrap();
    fs::write(house.path().join("licences.csv"), LICENCES).unwrap();
    house.run(&["catalog", "import", "recordings.csv"]).code(0);
    let _ = house.run(&["licence", "import", "licences.csv"]);
}

/// All identifiers of a list, read in parts of one.
fn walk(client: &mut Client, path: &str, id: impl Fn(&Value) -> Value) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let part = client.get(&format!("{path}limit=1{after}")).json();
        let items = part["items"].as_array().unwrap();
        assert!(items.len() <= 1, "{part}");
        found.extend(items.iter().map(&id));
        let Some(next) = part["next"].as_str() else { return found };
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        after = format!("&after={next}");
    }
}

#[test]
fn what_the_owner_has_is_told() {
    let house = House::new();
    import(&house);
    let (_desk, mut client) = served(house.path());
    let figures = client.get("/api/v1/figures").json();
    assert_eq!(figures["figures"]["all"]["found"], 1, "{figures}");
    assert_eq!(figures["figures"]["opened"].as_array().unwrap().len(), 26);
    let id = |row: &Value| row["recording"]["recording_id"].clone();
    assert_eq!(walk(&mut client, "/api/v1/recordings?", id), ["R1", "R2", "R3", "one"]);
    assert_eq!(walk(&mut client, "/api/v1/recordings?q=aoi&", id), ["R1", "R3"]);
    assert_eq!(client.get("/api/v1/recordings").json()["in_catalogue"], 4);
    let one = client.get("/api/v1/recordings/one");
    // Where its file lies is nobody's affair.
    assert!(!one.text().contains("one.wav"), "{}", one.text());
    let one = one.json();
    assert_eq!((&one["cases_total"], &one["cases"][0]["case_id"]), (&json!(1), &json!(house.case_id)));
    assert_eq!((one["licences"].as_array().unwrap().len(), one["recording"]["audio"].is_object()), (3, true));
    let id = |row: &Value| row["licence"]["licence_id"].clone();
    assert_eq!(walk(&mut client, "/api/v1/licences?", id), ["L1", "L2", "L3"]);
    assert_eq!(walk(&mut client, "/api/v1/licences?q=tencent&", id), ["L3"]);
    let list = client.get("/api/v1/licences").json();
    let kinds: Vec<&Value> = list["conflicts"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert!(kinds.contains(&&json!("two_exclusives")), "{list}");
    let licence = client.get("/api/v1/licences/L2").json();
    assert_eq!((&licence["licence"]["is_in_force"], &licence["at_end"]["count"]), (&json!(true), &json!(0)));
    assert!(licence["conflicts"][0]["licence_ids"].as_array().unwrap().contains(&json!("L3")), "{licence}");
    for (path, status) in [
        ("/api/v1/recordings/none", 404),
        ("/api/v1/licences/none", 404),
        ("/api/v1/recordings?limit=501", 400),
        ("/api/v1/recordings?after=%00", 400),
        ("/api/v1/licences?limit=x", 400),
    ] {
        assert_eq!(client.get(path).status, status, "{path}");
    }
}

#[test]
fn sounds_and_pictures_are_given_to_a_token() {
    let house = House::new();
    let (_desk, mut client) = served(house.path());
    let sounds = client.get(&format!("/api/v1/cases/{}/sounds", house.case_id)).json();
    let url = sounds["pairs"][0]["suspect"]["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("/api/v1/cases/"), "{sounds}");
    let sound = client.get(&url);
    assert_eq!(
        (sound.status, sound.header("content-type"), &sound.body[..4]),
        (200, "audio/wav", &b"RIFF"[..])
    );
    let part = client.send("GET", &url, &[("range", "bytes=8-11")], b"");
    assert_eq!((part.status, part.body.as_slice()), (206, b"WAVE".as_slice()));
    for picture in sounds["pictures"].as_array().unwrap() {
        let picture = client.get(picture.as_str().unwrap());
        assert_eq!((picture.status, picture.header("content-type")), (200, "image/svg+xml"));
        assert!(picture.header("content-security-policy").contains("sandbox"));
    }
    assert_eq!(sounds["pages"], json!([]));
    for missing in ["sound/suspect/9", "picture/none", "page/1"] {
        assert_eq!(
            client.get(&format!("/api/v1/cases/{}/{missing}", house.case_id)).status,
            404,
            "{missing}"
        );
    }
}
