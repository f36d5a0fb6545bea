//! The files that a user would write: catalogue, licences, configuration. They are templates too.

use std::net::SocketAddr;

use super::folder::Folder;
use super::story::{LABEL, PLATFORM, RADIO, SITES, TITLES};
use crate::base::Timestamp;

/// `catalogue.csv`: what is looked for.
pub(super) fn catalogue() -> String {
    let mut text =
        "recording_id,isrc,title,title_alt,artist,label,p_line,first_made_date,release_date,filename\n"
            .to_owned();
    for title in &TITLES {
        let year = &title.first_made[..4];
        text += &format!(
            "{},{},{},{},{},{},℗ {year} {},{},{},{}\n",
            title.id,
            title.isrc,
            title.title,
            title.translations.join("|"),
            title.artist,
            title.label,
            title.label,
            title.first_made,
            title.first_made,
            master(title.id),
        );
    }
    text
}

/// The file name of a recording's audio.
pub(super) fn master(id: &str) -> String {
    format!("{id}.wav")
}

/// `licences.csv`: the label owns its recordings; one platform has mainland China alone, from the year before last
/// on, and lets a radio station use one title. Of the archive's recording nobody is recorded as owner.
pub(super) fn licences(sites: &[SocketAddr], now: Timestamp) -> String {
    let year = now.strftime("%Y").to_string().parse::<i32>().unwrap_or(2026);
    let (from, until) = (year - 2, year + 3);
    let (platform, radio) = (SITES[PLATFORM].name, SITES[RADIO].name);
    let (at_platform, at_radio) = (sites[PLATFORM], sites[RADIO]);
    format!(
        "licence_id,parent_licence_id,licensor,licensee,licensee_domains,scope,right,exclusive,sublicensable,\
         territories,start,end\n\
         OWN-AOI,,,{LABEL},none,label:{LABEL},making_available|streaming,,,Worldwide,,\n\
         L-CN,OWN-AOI,{LABEL},{platform},{at_platform},label:{LABEL},making_available|streaming,yes,yes,CN,\
         {from}-01-01,{until}-12-31\n\
         S-RADIO,L-CN,{platform},{radio},{at_radio},recording:AOI-003,making_available|streaming,no,no,CN,\
         {from}-06-01,{until}-05-31\n"
    )
}

/// `earwitness.toml`: the sites, who claims, and who receives notices.
pub(super) fn settings(folder: &Folder, sites: &[SocketAddr]) -> String {
    let store = toml::Value::String(folder.store().display().to_string());
    let allowed: Vec<String> = sites.iter().map(|site| format!("\"{site}\"")).collect();
    let mut text = format!(
        "# Written by `earwitness demo`. All names are made up; the sites are gone unless --keep-serving was given.\n\
         store = {store}\n\n\
         [fetch]\n\
         # The demonstration's sites are on this machine; other addresses that are not public stay refused.\n\
         private_allowed = [{}]\n\n\
         [claim]\n\
         territory = \"CN\"\n\
         proof = [\"葵唱片：著作权登记证书（示例）\"]\n\
         signature = \"Ichiro Aoi\"\n\
         authorised_url = \"https://aoi-records.example/recordings/{{isrc}}\"\n\n\
         [claim.right_holder]\n\
         name = \"葵唱片株式会社（示例）\"\n\
         id_document_type = \"登记事项证明书\"\n\
         id_document_number = \"0000-00-000000\"\n\
         legal_representative = \"青井一郎\"\n\
         address = \"日本国东京都某区某町1-2-3\"\n\
         post_code = \"100-0000\"\n\
         contact_person = \"王小明\"\n\
         telephone = \"+81-3-0000-0000\"\n\
         email = \"rights@aoi-records.example\"\n\
         country = \"JP\"\n\n\
         # What English and Japanese documents say instead.\n\
         [claim.en]\n\
         proof = [\"Aoi Records: certificates of registration (demonstration)\"]\n\
         [claim.en.right_holder]\n\
         name = \"Aoi Records Inc. (example)\"\n\
         legal_representative = \"Ichiro Aoi\"\n\
         address = \"1-2-3 Some Town, Some Ward, Tokyo, Japan\"\n\
         contact_person = \"Xiaoming Wang\"\n\
         [claim.ja]\n\
         proof = [\"葵レコード：著作権登録証（実演用）\"]\n\
         [claim.ja.right_holder]\n\
         name = \"葵レコード株式会社（例）\"\n\
         address = \"東京都某区某町一丁目2番3号\"\n\
         contact_person = \"王小明\"\n",
        allowed.join(", ")
    );
    for (site, address) in SITES.iter().zip(sites) {
        text += &format!(
            "\n# {name}\n[sites.{key}]\nseeds = [\"http://{address}/\"]\ndelay_ms = 0\n\
             [providers.\"{address}\"]\nname = \"{legal}\"\naddress = \"某省某市某路1号\"\nemail = \"abuse@{key}.example\"\nip_address = \"{ip}\"\n",
            name = site.name,
            key = site.key,
            legal = site.legal_name,
            ip = address.ip(),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::catalog::import;
    use crate::config::Settings;
    use crate::rights::{LicenceGraph, conflicts, parse_csv};

    fn sites() -> Vec<SocketAddr> {
        (1..=SITES.len() as u16).map(|n| SocketAddr::from(([127, 0, 0, 1], 4000 + n))).collect()
    }

    #[test]
    fn the_catalogue_reads_without_a_problem() {
        let table = import::parse(catalogue().as_bytes(), &import::Options::default());
        assert!(table.problems.is_empty(), "{:?}", table.problems);
        assert_eq!(table.rows.len(), TITLES.len());
        assert_eq!(table.rows[0].recording.title, "夜明けの駅");
        assert_eq!(table.rows[0].recording.title_alt.len(), 2);
        assert_eq!(table.rows[0].filename.as_deref(), Some("AOI-001.wav"));
    }

    #[test]
    fn the_licences_read_without_a_problem_or_conflict() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let parsed = parse_csv(licences(&sites(), now).as_bytes(), &jiff::tz::TimeZone::UTC, now);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let graph = LicenceGraph::new(parsed.rows.into_iter().map(|row| row.licence));
        assert_eq!(graph.licences().count(), 3);
        assert!(conflicts(&graph).is_empty(), "{:?}", conflicts(&graph));
    }

    #[test]
    fn the_configuration_is_one() {
        let dir = tempfile::tempdir().unwrap();
        // A name that needs care in a TOML string.
        let folder = Folder { root: dir.path().join("de\"mo \\ 試") };
        let read: Settings = toml::from_str(&settings(&folder, &sites())).unwrap();
        assert_eq!(read.store, Some(folder.store()));
        assert_eq!(read.sites.len(), SITES.len());
        assert_eq!(read.providers.len(), SITES.len());
        assert!(!read.fetch.allow_private);
    }
}
