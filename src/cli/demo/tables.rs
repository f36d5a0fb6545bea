//! The files that a user would write: catalogue, licences, configuration. They are templates too.

use std::net::SocketAddr;

use super::folder::Folder;
use super::story::{LABEL, PLATFORM, RADIO, SITES, TITLES};
use crate::base::Timestamp;

/// `catalogue.csv`: what is looked for.
pub(super) fn catalogue() -> String {
    let mut text =
        "recording_id,isrc,title,title_alt,artist,label,p_line,first_made_date,filename\n".to_owned();
    for title in &TITLES {
        let year = &title.first_made[..4];
        text += &format!(
            "{},{},{},{},{},{},℗ {year} {},{},{}\n",
            title.id,
            title.isrc,
            title.title,
            title.translations.join("|"),
            title.artist,
            title.label,
            title.label,
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
         proof = [\"Aoi Records: certificates of registration (demonstration)\"]\n\n\
         [claim.right_holder]\n\
         name = \"葵唱片株式会社（示例）\"\n\
         id_document_type = \"登记事项证明书\"\n\
         id_document_number = \"0000-00-000000\"\n\
         legal_representative = \"青井一郎\"\n\
         address = \"日本国东京都某区某町1-2-3\"\n\
         post_code = \"100-0000\"\n\
         contact_person = \"王小明\"\n\
         telephone = \"+81-3-0000-0000\"\n\
         email = \"rights@aoi-records.example\"\n",
        allowed.join(", ")
    );
    for (site, address) in SITES.iter().zip(sites) {
        text += &format!(
            "\n# {name}\n[sites.{key}]\nseeds = [\"http://{address}/\"]\ndelay_ms = 0\n\
             [providers.\"{address}\"]\nname = \"{legal}\"\nemail = \"abuse@{key}.example\"\nip_address = \"{ip}\"\n",
            name = site.name,
            key = site.key,
            legal = site.legal_name,
            ip = address.ip(),
        );
    }
    text
}
