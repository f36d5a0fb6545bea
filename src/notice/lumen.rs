//! Reports to the Lumen database, the body of its `POST /notices`. The database is public, so no address, telephone or
//! e-mail of anybody is in it; the sender's `authentication_token` is added when it is sent.

use serde_json::{Value, json};

use super::data::{Notice, Party};

/// Builds the report; `statement` is the notice in words.
pub(super) fn report(notice: &Notice, statement: &str) -> Value {
    let works = notice.works.iter().map(|work| {
        let own = notice.annex.iter().filter(|item| item.work == work.number);
        let urls: Vec<Value> = own.map(|item| json!({"url": item.media_url})).collect();
        let authorised: Vec<Value> = work.authorised_url.iter().map(|url| json!({"url": url})).collect();
        let by = work.artist.as_ref().map(|artist| format!(" by {artist}")).unwrap_or_default();
        let isrc = work.isrc.as_ref().map(|isrc| format!(" (ISRC {isrc})")).unwrap_or_default();
        json!({
            "description": format!("Sound recording \"{}\"{by}{isrc}", work.title),
            "kind": "music",
            "infringing_urls_attributes": urls,
            "copyrighted_urls_attributes": authorised,
        })
    });
    let works: Vec<Value> = works.collect();
    let mut roles = vec![role("principal", &notice.right_holder)];
    roles.push(role("sender", notice.agent.as_ref().unwrap_or(&notice.right_holder)));
    roles.push(json!({
        "name": "recipient",
        "entity_attributes": {"name": notice.provider.name, "kind": "organization"},
    }));
    let titles: Vec<&str> = notice.works.iter().take(3).map(|work| work.title.as_str()).collect();
    json!({
        "notice": {
            "type": "DMCA",
            "title": format!("Copyright notice to {} ({})", notice.provider.domain, notice.number),
            "subject": format!("Sound recordings: {}", titles.join("; ")),
            "body": statement,
            "date_sent": notice.date,
            "source": "Online form",
            "tag_list": "music, sound recording",
            "jurisdiction_list": "US",
            "regulation_list": "17 U.S.C. 512(c)(3)",
            "language": "en",
            "action_taken": "Unspecified",
            "case_id_number": notice.number,
            "works_attributes": works,
            "entity_notice_roles_attributes": roles,
        }
    })
}

fn role(name: &str, party: &Party) -> Value {
    let mut entity = json!({"name": party.name, "kind": "organization"});
    if let Some(country) = &party.country {
        entity["country_code"] = json!(country);
    }
    json!({"name": name, "entity_attributes": entity})
}
