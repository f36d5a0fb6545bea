//! Google's bulk list: for each recording its description and lawful address in lines that begin with `#`, then the
//! infringing addresses, one a line.

use serde_json::{Value, json};

use super::data::{Notice, Work};
use super::error::Error;
use crate::base::encoded;

/// The longest list that is taken.
const BYTES_MAX: usize = 1_000_000;

/// Writes the lists, each within the limit; a recording with too many addresses goes on in the next, under the same
/// description.
///
/// # Errors
/// [`Error::TooLong`] where one address alone does not fit.
pub(super) fn lists(notice: &Notice) -> Result<Vec<String>, Error> {
    let mut lists = vec![String::new()];
    for work in &notice.works {
        let head = head(work);
        let mut begun = false;
        for item in notice.annex.iter().filter(|item| item.work == work.number) {
            let line = format!("{}\n", encoded(&item.media_url));
            if head.len() + line.len() > BYTES_MAX {
                let recording_id = work.recording_id.clone();
                return Err(Error::TooLong { recording_id, max: BYTES_MAX });
            }
            let needed = line.len() + if begun { 0 } else { head.len() };
            if lists.last().is_none_or(|list| list.len() + needed > BYTES_MAX) {
                lists.push(String::new());
                begun = false;
            }
            if let Some(list) = lists.last_mut() {
                if !begun {
                    list.push_str(&head);
                }
                list.push_str(&line);
            }
            begun = true;
        }
    }
    lists.retain(|list| !list.is_empty());
    Ok(lists)
}

fn head(work: &Work) -> String {
    let by = work.artist.as_ref().map(|artist| format!(" by {artist}")).unwrap_or_default();
    let isrc = work.isrc.as_ref().map(|isrc| format!(", ISRC {isrc}")).unwrap_or_default();
    let description = format!("Sound recording \"{}\"{by}{isrc}", work.title);
    let authorised = work.authorised_url.as_deref().unwrap_or_default();
    format!("# {}\n# {}\n", one_line(&description), one_line(authorised))
}

/// Nothing that is filled in begins a line of its own.
fn one_line(text: &str) -> String {
    text.split(char::is_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What the web form asks for that goes with the lists.
pub(super) fn web_form(notice: &Notice, lists: usize) -> Value {
    let sender = notice.agent.as_ref().unwrap_or(&notice.right_holder);
    let person = sender.contact_person.clone().unwrap_or_default();
    let (first, last) = person.rsplit_once(char::is_whitespace).unwrap_or((person.as_str(), ""));
    json!({
        "form": notice.form,
        "number": notice.number,
        "date": notice.date,
        "first_name": first.trim(),
        "last_name": last,
        "company": sender.name,
        "copyright_owner": notice.right_holder.name,
        "country": sender.country,
        "email": sender.email,
        "signature": notice.signature.name,
        "files": lists,
        "works": notice.works.len(),
        "urls": notice.annex.len(),
    })
}
