//! Which cases documents are about.

use super::Error;
use crate::cases::{Case, Event, Form, Purpose, State, find, list};
use crate::store::Store;

/// The named cases, or all approved ones, oldest first.
///
/// # Errors
/// [`Error::Cases`] and [`Error::Unfit`] where one is not there, or was not approved.
pub fn choose(store: &Store, form: Form, ids: &[String]) -> Result<Vec<Case>, Error> {
    if ids.is_empty() {
        return Ok(list(store, Some(State::Approved))?);
    }
    let mut chosen: Vec<Case> = Vec::new();
    for id in ids {
        let case = find(store, id)?;
        let event = match form.purpose() {
            Some(Purpose::Complaint) => Event::Escalated,
            _ => Event::Noticed,
        };
        if case.state.after(event).is_none() {
            return Err(Error::Unfit(format!(
                "case {0} is {1}, and only approved cases are notified; look at it with `earwitness cases show {0}`, then `earwitness cases approve {0}`",
                case.case_id, case.state
            )));
        }
        if chosen.iter().all(|known| known.case_id != case.case_id) {
            chosen.push(case);
        }
    }
    chosen.sort_by(|a, b| (a.created_at, &a.case_id).cmp(&(b.created_at, &b.case_id)));
    Ok(chosen)
}
